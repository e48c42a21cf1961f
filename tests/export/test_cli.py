"""``python -m export``: one sentence and exit code 1 for what goes wrong, the output whole or absent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run():
    from export.__main__ import main

    def invoke(*arguments: object):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture(scope="module")
def keras_file(own_network, tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "own.keras"
    own_network.save(path)
    return path


@pytest.fixture
def onnx_file(own_onnx, tmp_path):
    from export.cards import save

    save(own_onnx, tmp_path / "own.onnx")
    return tmp_path / "own.onnx"


def fails(result, *parts: str) -> None:
    """Insist on exit code 1 and one sentence that holds the parts."""
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    for part in parts:
        assert part in result.output


def test_convert_and_verify(run, keras_file, tmp_path):
    card = tmp_path / "card.json"
    card.write_text(
        json.dumps({"description": "a test", "licence": "MIT", "source": {"command": "train", "revision": "abc"}})
    )
    done = run("convert", keras_file, "-o", tmp_path / "own.onnx", "--input-sigma", 1, "--card", card, "--name", "mine")
    assert done.exit_code == 0, done.output
    assert "mean, log_variance; halo" in done.output
    pairs = {entry.key: entry.value for entry in onnx.load(tmp_path / "own.onnx").metadata_props}
    assert (pairs["name"], pairs["description"], pairs["licence"]) == ("mine", "a test", "MIT")
    assert json.loads(pairs["source"])["revision"] == "abc"
    assert json.loads(pairs["source"])["file"] == "own.keras"
    verified = run("verify", tmp_path / "own.onnx", keras_file)
    assert verified.exit_code == 0, verified.output
    assert verified.output.count("of its range") == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.json", "own.onnx"]


def test_verify_notices_other_weights(run, onnx_file, own_network, tmp_path):
    import keras

    other = keras.models.clone_model(own_network)
    other.set_weights([weight * 1.00001 for weight in own_network.get_weights()])
    other.save(tmp_path / "other.keras")
    fails(run("verify", onnx_file, tmp_path / "other.keras"), "own.onnx differs from", "1e-06 is allowed")


def test_bad_outputs(run, keras_file, onnx_file, tmp_path):
    def convert(output, *more):
        return run("convert", keras_file, "-o", output, "--input-sigma", 1, *more)

    before = onnx_file.read_bytes()
    fails(convert(onnx_file), "own.onnx exists", "--overwrite")
    fails(convert(tmp_path / "net.h5"), "net.h5 does not end in .onnx")
    fails(convert(tmp_path / "none" / "net.onnx"), "none does not exist")
    assert onnx_file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["own.onnx"]


def test_bad_inputs(run, keras_file, onnx_file, bayes_file, tmp_path):
    out = tmp_path / "out.onnx"
    fails(run("convert", tmp_path / "none.hdf5", "--architecture", "bayes", "-o", out), "none.hdf5 does not exist")
    fails(run("convert", bayes_file, "--architecture", "unet", "-o", out), "does not fit the architecture 'unet'")
    fails(run("convert", bayes_file, "--architecture", "vgg", "-o", out), "'vgg' is not known", "unet, bayes")
    fails(run("convert", bayes_file, "-o", out), "cannot be opened as a Keras model", "--architecture")
    fails(run("convert", keras_file, "-o", out), "--input-sigma")
    fails(run("convert", keras_file, "-o", out, "--input-sigma", "-1"), "input_sigma = -1.0", "positive")
    (tmp_path / "card.json").write_text('{"halo": 3}')
    fails(
        run("convert", keras_file, "-o", out, "--card", tmp_path / "card.json"), "card.json holds halo", "it may hold"
    )
    for key, value, needed in (
        ("source", "https://x", "an object"),
        ("licence", None, "text"),
        ("description", ["a"], "text"),
        ("input_sigma", "2", "a number"),
        ("calibration", 2, "an object"),
    ):
        (tmp_path / "card.json").write_text(json.dumps({key: value}))
        done = run("convert", keras_file, "-o", out, "--card", tmp_path / "card.json")
        fails(done, f"card.json gives {value!r} as {key}; {needed}")
    fails(run("convert", tmp_path, "-o", out, "--input-sigma", 1), "is a folder", ".keras")
    fails(run("convert", keras_file, "-o", out, "--architecture", "unet"), "whole model", "leave out --architecture")
    (tmp_path / "card.json").write_text("{")
    fails(run("convert", keras_file, "-o", out, "--card", tmp_path / "card.json"), "cannot be read as JSON")
    fails(run("verify", tmp_path / "none.onnx", keras_file), "none.onnx does not exist")
    fails(run("verify", keras_file, keras_file), "cannot be read as ONNX")
    bare = onnx.load(onnx_file)
    del bare.metadata_props[:]
    onnx.save(bare, tmp_path / "bare.onnx")
    fails(run("verify", tmp_path / "bare.onnx", keras_file), "bare.onnx has no solardn card")
    assert not out.exists()


def test_every_command_has_help_with_an_example(run):
    from export.__main__ import main

    for name in main.commands:
        shown = run(name, "--help")
        assert shown.exit_code == 0
        assert f"\n    python -m export {name} " in shown.output


@pytest.mark.slow
def test_as_a_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "export", "convert", "none.keras", "-o", str(tmp_path / "x.onnx")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Error: the network none.keras does not exist; check the path\n"
    assert done.stdout == ""


def test_sample_map_is_what_it_says():
    from export.cards import sample_map

    maps = sample_map(64, 96, 2e-3)
    assert maps.shape == (64, 96)
    assert maps.dtype == np.float32
    assert 1.8e-3 < np.std(maps - sample_map(64, 96, 2e-3, seed=1)) / np.sqrt(2) < 2.2e-3
