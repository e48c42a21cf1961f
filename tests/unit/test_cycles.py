"""Passes over the residual: as many as bring the result nearer to the truth, never one more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.scenes import filtered, make_noise, make_truth, radius
from solardn import Denoiser
from solardn.cycles import MOST, refine
from tests import networks

SHAPE = (256, 256)


def rough(width: float) -> object:
    """Return a denoiser that smooths too much: what it misses is left in the residual."""
    transfer = np.exp(-((radius(SHAPE) / width) ** 2))
    return lambda data: (0.8 * filtered(data, transfer)).astype(np.float32)


def error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((found - truth) ** 2)))


@pytest.mark.parametrize("truth", ["plage", "sunspot", "powerlaw", "none"])
@pytest.mark.parametrize("noise", ["white", "band 0.3 soft", "band 0.3 varying"])
@pytest.mark.parametrize("ratio", [0.5, 2, 16])
def test_never_farther_from_the_truth_than_one_pass(truth: str, noise: str, ratio: float) -> None:
    signal, run = ratio * make_truth(truth, SHAPE, 4), rough(0.05)
    data = (signal + make_noise(noise, SHAPE, 4)).astype(np.float32)
    first = run(data)
    result, passes = refine(run, data, first)
    assert result.dtype == np.float32
    assert error(result, signal) <= error(first, signal) * (1 + 1e-6)
    assert (passes > 1) == (result is not first)
    if truth == "none":
        assert passes == 1
    if ratio == 16 and truth != "none":
        assert passes > 2
        assert error(result, signal) < 0.8 * error(first, signal)
    assert passes <= MOST


def test_same_seed_same_result() -> None:
    run = rough(0.05)
    data = (8 * make_truth("plage", SHAPE, 4) + make_noise("white", SHAPE, 4)).astype(np.float32)
    one, two = (refine(run, data, run(data), most=3) for _ in range(2))
    assert one[1] == two[1] == 3
    np.testing.assert_array_equal(one[0], two[0])


def test_a_map_whose_noise_cannot_be_found_gets_one_pass() -> None:
    tiny = np.ones((8, 8), np.float32)
    result, passes = refine(lambda data: data, tiny, tiny)
    assert result is tiny
    assert passes == 1


@pytest.fixture
def blur(tmp_path: Path) -> Denoiser:
    """Return a network that smooths too much, whatever the noise."""
    return Denoiser(networks.blur(tmp_path / "blur.onnx"), device="cpu", threads=1)


@pytest.mark.parametrize(
    ("truth", "noise", "ratio"), [("none", "white", 1), ("points", "white", 30), ("sunspot", "band 0.5 sharp", 30)]
)
def test_a_network_that_smooths_too_much_gets_the_passes_it_needs(
    blur: Denoiser, truth: str, noise: str, ratio: float
) -> None:
    signal = ratio * make_truth(truth, SHAPE, 4)
    data = (signal + make_noise(noise, SHAPE, 4)).astype(np.float32)
    once, (found,) = blur.denoise(data, scale=1.0), blur.denoise_maps([data], [1.0], "auto")
    assert error(found.values, signal) <= error(once, signal)
    assert (found.cycles > 1) == (truth != "none")
    np.testing.assert_array_equal(found.values, blur.denoise(data, scale=1.0, cycles=found.cycles))


def test_pixels_without_value_decide_nothing(blur: Denoiser) -> None:
    data = (30 * make_truth("points", SHAPE, 4) + make_noise("white", SHAPE, 4)).astype(np.float32)
    data[:, 200:], data[10, 10] = np.nan, np.inf
    (found,) = blur.denoise_maps([data], [1.0], "auto")
    (part,) = blur.denoise_maps([data[:, :200]], [1.0], "auto")
    assert found.cycles == part.cycles > 1
    assert np.isnan(found.values[:, 200:]).all()
    assert np.isfinite(found.values[20:, :200]).all()


@pytest.mark.parametrize("truth", ["plage", "filaments", "none"])
@pytest.mark.parametrize("noise", ["white", "band 0.3 soft", "band 0.3 varying"])
@pytest.mark.parametrize("ratio", [0.5, 2, 16])
def test_the_network_that_ships_comes_no_farther_from_the_truth(
    shipped: Denoiser, truth: str, noise: str, ratio: float
) -> None:
    signal = ratio * make_truth(truth, SHAPE, 5)
    data = (signal + make_noise(noise, SHAPE, 5)).astype(np.float32)
    once, found = (shipped.denoise(data, noise_sigma=1.0, cycles=cycles) for cycles in (1, "auto"))
    assert error(found, signal) <= error(once, signal) * (1 + 1e-6)


@pytest.fixture(scope="module")
def shipped() -> Denoiser:
    """Return the network that is taken by default."""
    return Denoiser(device="cpu")
