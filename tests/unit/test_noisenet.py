"""The small network that has its say on the noise level: what it sees, and how right it is."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scenes import make_noise, make_truth
from solardn.noisenet import tell, weights
from solardn.tokens import SIZE, Tokens, tokens

SHAPE = (256, 288)


def seen(data: np.ndarray, valid: np.ndarray | None = None) -> Tokens:
    found = tokens(data, np.ones(data.shape, bool) if valid is None else valid)
    assert found is not None
    return found


def test_a_factor_on_the_map_is_a_factor_on_the_level() -> None:
    data = 4 * make_truth("plage", SHAPE, 1) + make_noise("band 0.3 soft", SHAPE, 1)
    one, other = seen(data), seen(1e-3 * data)
    np.testing.assert_allclose(one.features, other.features, atol=1e-4)
    assert tell(other).sigma == pytest.approx(1e-3 * tell(one).sigma, rel=1e-3)


def test_the_sign_and_an_offset_do_not_count() -> None:
    data = 4 * make_truth("plage", SHAPE, 1) + make_noise("white", SHAPE, 1)
    np.testing.assert_allclose(seen(data).features, seen(7 - data).features, atol=1e-4)


@pytest.mark.parametrize("truth", ["plage", "sunspot", "points", "filaments"])
@pytest.mark.parametrize("noise", ["white", "band 0.3 soft", "band 0.5 sharp"])
@pytest.mark.parametrize("ratio", [0.5, 2, 8])
def test_level_by_the_network_alone(truth: str, noise: str, ratio: float) -> None:
    told = tell(seen(ratio * make_truth(truth, SHAPE, 6) + make_noise(noise, SHAPE, 6)))
    assert told.sigma == pytest.approx(1, rel=0.15)
    assert np.median(told.coarse) == pytest.approx(1, rel=0.15)


def test_it_knows_where_noise_is_strong() -> None:
    strength = np.linspace(1, 3, SHAPE[1])[None] * np.ones((SHAPE[0], 1))
    told = tell(seen(strength * make_noise("white", SHAPE, 2) + 2 * make_truth("sunspot", SHAPE, 2)))
    columns = seen(strength).columns + SIZE / 2
    expected = np.interp(columns, np.arange(SHAPE[1]), strength[0])
    assert np.median(np.abs(told.coarse / expected - 1)) < 0.1


def test_it_is_less_sure_of_what_may_be_signal() -> None:
    noise = make_noise("band 0.3 soft", SHAPE, 3)
    assert tell(seen(noise)).error < 0.05
    assert tell(seen(noise + 20 * make_truth("points", SHAPE, 3, np.inf))).error > 1.5 * tell(seen(noise)).error


def test_fills_are_not_seen() -> None:
    data = make_noise("white", SHAPE, 4)
    valid = np.ones(SHAPE, bool)
    valid[:70] = False
    spoilt = np.where(valid, data, 1e6)
    np.testing.assert_array_equal(seen(spoilt, valid).features, seen(data, valid).features)
    assert not seen(data, valid).used[0].any()
    assert tell(seen(spoilt, valid)).sigma == pytest.approx(1, rel=0.05)


def test_nothing_is_seen_of_a_map_without_power() -> None:
    assert tokens(np.zeros((64, 64)), np.ones((64, 64), bool)) is None
    assert tokens(np.zeros((64, 64)), np.zeros((64, 64), bool)) is None


def test_the_weights_are_small() -> None:
    assert sum(one.nbytes for one in weights().values()) < 300_000
