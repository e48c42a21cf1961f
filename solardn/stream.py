"""The way of all maps of a cube: read ahead, worked on, written behind, with no more than a few of them in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .cube import Batch, Cube, Index
from .io import Sink, Source
from .stages import INPUT, MAPS, OUTPUT, READ, WRITE, Stages

Float = NDArray[np.float32]
Jobs = TypeVar("Jobs")
Prepare = Callable[[Sequence[Index], NDArray[np.floating]], Jobs]
"""Makes what `Work` takes from some maps (map, y, x) and their indices, in the thread that reads."""

Work = Callable[[Jobs], Float]
"""Makes the planes of all layers (layer, map, y, x) of some maps."""

Written = Callable[[Batch], None]

_SHARE = 16  # a batch of maps takes at most this fraction of the memory: three are alive, each as input and as layers


def stream(
    source: Source,
    cube: Cube,
    sink: Sink,
    prepare: Prepare[Jobs],
    work: Work[Jobs],
    batches: Iterator[Batch],
    written: Written,
    stages: Stages | None = None,
) -> None:
    """Send every map of a cube through a function and into a sink.

    Reading and writing happen in threads of their own, each one batch away from the computation.

    Parameters
    ----------
    source : Source
    cube : Cube
    sink : Sink
    prepare, work : callable
        The second is called with what the first made of one batch after the other, in the order of storage.
    batches : iterator of Batch
        The maps, see `batches_within`.
    written : callable
        Called in the writing thread with each batch that is written.
    stages : Stages, optional
        Where to note the times.
    """
    counted = stages or Stages()

    def read(batch: Batch) -> Jobs:
        with counted(READ):
            return prepare(batch.indices, cube.to_maps(source.read(batch.selection)))

    def write(batch: Batch, blocks: Sequence[Float]) -> None:
        with counted(WRITE):
            _write(sink, batch, blocks, written)

    with ThreadPoolExecutor(1, "solardn-read") as reader, ThreadPoolExecutor(1, "solardn-write") as writer:
        writing: Future[None] | None = None
        batch = next(batches, None)
        ahead = reader.submit(read, batch) if batch else None
        while batch is not None and ahead is not None:
            with counted(INPUT):
                jobs = ahead.result()
            following = next(batches, None)
            ahead = reader.submit(read, following) if following else None
            with counted(MAPS):
                results = work(jobs)
            with counted(OUTPUT):
                if writing is not None:
                    writing.result()
            blocks = [cube.to_block(layer) for layer in results]
            writing = writer.submit(write, batch, blocks)
            batch = following
        with counted(OUTPUT):
            if writing is not None:
                writing.result()


def batches_within(memory: int, source: Source, cube: Cube, layers: int, together: int) -> Iterator[Batch]:
    """Return all maps of a cube in batches.

    Parameters
    ----------
    memory : int
        The budget in bytes.
    source : Source
    cube : Cube
    layers : int
        Planes made from each map.
    together : int
        Maps that keep the computation busy; more of them come together where they lie scattered in the file.
    """
    bytes_a_map = math.prod(cube.map_shape) * (source.dtype.itemsize + 4 * layers)
    most = max(1, memory // _SHARE // bytes_a_map)
    return cube.batches(most if cube.scattered else min(most, together))


def _write(sink: Sink, batch: Batch, blocks: Sequence[Float], written: Written) -> None:
    for layer, block in enumerate(blocks):
        sink.write(layer, batch.selection, block)
    written(batch)
