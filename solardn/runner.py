"""How the work is shared out: tiles of a map, maps of a stack, and samples, within the memory and over the threads."""

from __future__ import annotations

import logging
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from numpy.typing import NDArray

from . import tiling
from .arrays import Float, whole
from .engine import Engine, OutOfMemory
from .errors import OptionError
from .memory import Share, demand, sampling_share, share

T = TypeVar("T")
R = TypeVar("R")

logger = logging.getLogger("solardn")


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
        share(memory, self.demand.bytes(), self.card, runs=1)  # refuses too small a budget before anything is begun

    def limits(self) -> Share:
        """Return what the memory allows: the tile, and the runs at once."""
        return share(self._memory, self.demand.bytes(), self.card, self.engine.at_once).bounded(self._most)

    def sampling_limits(self, shape: tuple[int, ...]) -> Share:
        """Return what the memory allows for samples of a map of this shape: also how many of them go together."""
        padded, at_once = self._padded(shape), self.engine.at_once
        return sampling_share(self._memory, self.demand, self.card, padded, at_once).bounded(self._most)

    def tiled(
        self,
        network: tiling.Network,
        units: Float,
        workers: int,
        limits: Callable[[], Share],
        layers: int = 1,
    ) -> Float:
        """Run a function over the tiles of a map, in smaller ones when the device's memory does not suffice."""
        while True:
            tile = limits().tile
            try:
                return tiling.run_tiled(network, units, self.card, tile, workers, layers)
            except OutOfMemory as error:
                self._use_smaller(tile, units.shape, error)

    def each_map(
        self, work: Callable[[int, int], R], planes: Sequence[NDArray[Any]], limits: Callable[[], Share]
    ) -> Iterator[R]:
        """Yield what a function makes of the number of each map and a number of workers, in the order of the maps.

        Where a map alone keeps fewer workers busy than there are, whole maps are worked on at once, one worker each: no margin is
        computed twice then.
        """
        if not len(planes):
            return
        allowed = limits()
        if planes[0].ndim == 2 and len(self._windows(planes[0].shape, allowed.tile)) >= allowed.runs:
            yield from (work(number, allowed.runs) for number in range(len(planes)))
        else:
            yield from self.each(work, range(len(planes)), allowed.runs)

    def each(self, work: Callable[[T, int], R], items: Sequence[T], runs: int) -> Iterator[R]:
        """Yield what a function makes of each item, several at once with one worker each; those left at the end have all workers."""
        together = len(items) // runs * runs
        with ThreadPoolExecutor(runs, "solardn") as pool:
            try:
                pending = deque(pool.submit(work, item, 1) for item in items[:together])
                while pending:
                    yield pending.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)
        yield from (work(item, runs) for item in items[together:])

    def _use_smaller(self, tile: int, shape: tuple[int, ...], error: OutOfMemory) -> None:
        """Halve the tile after it did not fit, unless that leaves the windows of the map as they are."""
        tile = min(tile, max(shape))
        smaller = tiling.round_up(tile // 2, self.card.multiple)
        if self._windows(shape, smaller)[0].shape == self._windows(shape, tile)[0].shape:
            raise error
        if self._most is None or self._most > smaller:  # else another thread was faster
            message = f"{error}: going on with tiles of {smaller} pixels instead of {tile}"
            logger.warning(message)
            warnings.warn(message, stacklevel=2)
            self._most = smaller

    def _windows(self, shape: tuple[int, ...], tile: int) -> Sequence[tiling.Tile]:
        return tiling.plan(self._padded(shape), self.card, tile)

    def _padded(self, shape: tuple[int, ...]) -> tuple[int, int]:
        height, width = (tiling.round_up(size, self.card.multiple) for size in shape)
        return height, width

    def _checked_tile(self, tile: int) -> int:
        least = tiling.round_up(self.card.min_size, self.card.multiple)
        if whole(tile, "tile", 1) < least:
            raise OptionError(f"tile is {tile}; network {self.card.name!r} needs at least {least}")
        return tiling.round_up(tile, self.card.multiple)
