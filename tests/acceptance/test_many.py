"""Many files in one command."""

import json

import numpy as np
import pytest

import solardn as package


@pytest.fixture
def frames(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(4):
        np.save(folder / f"f{number}.npy", np.random.default_rng(number).normal(0, 1, (32, 40)).astype(np.float32))
    return folder


def test_patterns_lists_and_names_are_all_denoised_into_a_folder(solardn, frames, tmp_path):
    (tmp_path / "list.txt").write_text(f"# two of them\n{frames / 'f2.npy'}\n\n{frames / 'f3.npy'}\n")
    said = solardn.good(
        "denoise",
        frames / "f[01].npy",
        frames / "f1.npy",
        f"@{tmp_path / 'list.txt'}",
        "--output-dir",
        tmp_path / "out",
        "--model",
        "smooth",
    )
    assert "4 files denoised" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"f{n}.npy" for n in range(4)]
    single = tmp_path / "single.npy"
    solardn.good("denoise", frames / "f3.npy", single, "--model", "smooth")
    assert single.read_bytes() == (tmp_path / "out" / "f3.npy").read_bytes()


def test_a_file_that_fails_does_not_keep_the_others_from_being_done(solardn, frames, tmp_path):
    (frames / "f1.npy").write_text("broken")
    result = solardn("denoise", frames / "*.npy", "--output-dir", tmp_path / "out", "--model", "smooth", "--json")
    assert result.exit_code == 1
    assert "failed: " in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: 1 of 4 files failed")
    figures = json.loads(result.stdout)
    assert [item["input"] for item in figures["failed"]] == [str(frames / "f1.npy")]
    assert len(figures["files"]) == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.suffix) == ["f0.npy", "f2.npy", "f3.npy"]


def test_resume_leaves_out_what_is_done(solardn, frames, tmp_path):
    words = ["denoise", frames / "*.npy", "--output-dir", tmp_path / "out", "--model", "smooth", "--resume"]
    broken = frames / "f2.npy"
    good = broken.read_bytes()
    broken.write_text("broken")
    assert solardn(*words).exit_code == 1
    broken.write_bytes(good)
    assert "1 files denoised, 3 were done before" in solardn.good(*words)
    assert "exists" in solardn(*words).stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{frames}/*.xyz"], "no file fits"),
        (["@{frames}/gone.txt"], "gone.txt cannot be read"),
        (["{frames}/f0.npy", "{frames}/../f0.npy"], "would both write"),
        (["@{frames}/empty.txt"], "no input file"),
    ],
)
def test_lists_that_make_no_sense(solardn, frames, tmp_path, words, sentence):
    (frames / "empty.txt").write_text("\n")
    words = [word.format(frames=frames) for word in words]
    assert sentence in solardn.bad("denoise", *words, "--output-dir", tmp_path / "out", "--model", "smooth")
    assert not (tmp_path / "out").exists()


def test_outputs_never_replace_inputs(solardn, frames):
    said = solardn.bad("denoise", frames / "*.npy", "--output-dir", frames, "--model", "smooth", "--overwrite")
    assert "its own folder" in said


def test_words_without_an_output_are_a_usage_error(solardn, frames):
    assert solardn("denoise", frames / "f0.npy").exit_code == 2
    assert solardn("denoise", frames / "f0.npy", "a.npy", "b.npy").exit_code == 2
    assert solardn("denoise", frames / "f0.npy", "--output-dir", "x", "--quicklook", "p.png").exit_code == 2


def test_from_python(frames, tmp_path):
    outcome = package.denoise_files([frames / "*.npy"], tmp_path / "out", model="smooth", threads=1, scale=1.0)
    assert len(outcome.done) == 4
    assert not outcome.failed
