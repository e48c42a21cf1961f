"""The noise level of a map: white, band-limited, varying, under signals, with fills."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.scenes import make_noise, make_truth
from solardn.errors import InputError
from solardn.estimates import sample
from solardn.noise import estimate, noise_map, noise_sigma


@pytest.mark.parametrize(
    "kind", ["white", "band 0.2 sharp", "band 0.3 soft", "band 0.5 sharp", "band 0.3 varying", "white varying"]
)
def test_noise_alone(kind: str) -> None:
    assert noise_sigma(0.002 * make_noise(kind, (256, 320), 7)) == pytest.approx(0.002, rel=0.05)


def test_the_last_digits_of_a_machine_do_not_tell() -> None:
    data = make_truth("plage", (192, 192), 7) + make_noise("band 0.3 varying", (192, 192), 7)
    found, other, twice = estimate(data), estimate(data * (1 + 1e-14)), estimate(2 * data)
    assert other.sigma == found.sigma
    assert np.array_equal(other.coarse, found.coarse)
    assert twice.sigma == 2 * found.sigma


@pytest.mark.parametrize("truth", ["plage", "sunspot", "filaments", "gradient"])
@pytest.mark.parametrize("noise", ["white", "band 0.3 sharp"])
@pytest.mark.parametrize("ratio", [2, 8])
def test_signals_in_part_of_the_field_do_not_count(truth: str, noise: str, ratio: float) -> None:
    data = ratio * make_truth(truth, (512, 512), 7) + make_noise(noise, (512, 512), 7)
    assert noise_sigma(data) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("truth", ["powerlaw", "granules", "full plage", "points"])
@pytest.mark.parametrize("noise", ["white", "band 0.3 soft", "white varying", "band 0.3 varying"])
def test_signals_over_the_whole_field(truth: str, noise: str) -> None:
    data = 2 * make_truth(truth, (512, 512), 9) + make_noise(noise, (512, 512), 9)
    assert noise_sigma(data) == pytest.approx(1, rel=0.05 if noise == "white" else 0.1)


@pytest.mark.parametrize("truth", ["powerlaw", "granules", "full plage", "points", "plage", "sunspot", "filaments"])
@pytest.mark.parametrize(("noise", "within"), [("white", 0.1), ("band 0.3 sharp", 0.2)])
def test_signals_of_eight_times_the_noise(truth: str, noise: str, within: float) -> None:
    data = 8 * make_truth(truth, (512, 512), 9) + make_noise(noise, (512, 512), 9)
    if truth == "powerlaw" and noise == "white":
        within = 0.12  # a random field without any edge that fills the map is the hardest; found 1.108
    assert noise_sigma(data) == pytest.approx(1, rel=within)


@pytest.mark.parametrize("truth", ["points", "plage"])
def test_sharp_signals_under_noise_of_large_grain(truth: str) -> None:
    data = 8 * make_truth(truth, (256, 256), 9) + make_noise("band 0.2 sharp", (256, 256), 9)
    assert noise_sigma(data) == pytest.approx(1, rel=0.2)


def test_offsets_of_columns_do_not_count() -> None:
    data = make_noise("white", (200, 300), 1) + 2 * np.random.default_rng(1).standard_normal(300)
    assert noise_sigma(data) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("shape", [(16, 16), (17, 40), (33, 32), (50, 400), (140, 1240)])
def test_small_and_narrow_maps(shape: tuple[int, int]) -> None:
    found = [noise_sigma(make_noise("white", shape, seed)) for seed in range(8)]
    assert np.mean(found) == pytest.approx(1, rel=0.1)
    assert all(0.7 < value < 1.3 for value in found)


def test_sst_observation(shared: Path) -> None:
    assert noise_sigma(np.load(shared / "reference" / "example_sst.npy")) == pytest.approx(1.86e-3, rel=0.1)


def test_zimpol_spectrum(shared: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    spectra = scipy_io.readsav(shared / "solar" / "irsol_5886_m14.dat")
    assert noise_sigma(spectra["su"]) == pytest.approx(5.5e-4, rel=0.1)


@pytest.mark.parametrize("noise", ["white", "band 0.3 soft", "band 0.3 varying"])
@pytest.mark.parametrize("ratio", [0.5, 2])
def test_held_out_truth(shared: Path, noise: str, ratio: float) -> None:
    for truth in np.load(shared / "solar" / "truth_niris_me6173.npy")[:, 0].astype(float):
        data = ratio * truth / truth.std() + make_noise(noise, truth.shape, 5)
        assert noise_sigma(data) == pytest.approx(1, rel=0.05 if noise == "white" else 0.1)


def test_fills_and_non_finite_pixels_do_not_count() -> None:
    data = make_noise("band 0.3 soft", (300, 300), 3)
    data[:60] = np.nan
    data[100:140, 100:200] = -200.0
    data[200, 7] = np.inf
    mask = np.zeros(data.shape, bool)
    mask[:, 280:] = True
    data[mask] = 1e4
    assert noise_sigma(data, mask) == pytest.approx(1, rel=0.1)


def test_map_of_the_noise_follows_it() -> None:
    rng = np.random.default_rng(0)
    truth = np.linspace(1, 3, 400)[None] * np.ones((300, 1))
    found = noise_map(truth * rng.standard_normal(truth.shape))
    assert found.shape == truth.shape
    assert np.abs(found / truth - 1).mean() < 0.1


@pytest.mark.parametrize("dtype", [">f4", np.float32, np.int16])
def test_any_real_type(dtype: object) -> None:
    data = (100 * np.random.default_rng(0).standard_normal((64, 70))).astype(dtype)
    assert noise_sigma(data) == pytest.approx(100, rel=0.08)


def test_sample_has_the_spectrum_and_strength_found() -> None:
    found = estimate(make_noise("band 0.3 varying", (256, 300), 3))
    again = estimate(sample(found, (256, 300), 0))
    assert again.sigma == pytest.approx(found.sigma, rel=0.05)
    assert again.cutoff == pytest.approx(found.cutoff, abs=0.03)
    assert np.corrcoef(again.coarse.ravel(), found.coarse.ravel())[0, 1] > 0.9


def test_estimate_says_how() -> None:
    found = estimate(make_noise("band 0.3 sharp", (256, 256), 3))
    assert found.cutoff == pytest.approx(0.3, abs=0.03)
    assert "cut-off at 0." in found.method


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.ones((64, 64)), "constant"),
        (np.full((64, 64), np.nan), "no finite pixel"),
        (np.zeros((8, 200)), "too small"),
        (np.zeros(8), "two axes"),
        (
            np.where(
                np.indices((128, 128)).sum(0) == 0, np.float32(1e30), make_noise("white", (128, 128), 3).astype("f4")
            ),
            "set bad pixels to NaN",
        ),
        (np.indices((64, 64)).sum(0) % 2 * 1.0, "no noise that could be told"),
        (np.zeros((64, 64), complex), "real numbers"),
    ],
)
def test_maps_without_noise_are_refused(data: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        noise_sigma(data)


@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_values_whose_squares_no_number_holds_are_refused(unit: float) -> None:
    with pytest.raises(InputError, match="whose squares no number holds; multiply or divide"):
        noise_sigma(np.random.default_rng(0).normal(0, unit, (64, 64)))
