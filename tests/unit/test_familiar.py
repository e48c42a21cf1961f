"""Data far from what networks know are warned about before a run; data that they know are not."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

from benchmarks.scenes import filtered, make_noise, make_truth, radius
from solardn import Denoiser, denoise, denoise_file
from solardn.cli import main
from solardn.doubts import UnfamiliarData, doubts
from solardn.patterns import strange
from tests import networks

SHAPE = (128, 128)
NOISE = make_noise("band 0.3 soft", SHAPE, 1)
SIGNAL = make_truth("plage", SHAPE, 1)


@pytest.fixture
def denoiser(tmp_path: Path) -> Denoiser:
    return Denoiser(networks.identity(tmp_path / "same.onnx"), device="cpu", threads=1)


def said(
    denoiser: Denoiser, data: np.ndarray, level: float, unit: str = "", letter: str = "", given: bool = False
) -> str:
    found = doubts(data.astype(np.float32), level, given=given, letter=letter, unit=unit, network=denoiser.card.name)
    return "; ".join(found)


@pytest.mark.parametrize("strength", [0, 2, 20])
def test_stokes_maps_are_familiar(denoiser: Denoiser, strength: float) -> None:
    data = 2e-3 * (strength * SIGNAL + NOISE)
    assert said(denoiser, data, 2e-3, letter="V", given=True) == ""
    data[:40] = np.nan
    assert said(denoiser, data, 2e-3) == ""


@pytest.mark.parametrize("factor", [0.2, 5])
def test_a_level_far_from_the_noise_that_is_there(denoiser: Denoiser, factor: float) -> None:
    words = said(denoiser, NOISE, factor, given=True)
    assert "times the level given" in words
    assert "leave --noise-sigma and --scale out" in words
    assert "level given" not in said(denoiser, NOISE, factor)


def test_signals_beyond_training(denoiser: Denoiser) -> None:
    assert "up to 45" in said(denoiser, 1e3 * SIGNAL + NOISE, 1.0)


@pytest.mark.parametrize(
    ("data", "unit", "level"), [(SIGNAL, "kG", 1e-2), (100 * NOISE, "Gauss", 100), (0.5 * SIGNAL, "", 1e-2)]
)
def test_magnetograms(denoiser: Denoiser, data: np.ndarray, unit: str, level: float) -> None:
    words = said(denoiser, data + level * NOISE, level, unit)
    assert "magnetogram" in words
    assert "learned from Stokes maps" in words


def test_intensity_images(denoiser: Denoiser) -> None:
    granules = 1 + 0.05 * make_truth("granules", SHAPE, 1)
    assert "hardly any noise" in said(denoiser, granules + 1e-4 * NOISE, 1e-4)
    assert "subtract its mean" in said(denoiser, granules + 2e-2 * NOISE, 2e-2)
    assert "intensity" not in said(denoiser, granules + 2e-2 * NOISE, 2e-2, letter="V")


@pytest.mark.parametrize("kind", ["white", "band 0.2 sharp", "band 0.3 gauss", "band 0.3 varying"])
@pytest.mark.parametrize("truth", ["plage", "sunspot", "filaments", "points"])
def test_spectra_as_in_training_are_familiar(kind: str, truth: str) -> None:
    noise = make_noise(kind, SHAPE, 2)
    assert strange(noise, 1.0) == []
    assert strange(45 * make_truth(truth, SHAPE, 2) + noise, 1.0) == []


def test_noise_that_ends_too_early_fringes_and_offsets() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    white = rng.standard_normal(SHAPE)
    fine = filtered(white, (radius(SHAPE) < 0.1).astype(float))
    assert "re-bin" in strange(fine, 0.2)[0]
    assert "fringes of 1.0 σ every 7.7 px" in strange(white + np.sin(2 * np.pi * (0.11 * x + 0.07 * y)), 1.0)[0]
    assert "rows offset by" in strange(white + rng.standard_normal((SHAPE[0], 1)), 1.0)[0]
    assert "columns offset by" in strange(white + rng.standard_normal((1, SHAPE[1])), 1.0)[0]


@pytest.mark.parametrize("words", [["info"], ["denoise", "out.fits"]])
def test_commands_warn_before_the_work_and_tell_it_in_json(tmp_path: Path, words: list[str]) -> None:
    fits.PrimaryHDU((300 * NOISE).astype(np.float32), fits.Header({"BUNIT": "G"})).writeto(tmp_path / "in.fits")
    network = networks.identity(tmp_path / "same.onnx")
    given = [words[0], str(tmp_path / "in.fits"), *(str(tmp_path / name) for name in words[1:])]
    with warnings.catch_warnings():
        warnings.simplefilter("always", UnfamiliarData)
        ran = CliRunner().invoke(main, [*given, "--model", str(network), "--json"])
    assert ran.exit_code == 0
    assert ran.stderr.count("Warning: ") == 1
    assert "in.fits is a magnetogram (its unit is G)" in ran.stderr
    assert '"warnings": [\n    "' in ran.stdout


def test_intensity_in_an_array_that_does_not_name_its_axes(tmp_path: Path) -> None:
    options = {"model": networks.identity(tmp_path / "same.onnx"), "device": "cpu", "threads": 1}
    polarised = [NOISE + SIGNAL, NOISE - SIGNAL, NOISE]
    np.save(
        tmp_path / "iquv.npy",
        np.stack([[1e3 + 30 * SIGNAL + NOISE] * 2, *([one] * 2 for one in polarised)]).astype("f4"),
    )
    np.save(tmp_path / "quv.npy", np.stack([polarised, polarised, polarised, polarised]).astype("f4"))
    with pytest.warns(
        UnfamiliarData, match=r"iquv.npy, place 0 along axis 0 .*--axes.* looks like an intensity image"
    ) as caught:
        denoise_file(tmp_path / "iquv.npy", tmp_path / "a.npy", **options)
    assert len(caught) == 1
    assert not denoise_file(tmp_path / "quv.npy", tmp_path / "b.npy", **options).warnings


def test_levels_that_stand_out_along_a_line_are_told(tmp_path: Path) -> None:
    options = {
        "model": networks.identity(tmp_path / "same.onnx"),
        "device": "cpu",
        "threads": 1,
        "axes": "stokes=0,wavelength=1,y=2,x=3",
    }
    maps = np.stack([[make_noise("white", SHAPE, 9 * row + place) for place in range(5)] for row in range(3)])
    np.save(tmp_path / "even.npy", maps.astype("f4"))
    maps[2, [1, 3]] *= 1.4
    np.save(tmp_path / "raised.npy", maps.astype("f4"))
    assert not denoise_file(tmp_path / "even.npy", tmp_path / "a.npy", stokes="QUV", **options).warnings
    words = r"raised.npy, Stokes V: its noise level at wavelengths 1, 3 \(counted from 0\) is 1\.[34]\d? times"
    with pytest.warns(UnfamiliarData, match=words):
        denoise_file(tmp_path / "raised.npy", tmp_path / "b.npy", stokes="QUV", **options)


def test_a_result_is_told_and_nothing_else_of_it(tmp_path: Path) -> None:
    options = {"model": networks.identity(tmp_path / "same.onnx"), "device": "cpu", "threads": 1}
    given = (300 * NOISE).astype(np.float32)
    fits.PrimaryHDU(given, fits.Header({"BUNIT": "G", "PRSTEP1": "CALIBRATION"})).writeto(tmp_path / "in.fits")
    denoise_file(tmp_path / "in.fits", tmp_path / "once.fits", **options)
    fits.setval(tmp_path / "once.fits", "PRPROC3", value="later pipeline")
    words = f"{tmp_path / 'once.fits'} is a result of solardn already (step 2, network same); give the observation"
    with pytest.warns(UnfamiliarData) as caught:
        summary = denoise_file(tmp_path / "once.fits", tmp_path / "twice.fits", **options)
    assert [str(one.message) for one in caught] == list(summary.warnings) == [words]


def test_neither_a_simulation_nor_the_residual_of_a_result_is_a_result(tmp_path: Path) -> None:
    options = {"model": networks.blur(tmp_path / "blur.onnx"), "device": "cpu", "threads": 1, "noise_sigma": 1.0}
    header = fits.Header({"PRSTEP1": "SIMULATION", "PRPROC1": "solardn demo"})
    fits.PrimaryHDU(NOISE.astype(np.float32), header).writeto(tmp_path / "in.fits")
    once = denoise_file(tmp_path / "in.fits", tmp_path / "once.fits", residual=True, **options)
    again = denoise_file(tmp_path / "once.fits", tmp_path / "twice.fits", ext="RESIDUAL", **options)
    assert not any("already" in words for words in once.warnings + again.warnings)


def test_arrays_are_warned_about_once(denoiser: Denoiser) -> None:
    stack = np.stack([NOISE, 5 * NOISE, NOISE])
    with pytest.warns(UnfamiliarData, match=r"map 1 of the array .* (4\.9|5\.0)\d times the level given") as caught:
        denoiser.denoise(stack, noise_sigma=1.0)
    assert [str(one.filename) for one in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnfamiliarData)
        denoiser.denoise(stack, noise_sigma=1.0)


def test_arrays_as_in_training_are_not_warned_about(denoiser: Denoiser) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnfamiliarData)
        denoiser.denoise(2e-3 * (SIGNAL + NOISE), noise_map=np.full(SHAPE, 2e-3))


@pytest.mark.parametrize("way", ["array", "file"])
def test_a_warning_points_to_the_code_that_called_the_package(way: str, tmp_path: Path) -> None:
    options = {"model": networks.identity(tmp_path / "same.onnx"), "device": "cpu", "threads": 1}
    given = 1 + 0.02 * NOISE
    np.save(tmp_path / "in.npy", given)
    with pytest.warns(UnfamiliarData) as caught:
        denoise(given, **options) if way == "array" else denoise_file(
            tmp_path / "in.npy", tmp_path / "out.npy", **options
        )
    assert [str(one.filename) for one in caught] == [__file__]


def test_uncertainty_of_arrays_warns_too(tmp_path: Path) -> None:
    network = networks.identity(tmp_path / "same.onnx")
    with pytest.warns(UnfamiliarData, match="looks like an intensity image"):
        Denoiser(network, device="cpu", threads=1).uncertainty(1 + 0.02 * NOISE, method="flips")
