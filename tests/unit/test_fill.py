"""Pixels without values get smooth ones from around them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solardn.fill import fill


@given(height=st.integers(1, 40), width=st.integers(1, 40), share=st.floats(0, 1), seed=st.integers(0, 999))
def test_holes_get_values_between_those_around_and_the_rest_stays(
    height: int, width: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    plane = rng.normal(size=(height, width)).astype(np.float32)
    good = rng.random(plane.shape) >= share
    good.flat[rng.integers(good.size)] = True
    filled = fill(np.where(good, plane, np.nan), good)
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled[good], plane[good])
    slack = 1e-5
    assert plane[good].min() - slack <= filled.min() <= filled.max() <= plane[good].max() + slack


def test_a_gradient_goes_on_through_a_hole() -> None:
    plane = np.broadcast_to(np.arange(64, dtype=np.float32), (64, 64))
    good = np.ones(plane.shape, bool)
    good[24:40, 24:40] = False
    assert np.abs(fill(plane, good) - plane).max() < 6


def test_filling_makes_no_steps() -> None:
    plane = np.zeros((64, 64), np.float32)
    plane[:, :8] = 100
    good = np.zeros(plane.shape, bool)
    good[:, :8] = good[:, -8:] = True
    across = fill(plane, good)[32]
    assert np.abs(np.diff(across[8:-8])).max() < 15


def test_one_good_pixel_fills_a_whole_map() -> None:
    plane = np.full((33, 70), np.nan, np.float32)
    plane[20, 5] = 3
    np.testing.assert_allclose(fill(plane, np.isfinite(plane)), 3, rtol=1e-6)


def test_the_input_stays_as_it_is() -> None:
    plane = np.array([[1, np.nan], [np.inf, 4]], np.float32)
    before = plane.copy()
    fill(plane, np.isfinite(plane))
    np.testing.assert_array_equal(plane, before)


@pytest.mark.parametrize("value", [1e30, -3e38])
def test_large_values_do_not_overflow(value: float) -> None:
    plane = np.full((5, 5), value, np.float32)
    good = np.ones(plane.shape, bool)
    good[2, 2] = False
    assert np.isfinite(fill(plane, good)).all()
