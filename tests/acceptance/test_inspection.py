"""What the residual says, at the end of every run."""

import numpy as np
import pytest
from astropy.io import fits

from benchmarks.scenes import make_noise

from .. import networks


@pytest.fixture
def cube(tmp_path, crisp):
    """Return a cube (time 2, Stokes 4, wavelength 3, y 40, x 52) of white noise, with crosstalk from I to V."""
    with fits.open(crisp, mode="update") as hdus:
        hdus[0].data[:, 0] += 0.1 * make_noise("band 0.2 soft", (40, 52), 3)
        hdus[0].data[:, 3] += 0.15 * (hdus[0].data[:, 0] - 1)
    return crisp


def zero(tmp_path):
    """Return a network that takes everything away."""
    return networks.nothing(tmp_path / "zero.onnx")


def test_the_verdict_is_told_and_recorded(solardn, cube, tmp_path):
    said = solardn.good("denoise", cube, tmp_path / "out.fits", "--model", zero(tmp_path))
    assert "residual  flat (Q" in said
    assert "correlates with the intensity" in said
    with fits.open(tmp_path / "out.fits") as hdus:
        verdicts = {row["STOKES"]: row["VERDICT"] for row in hdus["SOLARDN"].data if row["VERDICT"]}
        assert verdicts["Q"] == verdicts["U"] == "flat"
        assert "intensity" in verdicts["V"]
        assert "solardn: residual not flat in 1 of 3 kinds of map looked at" in list(hdus[0].header["HISTORY"])
    checked = fits.open(tmp_path / "out.fits", checksum=True)  # a wrong sum would warn, and warnings are errors
    checked.close()


def test_the_figures_are_those_of_inspect(solardn, image, tmp_path):
    model = zero(tmp_path)
    ran = solardn.json("denoise", image, tmp_path / "out.fits", "--model", model)
    looked = solardn.json("inspect", image, tmp_path / "out.fits")
    assert ran["inspection"]["lines"] == looked["lines"]
    assert ran["inspection"]["sigma_from"] == looked["sigma_from"] == "taken by the run"
    assert "solardn: residual structure left at 8-20 px: try --cycles 2" in str(
        fits.getheader(tmp_path / "out.fits")["HISTORY"]
    )


def test_inspect_finds_the_level_that_was_taken(solardn, tmp_path):
    strength = 0.01 * (1 + np.arange(24.0) % 7)[:, None, None]
    np.save(tmp_path / "a.npy", strength * np.random.default_rng(0).normal(size=(24, 40, 52)))
    ran = solardn.json("denoise", tmp_path / "a.npy", tmp_path / "b.npy", "--model", "smooth")
    looked = solardn.json("inspect", tmp_path / "a.npy", tmp_path / "b.npy")
    assert [line["sigma"] for line in looked["lines"]] == [ran["noise_sigma"]]
    assert looked["sigma_from"] == "found in the observation"


def test_it_can_be_left_out(solardn, cube, tmp_path):
    assert solardn.json("denoise", cube, tmp_path / "a.fits", "--model", "same", "--no-inspect")["inspection"] is None
    assert "residual not" not in str(fits.getheader(tmp_path / "a.fits")["HISTORY"])
    assert "VERDICT" not in fits.getdata(tmp_path / "a.fits", "SOLARDN").names
    assert "\n  residual " not in solardn.good("denoise", cube, tmp_path / "b.fits", "--model", "same", "--no-inspect")


def test_the_result_does_not_depend_on_it(solardn, cube, tmp_path):
    for name, words in (("a.fits", []), ("b.fits", ["--no-inspect"])):
        solardn.good("denoise", cube, tmp_path / name, "--model", "smooth", *words)
    np.testing.assert_array_equal(fits.getdata(tmp_path / "a.fits"), fits.getdata(tmp_path / "b.fits"))


def test_a_map_too_small_to_be_inspected_is_denoised_all_the_same(solardn, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(12, 12)))
    said = solardn.good("denoise", tmp_path / "a.npy", tmp_path / "b.npy", "--noise-sigma", 1, "--model", "same")
    assert "not inspected: a map of 12×12 px is too small" in said
