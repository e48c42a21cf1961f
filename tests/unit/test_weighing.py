"""Two noise levels weighed against each other by what the map looks like."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scenes import make_noise, make_truth
from solardn.noise import both, estimate, noise_sigma
from solardn.weighing import Views, weigh, weights

SHAPE = (256, 256)


def views(data: np.ndarray) -> Views:
    seen, _ = both(data)
    assert seen is not None
    return seen


def test_a_factor_and_an_offset_on_the_map_change_nothing_that_is_seen() -> None:
    data = 4 * make_truth("plage", SHAPE, 1) + make_noise("band 0.3 soft", SHAPE, 1)
    np.testing.assert_allclose(views(data).features, views(7 - 1e-3 * data).features, atol=0.02)


def test_the_level_lies_between_the_two() -> None:
    data = 8 * make_truth("full plage", SHAPE, 2) + make_noise("band 0.2 sharp", SHAPE, 2)
    seen = views(data)
    level, coarse = weigh(seen)
    least, most = sorted((seen.level, seen.told))
    assert least <= level <= most
    assert coarse.shape == seen.coarse.shape
    assert (coarse > 0).all()


@pytest.mark.parametrize(("truth", "ratio"), [("network", 2), ("full plage", 8), ("powerlaw", 2), ("granules", 2)])
def test_noise_that_ends_sharply_under_signals_everywhere(truth: str, ratio: float) -> None:
    signal = make_truth("plage" if truth == "network" else truth, SHAPE, 5)
    assert noise_sigma(ratio * signal + make_noise("band 0.2 sharp", SHAPE, 5)) == pytest.approx(1, rel=0.2)


def test_the_windows_agree_with_the_level() -> None:
    found = estimate(4 * make_truth("plage", SHAPE, 3) + make_noise("band 0.3 soft", SHAPE, 3))
    assert np.sqrt(np.mean(found.coarse**2)) == pytest.approx(found.sigma, rel=0.05)
    assert "weighed with what a network tells" in found.method


def test_a_small_map_keeps_what_its_spectra_say() -> None:
    data = make_noise("white", (20, 200), 1)
    assert both(data)[0] is None
    assert "network" not in estimate(data).method


def test_the_weights_are_small() -> None:
    assert sum(one.nbytes for one in weights().values()) < 600_000
