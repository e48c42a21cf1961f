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

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .card import Card
from .errors import InputError
from .spans import Span, along, round_up
from .workers import run_all

Float = NDArray[np.float32]
Network = Callable[[Float, tuple[int, int]], Float]
"""From a window (y, x) and its origin (row, column) in the map to results (layer, y, x)."""

_LEAST_BLOCKS = 16
"""Blocks of ``multiple`` pixels along each side of the smallest window; as an area, for maps that are thinner than that.

onnxruntime's matrix product changes its order of summation where it has 64 columns or fewer, which here are the blocks of a window.
"""

_PIXELS_A_RUN = 1000  # what one more run costs, whatever its size

_THINNEST = 4  # a window bounded by its area is at most so many times as wide as high: longer ones are mostly margin


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


def margin(card: Card) -> int:
    """Return the pixels around a tile that the network must see, a multiple of the card's ``multiple``."""
    return round_up(card.halo, card.multiple)


def least_window(card: Card) -> int:
    """Return height and width of the smallest square window, in pixels."""
    return _LEAST_BLOCKS * card.multiple


def threads_within(window: Sequence[int], card: Card, threads: int) -> int:
    """Return how many threads may share a run on a window (..., height, width) and leave its bits alone: each has enough blocks to itself."""
    blocks = (window[-2] // card.multiple) * (window[-1] // card.multiple)
    return max(1, min(threads, blocks // _LEAST_BLOCKS**2))


def work(tiles: Sequence[Tile], workers: int = 1) -> int:
    """Return what the busiest worker computes, in pixels."""
    return -(-len(tiles) // workers) * (math.prod(tiles[0].shape) + _PIXELS_A_RUN)


def plan(
    shape: tuple[int, int], card: Card, tile: int, workers: int = 1, pixels: int | None = None
) -> tuple[Tile, ...]:
    """Return the tiles of a map, row by row; all of them of one shape.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the map in pixels, multiples of the card's ``multiple``.
    card : Card
        The network's needs.
    tile : int
        The most pixels kept along each side of a tile that has margins all around.
    workers : int
        Tiles worked on at once. With more than one, the map is cut finer where that ends sooner.
    pixels : int, optional
        The most pixels of a window, which bound it instead of `tile` where that leaves less to compute.
    """
    return _plan(shape, card.multiple, margin(card), round_up(tile, card.multiple), workers, pixels or 0)


@lru_cache(maxsize=64)
def _plan(shape: tuple[int, int], multiple: int, edge: int, tile: int, workers: int, pixels: int) -> tuple[Tile, ...]:
    """Return the cut with the least work for the busiest worker; all numbers in pixels but the last are multiples of `multiple`."""

    def cuts(axis: int, most: int, more: int = workers) -> list[list[Span]]:
        length, across = shape[axis], shape[1 - axis]
        least = multiple * max(_LEAST_BLOCKS, -(-(_LEAST_BLOCKS**2) * multiple // across))
        return along(length, edge, multiple, max(most, least - 2 * edge, multiple), least, more)

    found = list(product(cuts(0, tile), cuts(1, tile)))
    for rows in cuts(0, shape[0], shape[0] // multiple) if pixels else ():
        high = rows[0].stop
        wide = min(pixels // high, shape[1])
        if wide > _THINNEST * high and wide < shape[1]:
            break
        across = cuts(1, wide - 2 * edge if wide < shape[1] else wide)
        found += [(rows, columns) for columns in across if high * columns[0].stop <= pixels]

    def busiest(cut: tuple[list[Span], list[Span]]) -> int:
        rounds = -(-len(cut[0]) * len(cut[1]) // workers)
        return rounds * (cut[0][0].stop * cut[1][0].stop + _PIXELS_A_RUN)

    rows, columns = min(found, key=busiest)
    return tuple(Tile(y, x) for y in rows for x in columns)


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


def run_tiled(
    network: Network,
    plane: Float,
    card: Card,
    tile: int,
    workers: int = 1,
    layers: int = 1,
    pixels: int | None = None,
) -> Float:
    """Run a network on a map in tiles; the result does not depend on the tiles.

    Parameters
    ----------
    network : callable
        From a window (y, x) and its origin in the map to results (layer, y, x). With several workers it is called from several threads.
    plane : ndarray of float32
        The map (y, x), of any size from the card's smallest, all of it finite.
    card : Card
        The network's needs.
    tile, workers, pixels
        As for `plan`.
    layers : int
        How many results the network gives.

    Returns
    -------
    ndarray of float32
        The results (layer, y, x) for the whole map.

    Raises
    ------
    InputError
        The map is smaller than the network's smallest.
    """
    padded = pad(plane, card)
    height, width = plane.shape
    parts = plan((padded.shape[0], padded.shape[1]), card, tile, workers, pixels)
    if len(parts) == 1:
        return network(padded, (0, 0))[:, :height, :width]
    result = np.empty((layers, *padded.shape), np.float32)

    def keep(part: Tile) -> None:
        given = network(padded[part.y.window, part.x.window], part.origin)
        result[:, part.y.core, part.x.core] = given[:, part.y.inner, part.x.inner]

    run_all(keep, parts, workers)
    return result[:, :height, :width]
