"""Sessions on the CPU with different numbers of threads within a run, of which the latest alone keeps memory for its next run."""

from __future__ import annotations

import threading
from typing import Any

from . import session as sessions
from .model import Model


class Threaded:
    """Sessions of a network on the CPU, each opened when it is needed.

    Parameters
    ----------
    model : Model
    single : object
        The session with one thread within a run.
    """

    def __init__(self, model: Model, single: Any) -> None:
        self._model, self._lock = model, threading.Lock()
        self._sessions = {1: single}
        self._latest = 1  # threads within the run that was begun last

    def session(self, threads: int) -> Any:
        """Return the session with so many threads within a run; the one before it gives back the memory that it keeps."""
        with self._lock:
            if threads != self._latest:
                self.give_back()
                self._latest = threads
            if threads not in self._sessions:
                self._sessions[threads] = sessions.on_cpu(self._model, threads)
            return self._sessions[threads]

    def give_back(self) -> None:
        """Give back the memory that is kept for a next run; one that comes all the same takes it again."""
        # One that could not be opened keeps nothing.
        sessions.give_back(self._sessions.get(self._latest, self._sessions[1]), self._model)
