"""Times of several ways to do one thing, taken in turns, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Spread:
    """The median of some measurements, and the quartiles between which half of them lie."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Return the spread of measurements."""
        low, median, high = np.percentile(values, (25, 50, 75))
        return cls(float(median), float(low), float(high))

    def inverse(self, of: float = 1.0) -> Spread:
        """Return the spread of a number divided by the measurements."""
        return Spread(of / self.median, of / self.high, of / self.low)

    def __str__(self) -> str:
        """Return the median and, in brackets, the quartiles."""
        return f"{self.median:.3g} ({self.low:.3g}–{self.high:.3g})"


@dataclass
class Paired:
    """Times of several candidates, round by round: the k-th times of all belong together.

    Attributes
    ----------
    times : dict of str to list of float
        Seconds of each round, by candidate.
    """

    times: dict[str, list[float]] = field(default_factory=dict)

    def spread(self, name: str) -> Spread:
        """Return the time of a candidate, in seconds."""
        return Spread.of(self.times[name])

    def ratio(self, name: str, to: str) -> Spread:
        """Return the time of a candidate in units of that of another one, taken round by round."""
        return Spread.of([a / b for a, b in zip(self.times[name], self.times[to], strict=True)])

    @property
    def rounds(self) -> int:
        """How often each was measured."""
        return min(map(len, self.times.values()), default=0)


def paired(
    candidates: Mapping[str, Callable[[], object]],
    seconds: float = 10.0,
    least: int = 3,
    most: int = 30,
    warm_up: int = 1,
    pause: float = 0.1,
) -> Paired:
    """Time candidates in turns, every other round in the reverse order.

    Parameters
    ----------
    candidates : mapping of str to callable
        What to time, by name.
    seconds : float
        No round is begun after that time, once there are enough of them. The warm-up is not counted.
    least, most : int
        Rounds.
    warm_up : int
        Calls of each candidate before.
    pause : float
        Seconds before each call: threads of the candidate before wait for more work, spinning on the CPU, for a while after their last.
    """
    for candidate in list(candidates.values()) * warm_up:
        candidate()
    found = Paired({name: [] for name in candidates})
    begun = time.perf_counter()
    while found.rounds < most and (found.rounds < least or time.perf_counter() - begun < seconds):
        for name in list(candidates)[:: -1 if found.rounds % 2 else 1]:
            time.sleep(pause)
            started = time.perf_counter()
            candidates[name]()
            found.times[name].append(time.perf_counter() - started)
    return found
