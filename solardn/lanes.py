"""Runs on a GPU side by side: while one is computed, the maps of the next and the results of the last are copied."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Allocate = Callable[[Sequence[int]], NDArray[np.float32]]
_Key = tuple[tuple[int, ...], tuple[str, ...]]

LANES = 4
"""Runs at once. Three keep both directions of the bus and the GPU busy; one more prepares maps on the CPU meanwhile."""

_KEPT = 2 * LANES  # buffers that wait for the next map of their shape: of whole windows, and of the last shape


class _Lane:
    """Buffers for maps of one shape, and where onnxruntime finds them: bound once, filled again for each run."""

    def __init__(self, session: Any, shape: tuple[int, ...], names: tuple[str, ...], allocate: Allocate) -> None:
        self._session, self._binding = session, session.io_binding()
        self._given = allocate(shape)
        self._found = [allocate(shape) for _ in names]
        for name, buffer in zip(names, self._found, strict=True):
            self._binding.bind_output(name, "cpu", 0, np.float32, shape, buffer.ctypes.data)

    def run(self, maps: NDArray[np.float32], options: Any) -> list[NDArray[np.float32]]:
        np.copyto(self._given, maps)
        # Binding copies the map to the GPU, once and now; so it cannot be left out for the next map in the same buffer.
        self._binding.bind_input("map", "cpu", 0, np.float32, self._given.shape, self._given.ctypes.data)
        self._session.run_with_iobinding(self._binding, options)
        return [buffer.copy() for buffer in self._found]


class Lanes:
    """A session on a GPU whose maps and results go through buffers of their own, for calls from several threads at once.

    onnxruntime computes each call on a stream of its own, so that copies of one overlap the computing of another.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        On the GPU, of a network whose outputs have the shape of the map.
    allocate : callable
        Makes a buffer in the host's memory: page-locked where that can be had.
    """

    def __init__(self, session: Any, allocate: Allocate) -> None:
        self.session, self._allocate = session, allocate
        self._lock = threading.Lock()
        self._free: list[tuple[_Key, _Lane]] = []

    def run(self, names: Sequence[str], feed: dict[str, Any], options: Any = None) -> list[Any]:
        """Return some of the outputs, as a session of onnxruntime does; with masks of dropout it is the session itself that runs."""
        if feed.keys() != {"map"}:
            return list(self.session.run(names, feed, options))
        key = feed["map"].shape, tuple(names)
        lane = self._taken(key)
        results = lane.run(feed["map"], options)
        with self._lock:  # after an error the buffers are not used again
            self._free = [*self._free, (key, lane)][-_KEPT:]
        return list(results)

    def get_provider_options(self) -> Any:
        """Return where the session runs, as it tells itself."""
        return self.session.get_provider_options()

    def _taken(self, key: _Key) -> _Lane:
        """Return buffers that nobody uses now."""
        with self._lock:
            for number, (shape_and_names, lane) in enumerate(self._free):
                if shape_and_names == key:
                    del self._free[number]
                    return lane
        return _Lane(self.session, *key, self._allocate)
