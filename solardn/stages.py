"""Where the time of a run goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

LEVEL, NETWORK, MAPS, LOOK = "noise level", "network", "maps before and after it", "look at residuals"
INPUT, OUTPUT, END = "wait for input", "wait for output", "finish the file"
READ, WRITE = "reading, in a thread", "writing, in a thread"
BESIDE = (READ, WRITE)
"""Stages that run beside the others: their time is no part of the whole."""


class Stages:
    """Seconds of each stage of a run; a stage within another one does not count for the outer one. Any thread may use it.

    Attributes
    ----------
    seconds : dict of str to float
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._lock = threading.Lock()
        self._here = threading.local()

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count the time of the body for a stage."""
        outer = getattr(self._here, "inner", 0.0)
        self._here.inner = 0.0
        begun = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - begun
            with self._lock:
                self.seconds[name] = self.seconds.get(name, 0.0) + took - self._here.inner
            self._here.inner = outer + took


def rows(seconds: Mapping[str, float], total: float) -> list[tuple[str, float, float]]:
    """Return name, seconds and part of the whole of each stage, what is left last but for the stages beside."""
    one_by_one = {name: value for name, value in seconds.items() if name not in BESIDE}
    one_by_one["the rest"] = max(0.0, total - sum(one_by_one.values()))
    beside = {name: seconds[name] for name in BESIDE if name in seconds}
    return [(name, value, value / total) for name, value in (one_by_one | beside).items()]
