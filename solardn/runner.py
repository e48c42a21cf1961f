"""How the work is shared out: tiles of a map, maps of a stack, and samples, within the memory and over the threads."""

from __future__ import annotations

import logging
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Literal, TypeVar

from numpy.typing import NDArray

from . import tiling
from .arrays import Float, whole
from .calling import outside
from .engine import Engine
from .errors import OptionError
from .failure import OutOfMemory
from .memory import Share, demand, sampling_share, shares, speed_of
from .spans import Span, round_up

T = TypeVar("T")
R = TypeVar("R")

logger = logging.getLogger("solardn")


def _shared(work: Callable[[int, Share], R], share: Share, number: int) -> R:
    return work(number, share)


class Runner:
    """What runs a network over maps of any size and number.

    Parameters
    ----------
    engine : Engine
        The network.
    memory : int
        What all runs at once may take, in bytes.
    tile : int or "auto"
        The most pixels kept along each side of a tile.

    Raises
    ------
    OptionError
        The tile is nonsense, or the memory does not suffice for the smallest one.
    """

    def __init__(self, engine: Engine, memory: int, tile: int | Literal["auto"]) -> None:
        self.engine = engine
        self.card = engine.model.card
        self.demand = demand(engine.model)
        self._memory = memory
        self._most = None if tile == "auto" else self._checked_tile(tile)
        shares(memory, self.demand.bytes(), self.card, threads=1)  # refuses too small a budget before anything is begun

    @contextmanager
    def beside(self, other: int) -> Iterator[None]:
        """Leave so many bytes of the memory to others meanwhile.

        Raises
        ------
        OptionError
            What is left does not suffice for the smallest tile.
        """
        shares(self._memory - other, self.demand.bytes(), self.card, threads=1)
        self._memory -= other
        try:
            yield
        finally:
            self._memory += other

    def limits(self) -> Share:
        """Return what the memory allows for one run at once, which has all threads."""
        return self._shares(self.engine.at_once)[0]

    def sampling_limits(self, shape: tuple[int, ...]) -> Share:
        """Return what the memory allows for samples of a map of this shape: also how many of them go together."""
        if len(shape) != 2:  # no map: it is refused when it is worked on
            return self.limits()
        padded, at_once = self._padded(shape), self.engine.at_once
        found = sampling_share(self._memory, self.demand, self.card, padded, at_once).bounded(self._most)
        return replace(found, threads=at_once // found.runs)

    def fastest(self, shape: tuple[int, ...], maps: int) -> tuple[Share, int]:
        """Return how maps of one shape are done soonest, and how many of them at once.

        Whole maps side by side have one run each, and no margin is computed twice where they fit. Threads within a run lose a little, but
        leave all the memory to it. Results depend on none of that.

        Parameters
        ----------
        shape : tuple of int
            Height and width of each map.
        maps : int
            How many there are to do.
        """
        padded, found = self._padded(shape), []
        for way in self._shares(self.engine.at_once):
            for at_once, workers in {(1, way.runs), (way.runs, 1)}:
                if at_once <= maps:
                    tiles = tiling.plan(padded, self.card, way.tile, workers, way.pixels)
                    speed = speed_of(self.engine.within(tiles[0].shape, way.threads))
                    found.append((tiling.work(tiles, workers) / speed / at_once, way.runs, at_once, way))
        _, runs, at_once, way = min(found, key=lambda one: one[:3])
        return replace(way, runs=runs // at_once), at_once

    def rows(self, shape: tuple[int, int], share: Share) -> list[Span]:
        """Return how a map is cut along its height, so that a strip of its rows is one row of tiles."""
        now = share.bounded(self._most)
        tiles = tiling.plan(self._padded(shape), self.card, now.tile, now.runs, now.pixels)
        return list(dict.fromkeys(tile.y for tile in tiles))

    def tiled(self, network: tiling.Network, units: Float, share: Share, layers: int = 1) -> Float:
        """Run a function over the tiles of a map, in smaller ones when the device's memory does not suffice."""
        while True:
            now = share.bounded(self._most)
            try:
                return tiling.run_tiled(network, units, self.card, now.tile, now.runs, layers, now.pixels)
            except OutOfMemory as error:
                self._use_smaller(now, units.shape, error)

    def each_map(self, work: Callable[[int, Share], R], planes: Sequence[NDArray[Any]]) -> Iterator[R]:
        """Yield what a function makes of the number of each map and its share of the machine, in the order of the maps."""
        done, shape = 0, planes[0].shape if len(planes) else ()
        while done < len(planes):
            # What is no map is refused when it is its turn.
            share, at_once = self.fastest(shape, len(planes) - done) if len(shape) == 2 else (self.limits(), 1)
            following = range(done, done + (len(planes) - done) // at_once * at_once)
            yield from self._together(partial(_shared, work, share), following, at_once)
            done = following.stop

    def each(self, work: Callable[[T, int], R], items: Sequence[T], threads: int) -> Iterator[R]:
        """Yield what a function makes of each item, several at once with one thread each; those left at the end have all threads."""
        together = len(items) // threads * threads
        yield from self._together(lambda item: work(item, 1), items[:together], threads)
        yield from (work(item, threads) for item in items[together:])

    def _together(self, work: Callable[[T], R], items: Sequence[T], at_once: int) -> Iterator[R]:
        """Yield what a function makes of each item, so many at once."""
        if at_once == 1:
            yield from map(work, items)
            return
        with ThreadPoolExecutor(at_once, "solardn") as pool:
            try:
                pending = deque(pool.submit(work, item) for item in items)
                while pending:
                    yield pending.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _shares(self, threads: int) -> list[Share]:
        found = shares(self._memory, self.demand.bytes(), self.card, threads)
        return [way.bounded(self._most) for way in found]

    def _use_smaller(self, share: Share, shape: tuple[int, ...], error: OutOfMemory) -> None:
        """Halve the tile after it did not fit, until the windows of the map become smaller; where they cannot, the error stands."""
        tile = smaller = min(share.tile, max(shape))
        while self._window(shape, share.bounded(smaller)) == self._window(shape, share):
            tried, smaller = smaller, round_up(smaller // 2, self.card.multiple)
            if smaller >= tried:
                raise error
        if self._most is None or self._most > smaller:  # else another thread was faster
            message = f"{error}: going on with tiles of {smaller} pixels instead of {tile}"
            logger.warning(message)
            warnings.warn(message, stacklevel=outside())
            self._most = smaller

    def _window(self, shape: tuple[int, ...], share: Share) -> tuple[int, int]:
        return tiling.plan(self._padded(shape), self.card, share.tile, share.runs, share.pixels)[0].shape

    def _padded(self, shape: tuple[int, ...]) -> tuple[int, int]:
        height, width = (round_up(size, self.card.multiple) for size in shape)
        return height, width

    def _checked_tile(self, tile: int) -> int:
        least = round_up(self.card.min_size, self.card.multiple)
        tile = whole(tile, "tile", 1)
        if tile < least:
            raise OptionError(f"tile is {tile}; network {self.card.name!r} needs at least {least}")
        return round_up(tile, self.card.multiple)
