"""Maps too large to be held several times: denoised in strips of rows from file to file, bit for bit what the whole map gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrays import Float, as_float32
from .cube import Batch
from .inspector import middle
from .io import Sink
from .maps import mean_of
from .plan import Plan
from .processes import Denoising
from .runner import Runner
from .stages import MAPS, NETWORK, OUTPUT, Stages
from .summary import Residual
from .units import prepare
from .work import Work

SHARE = 8
"""Maps of more than this part of the memory, in float32, are denoised in strips."""

Read = Callable[[slice], NDArray[np.floating]]
"""Returns some rows of a map."""


def denoised_strips(
    runner: Runner, read: Read, shape: tuple[int, int], scale: float
) -> Iterator[tuple[slice, Float, Float]]:
    """Yield a map without holes strip by strip: which rows, how they were, and how they are denoised.

    Parameters
    ----------
    runner : Runner
    read : callable
        Returns rows of the map, all of them finite.
    shape : (int, int)
        Height and width, pixels.
    scale : float
        Factor from the data's units to the network's.
    """
    share, _ = runner.fastest(shape, 1)
    for span in runner.rows(shape, share):
        stop, last = min(span.stop, shape[0]), min(span.last, shape[0])
        data = as_float32(read(slice(span.start, stop)))
        prepared = prepare(data, scale)
        found = runner.tiled(mean_of(runner.engine, share), prepared.units, share)[0]
        result = prepared.restored(prepared.checked(found, runner.card.name))
        inner = slice(span.first - span.start, last - span.start)
        yield slice(span.first, last), data[inner], result[inner]


@dataclass(frozen=True)
class Strips:
    """Takes large maps from a file into a sink.

    Parameters
    ----------
    plan : Plan
    sink : Sink
    work : Work
        Which takes note of each map.
    process : Denoising
    runner : Runner
    stages : Stages
    """

    plan: Plan
    sink: Sink
    work: Work
    process: Denoising
    runner: Runner
    stages: Stages

    def __call__(self, batch: Batch) -> bool:
        """Treat one map; return False, and do nothing, where it must be taken as a whole: it has pixels without value, or its noise is made even."""
        (index,) = batch.indices
        sigma = self.work.plain_sigma(index)
        if sigma is None:
            return False
        residual, looked = Residual(), _Middle(self.plan.cube.map_shape)
        with self.stages(MAPS):
            for rows, before, after in self._strips(batch, sigma):
                residual.add(before, after)
                looked.add(rows, before, after)
                with self.stages(OUTPUT):
                    images = [after, *self.process.beside(before, after, None)]
                    for layer, image in enumerate(images):
                        block = self.plan.cube.to_block(image[np.newaxis])
                        self.sink.write(layer, self._selection(batch, rows), block)
        self.work.note_large(index, sigma, residual.rms, looked.before, looked.after)
        return True

    def _strips(self, batch: Batch, sigma: float) -> Iterator[tuple[slice, Float, Float]]:
        def read(rows: slice) -> NDArray[np.floating]:
            block = self.plan.source.read(self._selection(batch, rows))
            part: NDArray[np.floating] = self.plan.cube.to_maps(block)[0]
            return part

        strips = denoised_strips(self.runner, read, self.plan.cube.map_shape, self.runner.card.input_sigma / sigma)
        while True:
            with self.plan.naming(batch.indices[0]), self.stages(NETWORK):
                strip = next(strips, None)
            if strip is None:
                return
            yield strip

    def _selection(self, batch: Batch, rows: slice) -> tuple[int | slice, ...]:
        parts = list(batch.selection)
        parts[self.plan.cube.y] = rows
        return tuple(parts)


class _Middle:
    """The middle of a map, gathered from its strips."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._y, self._x = middle(shape)
        self.before, self.after = np.empty((2, self._y.stop - self._y.start, self._x.stop - self._x.start), np.float32)

    def add(self, rows: slice, before: Float, after: Float) -> None:
        """Take note of a strip."""
        first, last = max(rows.start, self._y.start), min(rows.stop, self._y.stop)
        if first < last:
            here, there = (slice(first - start, last - start) for start in (rows.start, self._y.start))
            self.before[there], self.after[there] = before[here, self._x], after[here, self._x]


def strips_for(
    plan: Plan, sink: Sink, work: Work, process: object, runner: Runner, memory: int, stages: Stages
) -> Strips | None:
    """Return what treats the maps of a file in strips, where they are so large and the file and the process allow it."""
    large = 4 * math.prod(plan.cube.map_shape) > memory // SHARE and not plan.cube.scattered
    simple = isinstance(process, Denoising) and process.once and plan.sigma is None
    if not (large and simple and getattr(plan.source, "by_rows", False)):
        return None
    assert isinstance(process, Denoising)
    return Strips(plan, sink, work, process, runner, stages)
