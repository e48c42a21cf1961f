"""The residual of a map: noise passes, structure and wrong noise levels are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.scenes import filtered, make_noise, make_truth, radius
from solardn.diagnosis import diagnose
from solardn.errors import InputError
from solardn.inspection import line_of

SHAPE = (384, 384)
TRUTH = 2 * make_truth("plage", SHAPE, 3)
RNG = np.random.default_rng(5)


@pytest.mark.parametrize("kind", ["white", "band 0.3 soft", "band 0.3 varying"])
@pytest.mark.parametrize("truth", ["plage", "sunspot", "powerlaw"])
def test_noise_and_nothing_else_is_flat(kind: str, truth: str) -> None:
    result = 2 * make_truth(truth, SHAPE, 3)
    found = diagnose(result + make_noise(kind, SHAPE, 3), result)
    assert found.verdict == "flat"
    assert found.flat
    assert not found.structured
    assert found.ratio == pytest.approx(1, abs=0.1)
    assert found.beyond < 1e-4
    assert abs(found.correlation) < 0.03


@pytest.mark.parametrize("strength", [0.3, 1.0, 2.0, 8.0])
def test_the_best_estimate_is_flat_though_its_residual_correlates(strength: float) -> None:
    power = np.maximum(radius(SHAPE), 1 / 60) ** -3
    truth = filtered(np.random.default_rng(3).standard_normal(SHAPE), np.sqrt(power))
    power *= (strength / truth.std()) ** 2
    observation = strength / truth.std() * truth + make_noise("white", SHAPE, 4)
    found = diagnose(observation, filtered(observation, power / (1 + power)), 1.0)  # Wiener's filter
    assert found.flat
    assert found.taken == pytest.approx(1, abs=0.03)
    assert 0.04 < found.correlation < found.limit


@pytest.mark.parametrize("kept", [0.9, 0.95])
def test_a_part_of_a_strong_signal_that_is_taken_away_is_structure(kept: float) -> None:
    found = diagnose(4 * TRUTH + make_noise("band 0.3 soft", SHAPE, 3), kept * 4 * TRUTH)
    assert not found.flat
    assert found.linked
    assert found.taken > 1.05


def test_pixels_far_beyond_the_noise_are_told() -> None:
    noise = make_noise("white", SHAPE, 3)
    noise.ravel()[::1500] += 12
    assert "beyond 5 σ" in diagnose(noise, np.zeros(SHAPE), 1.0).verdict


@pytest.mark.parametrize(("count", "height"), [(1, 1000), (5, 100), (20, 100), (100, 1000)])
def test_a_few_bad_pixels_are_neither_structure_nor_noise(count: int, height: float) -> None:
    noise = make_noise("white", SHAPE, 3)
    noise.ravel()[:: noise.size // count] += height
    found = diagnose(4 * TRUTH + noise, 4 * TRUTH, 1.0)
    assert "bad pixels" in found.verdict
    noise[50:58, 60:68] += 10  # of that size they are structure
    assert "structure left" in diagnose(4 * TRUTH + noise, 4 * TRUTH, 1.0).verdict


def test_a_result_of_something_else_is_told() -> None:
    observation = 4 * TRUTH + make_noise("white", SHAPE, 3)
    other = 4 * make_truth("granules", SHAPE, 5)
    for result in (4000 * TRUTH, -4 * TRUTH, other, np.roll(4 * TRUTH, 2, axis=0)):
        assert "holds what the observation does not" in diagnose(observation, result).verdict


def test_a_constant_that_is_lost_is_told() -> None:
    observation = TRUTH + make_noise("band 0.3 soft", SHAPE, 3)
    assert "a mean of -0.3" in diagnose(observation, TRUTH + 0.3, 1.0).verdict
    assert "a mean of +9.0" in diagnose(observation, TRUTH - 9.0, 1.0).verdict
    assert diagnose(observation, TRUTH + 0.05, 1.0).flat


def test_structure_left_is_named_with_its_scale() -> None:
    blurred = filtered(TRUTH, np.exp(-((radius(SHAPE) / 0.05) ** 2)))
    found = diagnose(TRUTH + make_noise("band 0.3 soft", SHAPE, 3), blurred)
    assert found.verdict.startswith("structure left")
    assert "8–20 px" in found.verdict
    assert "--cycles 2" in found.verdict
    assert found.structured
    assert found.local_high > 1.4


def test_few_windows_do_not_make_structure_of_chance() -> None:
    flat = [diagnose(RNG.normal(size=(40, 40)), np.zeros((40, 40)), 1.0).flat for _ in range(40)]
    assert sum(flat) >= 39


def test_an_excess_that_is_even_over_the_field_may_come_of_smoothing() -> None:
    smooth = filtered(RNG.normal(size=SHAPE), np.exp(-((radius(SHAPE) / 0.18) ** 2)))
    assert ", or data smoothed before: try --cycles 2" in diagnose(smooth / smooth.std(), np.zeros(SHAPE), 1.0).verdict
    structure = diagnose(TRUTH + make_noise("white", SHAPE, 3), np.zeros(SHAPE), 1.0)
    assert "structure left" in structure.verdict
    assert "smoothed" not in structure.verdict


def test_one_small_patch_of_structure_does_not_come_of_smoothing() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    patch = 2 * TRUTH / TRUTH.std() * np.exp(-((y - 100) ** 2 + (x - 250) ** 2) / 20**2)
    found = diagnose(patch + make_noise("white", SHAPE, 3), np.zeros(SHAPE), 1.0)
    assert found.verdict.startswith("structure left")
    assert "smoothed" not in found.verdict


def test_what_was_done_is_not_advised_again() -> None:
    observation = TRUTH + make_noise("white", SHAPE, 3)
    assert diagnose(observation, np.zeros(SHAPE), 1.0, cycles=2).verdict.endswith(", also with --cycles 2")
    assert diagnose(observation, np.zeros(SHAPE), 1.0, cycles="auto").verdict.endswith(", also with --cycles auto")


def test_bands_of_several_maps_go_together_by_their_scales() -> None:
    whole = diagnose(TRUTH + make_noise("white", SHAPE, 3), TRUTH)
    fewer = replace(whole, bands=tuple(replace(band, ratio=9.0) for band in whole.bands[1:]))
    found = line_of(("", 0), [((0,), fewer), ((1,), whole)]).figures.bands
    assert [band.smallest for band in found] == [20, 8, 4, 1]
    assert found[0].ratio == whole.bands[0].ratio
    assert found[1].ratio == pytest.approx((9 + whole.bands[1].ratio) / 2)


def test_windows_that_are_only_noisier_hold_no_structure() -> None:
    noise = make_noise("band 0.3 soft", SHAPE, 3)
    noise[:100, :150] *= 2.5
    assert not diagnose(noise, np.zeros(SHAPE), sigma=1.0).bands[1].loud


@pytest.mark.parametrize(
    ("factor", "words"), [(0.5, "σ over-estimated or data smoothed before"), (1.5, "σ under-estimated")]
)
def test_wrong_noise_level(factor: float, words: str) -> None:
    noise = make_noise("white", SHAPE, 3)
    assert words in diagnose(TRUTH + noise, TRUTH, sigma=1 / factor).verdict


def test_other_verdicts() -> None:
    noise = make_noise("white", SHAPE, 3)
    assert "nothing was taken away" in diagnose(TRUTH + noise, TRUTH + noise).verdict
    counts = np.round(1000 + 100 * noise)
    assert "check the units" in diagnose(counts, np.full(SHAPE, 1000.0)).verdict
    crosstalk = make_truth("granules", SHAPE, 1)
    found = diagnose(noise + 0.1 * crosstalk, np.zeros(SHAPE), intensity=crosstalk)
    assert found.correlation_intensity == pytest.approx(0.1, abs=0.02)
    assert "intensity" in found.verdict


def test_non_finite_pixels_do_not_count() -> None:
    observation, result = TRUTH + make_noise("white", SHAPE, 3), TRUTH.copy()
    observation[:40], result[50, 50] = np.nan, np.inf
    found = diagnose(observation, result)
    assert found.verdict == "flat"
    assert np.isfinite(found.residual_rms)


def test_what_cannot_be_compared() -> None:
    noise = make_noise("white", SHAPE, 3)
    with pytest.raises(InputError, match="not of one map"):
        diagnose(noise, noise[1:])
    with pytest.raises(InputError, match="positive"):
        diagnose(noise, noise, sigma=0.0)
    with pytest.raises(InputError, match="in common"):
        diagnose(noise, np.full(SHAPE, np.nan))
    with pytest.raises(InputError, match="they must agree"):
        diagnose(noise, noise * 0, intensity=noise[1:])
