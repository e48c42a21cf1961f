"""The noise of some maps of a file, several of which are looked at at once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from .api import Denoiser
from .cube import Index
from .errors import InputError
from .estimates import NoiseEstimate
from .missing import blanked
from .noise import estimate
from .plan import Plan
from .stream import batches_within

_COPIES = 4  # of a map in float32, which it takes to find its noise


def estimates(plan: Plan, denoiser: Denoiser, wanted: list[Index]) -> Iterator[tuple[Index, NoiseEstimate | None, str]]:
    """Yield for each map its noise, or None and why none is found; several are worked on at once."""

    def one(index: Index, plane: NDArray[np.float32]) -> tuple[Index, NoiseEstimate | None, str]:
        if np.isnan(plane).all():
            return index, None, ""
        try:
            return index, estimate(plane), ""
        except InputError as error:
            return index, None, str(error)

    pending: deque[Future[tuple[Index, NoiseEstimate | None, str]]] = deque()
    room = denoiser.memory // (4 * math.prod(plan.cube.map_shape) * _COPIES)
    threads = max(1, min(denoiser.engine.threads, room))
    with ThreadPoolExecutor(threads, "solardn-noise") as pool:
        try:
            for index, plane in _planes(plan, wanted, denoiser.memory):
                pending.append(pool.submit(one, index, blanked(plane, plan.missing(index, plane))))
                while len(pending) > (2 * threads if room else 0):
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _planes(plan: Plan, wanted: list[Index], memory: int) -> Iterator[tuple[Index, NDArray[np.float32]]]:
    """Yield some maps, each part of the file read once also where their pixels lie scattered."""
    if not plan.cube.scattered:
        for index in wanted:
            yield index, plan.read_map(index)
        return
    chosen = set(wanted)
    for batch in batches_within(memory, plan.source, plan.cube, layers=1, together=1):
        if chosen.isdisjoint(batch.indices):
            continue
        maps = plan.cube.to_maps(plan.source.read(batch.selection))
        for index, plane in zip(batch.indices, maps, strict=True):
            if index in chosen:
                yield index, plan.as_float32(index, plane)
