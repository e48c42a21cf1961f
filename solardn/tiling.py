"""A map cut into tiles with margins, and put together again, bit for bit what the whole map gives.

Along each axis (``core`` is kept, ``margin`` is only there for the network to see)::

    |<------ window ------>|
    [core        ][ margin ]                      first tile: no margin at the map's edge,
         [ margin ][core][ margin ]               where the network's own padding acts
                     [ margin ][        core]     as it does on the whole map

Three rules make the tiles exact. Windows begin at multiples of the card's ``multiple``, so that pooling sees the same phase. The
margin is the card's ``halo``, rounded up to that multiple. All windows of a map have one shape and are not small, because kernels
of a runtime may sum in another order for small or thin arrays; the last window is moved back into the map rather than cut short.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .card import Card
from .errors import InputError

Float = NDArray[np.float32]
Network = Callable[[Float, tuple[int, int]], Float]
"""From a window (y, x) and its origin (row, column) in the map to a result (..., y, x)."""

_LEAST_BLOCKS = 16
"""Blocks of ``multiple`` pixels along each side of the smallest window (as an area, for maps that are thinner than that)."""


@dataclass(frozen=True)
class Span:
    """One tile along one axis: the window is ``start:stop`` of the map, of which ``first:last`` is kept."""

    start: int
    stop: int
    first: int
    last: int

    @property
    def window(self) -> slice:
        """What the network sees, in pixels of the map."""
        return slice(self.start, self.stop)

    @property
    def core(self) -> slice:
        """What is kept, in pixels of the map."""
        return slice(self.first, self.last)

    @property
    def inner(self) -> slice:
        """What is kept, in pixels of the window."""
        return slice(self.first - self.start, self.last - self.start)


@dataclass(frozen=True)
class Tile:
    """A rectangle of the padded map."""

    y: Span
    x: Span

    @property
    def origin(self) -> tuple[int, int]:
        """Row and column of the window's first pixel in the map."""
        return self.y.start, self.x.start

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the window."""
        return self.y.stop - self.y.start, self.x.stop - self.x.start


def round_up(pixels: int, multiple: int) -> int:
    """Return the smallest multiple of `multiple` that is not below `pixels`."""
    return -(-pixels // multiple) * multiple


def margin(card: Card) -> int:
    """Return the pixels around a tile that the network must see, a multiple of the card's ``multiple``."""
    return round_up(card.halo, card.multiple)


def plan(shape: tuple[int, int], card: Card, tile: int) -> list[Tile]:
    """Return the tiles of a map, row by row; all of them of one shape.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the map in pixels, multiples of the card's ``multiple``.
    card : Card
        The network's needs.
    tile : int
        Pixels kept along each side of a tile that has margins all around; rounded up to the card's ``multiple``.
    """
    height, width = shape
    blocks_high, blocks_wide = height // card.multiple, width // card.multiple
    least_y, least_x = (
        card.multiple * max(_LEAST_BLOCKS, -(-(_LEAST_BLOCKS**2) // across)) for across in (blocks_wide, blocks_high)
    )
    rows = _cut(height, card, max(tile, least_y - 2 * margin(card)))
    columns = _cut(width, card, max(tile, least_x - 2 * margin(card)))
    return [Tile(y, x) for y in rows for x in columns]


def _cut(length: int, card: Card, tile: int) -> list[Span]:
    """Cut one axis into the fewest spans of one length whose cores have at most `tile` pixels."""
    edge = margin(card)
    core = round_up(tile, card.multiple)
    if length <= core + 2 * edge:
        return [Span(0, length, 0, length)]
    count = -(-(length - 2 * edge) // core)
    core = round_up(-(-(length - 2 * edge) // count), card.multiple)
    window = core + 2 * edge
    starts = [*range(0, length - window, core), length - window]
    lasts = [*(start + edge + core for start in starts[:-1]), length]
    return [
        Span(start, start + window, first, last)
        for start, first, last in zip(starts, [0, *lasts[:-1]], lasts, strict=True)
    ]


def pad(plane: Float, card: Card) -> Float:
    """Return a map (y, x) extended by reflection at its bottom and right to multiples of the card's ``multiple``.

    Raises
    ------
    InputError
        The map is smaller than the network's smallest.
    """
    height, width = plane.shape
    if min(height, width) < card.min_size:
        raise InputError(
            f"a map of {height}×{width} pixels is too small for network {card.name!r}, which needs at least {card.min_size}×{card.min_size}"
        )
    extra = [(0, round_up(size, card.multiple) - size) for size in plane.shape]
    return np.pad(plane, extra, mode="reflect") if any(after for _, after in extra) else plane


def run_tiled(network: Network, plane: Float, card: Card, tile: int) -> Float:
    """Run a network on a map in tiles; the result does not depend on the tiles.

    Parameters
    ----------
    network : callable
        From a window (y, x) and its origin in the map to a result of shape (..., y, x).
    plane : ndarray of float32
        The map (y, x), of any size from the card's smallest, all of it finite.
    card : Card
        The network's needs.
    tile : int
        Pixels kept along each side of a tile.

    Returns
    -------
    ndarray of float32
        The result (..., y, x) for the whole map.

    Raises
    ------
    InputError
        The map is smaller than the network's smallest.
    """
    padded = pad(plane, card)
    height, width = plane.shape
    parts = plan((padded.shape[0], padded.shape[1]), card, tile)
    if len(parts) == 1:
        return network(padded, (0, 0))[..., :height, :width]
    result = np.empty(0, np.float32)
    for part in parts:
        given = network(padded[part.y.window, part.x.window], part.origin)
        if not result.size:
            result = np.empty((*given.shape[:-2], *padded.shape), np.float32)
        result[..., part.y.core, part.x.core] = given[..., part.y.inner, part.x.inner]
    return result[..., :height, :width]
