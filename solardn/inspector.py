"""The residual of a few maps looked at while a file is denoised, without reading anything twice."""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from .arrays import Cycles
from .comparison import intensity_of
from .cube import Index
from .diagnosis import Diagnosis, diagnose
from .errors import InputError
from .estimates import NoiseEstimate
from .inspection import TAKEN, Inspection, line_of
from .levels import Level
from .plan import Plan
from .samples import Group, evenly

Float = NDArray[np.float32]

SHARE = 8
"""One of so many maps is looked at …"""

MOST = 12
"""… at most so many of a file, and at least one of each Stokes parameter."""

LOOKED = 2048
"""Pixels along a side of the part in the middle of a larger map that is looked at, however the map is worked on."""

_WAITING = 2  # maps that wait to be looked at, beyond which the computation waits for them
_MEMORY_SHARE = 16  # maps of Stokes I that are kept for later take at most this fraction of the memory


class Inspector:
    """Holds the residuals of some maps against the noise, in a thread of its own, as their results come.

    Parameters
    ----------
    plan : Plan
    memory : int
        The budget of the run, bytes.
    levels : dict
        The noise of each group of maps, and what was found in some of them.
    cycles : int or "auto"
        Passes of the network that make the results.
    """

    def __init__(self, plan: Plan, memory: int, levels: dict[Group, Level], cycles: Cycles = 1) -> None:
        self._plan, self._cycles = plan, cycles
        self._estimates = {index: one for level in levels.values() for index, one in level.estimates.items()}
        self._wanted = _sample(plan.groups())
        beside = {index: intensity_of(plan.cube, index) for index in self._wanted}
        self._middle = middle(plan.cube.map_shape)
        looked = math.prod(part.stop - part.start for part in self._middle)
        room = memory // _MEMORY_SHARE // (4 * looked)
        self._beside = {index: found for index, found in beside.items() if found is not None}
        self._keep = set(list(dict.fromkeys(self._beside.values()))[:room])
        self._kept: dict[Index, Float] = {}
        self._pool = ThreadPoolExecutor(1, "solardn-inspect")
        self._pending: deque[Future[None]] = deque()
        self._found: dict[Index, Diagnosis] = {}
        self._why = self._part = ""

    def wants(self, index: Index) -> bool:
        """Tell whether `passing` or `look` would do anything with a map."""
        return index in self._wanted or index in self._keep

    def passing(self, index: Index, plane: Float) -> None:
        """Take note of a map that is copied: it may be the Stokes I that a residual is compared with."""
        if index in self._keep:
            self._kept[index] = plane[self._middle].copy()

    def look(self, index: Index, observation: Float, result: Float, sigma: float) -> None:
        """Look at the residual of a map if it is one of the sample.

        Parameters
        ----------
        index : tuple of int
        observation, result : (y, x) arrays
            Of the map, or of its `middle`. In the data's units; not changed later by the caller.
        sigma : float
            rms of the noise, in the data's units.
        """
        if index not in self._wanted:
            return
        intensity, noise = self._kept.get(self._beside.get(index, ())), self._estimates.get(index)
        shape = self._plan.cube.map_shape
        if max(shape) > LOOKED:
            if observation.shape == shape:
                observation, result = observation[self._middle], result[self._middle]
            self._part, noise = "{}×{}".format(*observation.shape), None
        self._pending.append(self._pool.submit(self._diagnose, index, observation, result, sigma, intensity, noise))
        while len(self._pending) > _WAITING:
            self._pending.popleft().result()

    def _diagnose(
        self,
        index: Index,
        observation: Float,
        result: Float,
        sigma: float,
        intensity: Float | None,
        noise: NoiseEstimate | None,
    ) -> None:
        try:
            self._found[index] = diagnose(observation, result, sigma, intensity, noise, self._cycles)
        except InputError as error:  # too small or without noise of its own: the result is right all the same
            self._why = str(error).partition("; ")[0]

    def close(self) -> None:
        """Stop looking."""
        self._pool.shutdown(cancel_futures=True)

    @property
    def verdicts(self) -> dict[Index, str]:
        """What was said of each map, once `finish` was called."""
        return {index: found.verdict for index, found in self._found.items()}

    def finish(self, result: str) -> Inspection | str:
        """Return what was seen, or why nothing was; `result` names the output."""
        while self._pending:
            self._pending.popleft().result()
        by_group: dict[Group, list[tuple[Index, Diagnosis]]] = {}
        for index in sorted(self._found):
            by_group.setdefault(self._wanted[index], []).append((index, self._found[index]))
        if not by_group:
            where = f", of the middle {self._part} px of its maps" if self._part else ""
            return f"not inspected{where}: {self._why or 'no map of the sample holds a value'}"
        lines = tuple(line_of(group, found) for group, found in sorted(by_group.items()))
        label = self._plan.source.label + (f" (the middle {self._part} px of its maps)" if self._part else "")
        return Inspection(label, result, self._plan.source.unit, TAKEN, lines)


def middle(shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return rows and columns of the part of a map that is looked at: all of it, or at most `LOOKED` of each in its middle."""
    y, x = (slice((n - min(n, LOOKED)) // 2, (n + min(n, LOOKED)) // 2) for n in shape)
    return y, x


def _sample(kinds: dict[Group, list[Index]]) -> dict[Index, Group]:
    """Return the maps to look at: spread evenly over those of each Stokes parameter."""
    by_letter: dict[str, list[tuple[Index, Group]]] = {}
    for group, members in kinds.items():
        by_letter.setdefault(group[0], []).extend((index, group) for index in members)
    total = sum(map(len, by_letter.values()))
    each = max(1, min(MOST, total // SHARE) // len(by_letter))
    return dict(one for members in by_letter.values() for one in evenly(members, each))
