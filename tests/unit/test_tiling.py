"""Tiles give what the whole map gives, whatever the sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solardn import tiling
from solardn.card import Card
from solardn.errors import InputError
from solardn.tiling import Float

MULTIPLES = (1, 2, 4, 8)


def card(multiple: int, radius: int, min_size: int = 1) -> Card:
    return Card("stencil", halo=radius + multiple - 1, multiple=multiple, min_size=min_size, input_sigma=1.0)


def stencil(multiple: int, radius: int) -> tiling.Network:
    """Stand in for a network: maxima of blocks, summed over a square, with zeros beyond the window; whole numbers, so exact."""

    def run(window: Float, origin: tuple[int, int]) -> Float:
        assert origin[0] % multiple == origin[1] % multiple == 0
        height, width = window.shape
        blocks = window.reshape(height // multiple, multiple, width // multiple, multiple).max(axis=(1, 3))
        padded = np.pad(blocks.repeat(multiple, 0).repeat(multiple, 1), radius)
        views = np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1, 2 * radius + 1))
        return np.stack([views.sum(axis=(2, 3), dtype=np.float32), window])

    return run


@st.composite
def cases(draw: st.DrawFn) -> tuple[Float, Card, int, int, int]:
    multiple, radius = draw(st.sampled_from(MULTIPLES)), draw(st.integers(0, 9))
    shape = draw(st.tuples(st.integers(1, 200), st.integers(1, 200)))
    seed = draw(st.integers(0, 99))
    plane = np.random.default_rng(seed).integers(-1000, 1000, shape).astype(np.float32)
    return plane, card(multiple, radius), radius, draw(st.integers(1, 120)), draw(st.integers(1, 5))


@given(cases())
def test_tiles_give_what_the_whole_map_gives(case: tuple[Float, Card, int, int, int]) -> None:
    plane, needs, radius, tile, workers = case
    network = stencil(needs.multiple, radius)
    whole = tiling.run_tiled(network, plane, needs, tile=10_000, layers=2)
    tiled = tiling.run_tiled(network, plane, needs, tile, workers, layers=2)
    assert whole.shape == (2, *plane.shape)
    np.testing.assert_array_equal(tiled, whole)
    np.testing.assert_array_equal(tiled[1], plane)


@given(
    shape=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    multiple=st.sampled_from(MULTIPLES),
    halo=st.integers(0, 60),
    tile=st.integers(1, 300),
    workers=st.integers(1, 9),
)
def test_plans_cover_each_pixel_once_with_windows_of_one_shape(
    shape: tuple[int, int], multiple: int, halo: int, tile: int, workers: int
) -> None:
    needs = Card("any", halo=halo, multiple=multiple, min_size=1, input_sigma=1.0)
    height, width = (multiple * n for n in shape)
    parts = tiling.plan((height, width), needs, tile, workers)
    times = np.zeros((height, width), int)
    for part in parts:
        times[part.y.core, part.x.core] += 1
        for span, length in ((part.y, height), (part.x, width)):
            assert 0 <= span.start <= span.first < span.last <= span.stop <= length
            assert span.start % multiple == span.stop % multiple == 0
            assert span.start == 0 or span.first - span.start >= tiling.margin(needs)
            assert span.stop == length or span.stop - span.last >= tiling.margin(needs)
    assert (times == 1).all()
    assert len({part.shape for part in parts}) == 1


@given(shape=st.tuples(st.integers(1, 60), st.integers(1, 600)), tile=st.integers(1, 64), workers=st.integers(1, 9))
def test_windows_are_never_small_unless_the_map_is(shape: tuple[int, int], tile: int, workers: int) -> None:
    needs = card(multiple=4, radius=3)
    height, width = (4 * n for n in shape)
    high, wide = tiling.plan((height, width), needs, tile, workers)[0].shape
    assert (high // 4) * (wide // 4) >= 256 or (high, wide) == (height, width)


def test_maps_smaller_than_the_padding_are_reflected() -> None:
    plane = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    padded = tiling.pad(plane, card(multiple=8, radius=0))
    assert padded.shape == (8, 8)
    np.testing.assert_array_equal(padded[0], [1, 2, 3, 2, 1, 2, 3, 2])
    np.testing.assert_array_equal(padded[:, 0], [1, 4, 1, 4, 1, 4, 1, 4])


def test_too_small_a_map_is_refused_with_its_shape_and_the_smallest() -> None:
    with pytest.raises(InputError, match=r"7×30 pixels.*at least 8×8"):
        tiling.pad(np.zeros((7, 30), np.float32), card(multiple=4, radius=1, min_size=8))


def test_cuts_are_finer_with_more_workers() -> None:
    needs = card(multiple=4, radius=12)
    assert len(tiling.plan((1000, 1000), needs, tile=2000)) == 1
    assert len(tiling.plan((1000, 1000), needs, tile=2000, workers=2)) == 2
    assert len(tiling.plan((1000, 1000), needs, tile=2000, workers=4)) == 4


def test_a_margin_as_wide_as_the_window_leaves_a_tile() -> None:
    from solardn.spans import along
    from solardn.tiling import _plan

    tiles = _plan((464, 512), 16, 176, 256, 1, 352 * 464)
    assert sum(len(range(tile.y.first, tile.y.last)) * (tile.x.last - tile.x.first) for tile in tiles) == 464 * 512
    assert along(464, 176, 16, 16, 256, 1)
