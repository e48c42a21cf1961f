"""The commands beside denoise and info: demo, models, doctor."""

import importlib.util
import re

import pytest
from astropy.io import fits

from solardn.demo import FILES

from .. import networks


@pytest.mark.slow
def test_the_demo_lowers_the_error_and_leaves_its_files(solardn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = solardn.good("demo", "--overwrite")  # the example of its help
    files = {path.name for path in (tmp_path / "solardn-demo").iterdir()}
    assert files >= {"observation.fits", "truth.fits", "denoised.fits"}
    if importlib.util.find_spec("matplotlib"):
        assert files >= {"picture.png", "sheet.png", "uncertainty.png", "report.html"}
    for letter in "QUV":
        before, after = map(float, re.search(rf"Stokes {letter}.*: (\S+) before, (\S+) after", said).groups())
        assert after < before == pytest.approx(2e-3, rel=0.05)
    within = [int(part) for part in re.search(r"within 1 σ at (\d+)%.*within 2 σ at (\d+)%", said).groups()]
    assert 0 < within[0] < within[1] <= 100
    header = fits.getheader(tmp_path / "solardn-demo" / "denoised.fits")
    assert header["PRSTEP2"] == "NOISE-FILTERING"
    assert [header[f"CTYPE{n}"] for n in range(1, 6)] == ["HPLN-TAN", "HPLT-TAN", "WAVE", "STOKES", "UTC"]
    assert header["SOLARNET"] == 0.5


@pytest.mark.parametrize("name", FILES)
def test_a_demo_is_refused_before_it_writes_anything(solardn, tmp_path, name):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_text("mine")
    said = solardn.bad("demo", folder)
    assert name in said
    assert "--overwrite" in said
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(name, "mine")]


def test_networks_are_listed_shown_checked_and_added(solardn, tmp_path):
    networks.identity(tmp_path / "mine.onnx", description="my own")
    assert "mine added" in solardn.good("models", "add", tmp_path / "mine.onnx")
    lines = {line.split()[0]: line for line in solardn.good("models").splitlines()}
    assert "bundled" in lines["stokes"]
    assert "SOLARDN_MODELS" in lines["same"]
    assert "your own" in lines["mine"]
    assert "my own" in lines["mine"]
    assert "my own" in solardn.good("models", "show", "mine")
    assert "right" in solardn.good("models", "verify", "mine")
    assert "--overwrite" in solardn.bad("models", "add", tmp_path / "mine.onnx")
    solardn.good("models", "add", tmp_path / "mine.onnx", "--overwrite")
    assert "no name for a network" in solardn.bad("models", "add", tmp_path / "mine.onnx", "--name", "../up")


def test_a_network_without_or_with_a_wrong_self_check_is_told_apart(solardn, tmp_path):
    assert "no self-check" in solardn.bad("models", "verify", "smooth")
    assert "does not exist" in solardn.bad("models", "verify", "gone.onnx")


def test_what_is_no_network_is_not_added(solardn, tmp_path):
    (tmp_path / "bad.onnx").write_text("nothing")
    solardn.bad("models", "add", tmp_path / "bad.onnx")
    assert "bad" not in solardn.good("models")


def test_the_doctor_tries_the_devices(solardn):
    said = solardn.good("doctor")
    assert re.search(r"\+ device cpu +works", said)
    assert "device cuda" in said
    assert "onnxruntime" in said
