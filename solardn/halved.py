"""A graph that draws dropout masks, run in its two halves: what all samples of a map have in common is computed once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import session as sessions
from .failure import failed, maps_of
from .model import Model

if TYPE_CHECKING:
    from .halves import Halves


@dataclass(frozen=True)
class Shared:
    """What all samples of one map have in common.

    Attributes
    ----------
    outputs : dict of str to ndarray
        The outputs that follow from no mask, of shape (1, 1, height, width).
    features : dict
        What the samples are computed from, as onnxruntime holds it.
    shape : tuple of int
        Of the map.
    """

    outputs: dict[str, NDArray[np.float32]]
    features: dict[str, Any]
    shape: tuple[int, ...]


class Halved:
    """The two halves of a network (see `solardn.halves`), for any number of threads within a run; cut and opened when they are needed.

    Parameters
    ----------
    model : Model
        Draws dropout masks.
    device : str
        Where it runs: ``cpu``, ``cuda`` or ``cuda:N``.
    session : object
        Of the whole graph there.
    """

    def __init__(self, model: Model, device: str, session: Any) -> None:
        self._model, self._device, self._session = model, device, session
        self._lock = threading.Lock()
        self._cut: Halves | None = None
        self._shared: dict[int, Any] = {}
        self._sampled: dict[int, Any] = {}

    def share(self, batch: NDArray[np.float32], origin: tuple[int, int], threads: int) -> Shared:
        """Compute what lies before the first mask, and outputs that follow from none; see `solardn.engine.Engine.share`."""
        halves, session = self._shared_half(threads)
        given: dict[str, NDArray[Any]] = {
            "map": np.ascontiguousarray(batch, np.float32),
            "origin": np.array(origin, np.int64),
        }
        feed = {name: sessions.held(value) for name, value in given.items()}
        names = [*halves.features, *halves.shared_outputs]
        try:
            taken = {value.name: feed[value.name] for value in session.get_inputs()} if session else {}
            # What it worked in is given back before samples are drawn, which take as much.
            values = session.run_with_ort_values(names, taken, sessions.giving_back(self._device)) if session else []
            features = dict(zip(names, values, strict=True))
            outputs = {name: features.pop(name).numpy() for name in halves.shared_outputs}
            kept = {**features, **{name: feed[name] for name in halves.takes - {"seed"}}}
            placed = sessions.on_device([*kept.values()], self._device)
        except Exception as error:
            raise failed(error, self._model.card.name, self._device, maps_of(batch.shape)) from error
        return Shared(outputs, dict(zip(kept, placed, strict=True)), batch.shape)

    def draw(self, shared: Shared, seeds: NDArray[np.uint32], threads: int) -> dict[str, NDArray[np.float32]]:
        """Return the outputs that follow from the masks, a sample for each seed; see `solardn.engine.Engine.draw`."""
        halves, session = self._sampled_half(threads)
        feed = {**shared.features, "seed": sessions.held(seeds)}
        try:
            values = session.run_with_ort_values(list(halves.sampled_outputs), feed)
            results = [value.numpy() for value in values]
        except Exception as error:
            what = f"{len(seeds)} samples of {maps_of(shared.shape)}"
            raise failed(error, self._model.card.name, self._device, what) from error
        return dict(zip(halves.sampled_outputs, results, strict=True))

    def _shared_half(self, threads: int) -> tuple[Halves, Any]:
        """Return how the graph is cut, and a session of what lies before the first mask; None where nothing does."""
        with self._lock:
            if self._cut is None:
                from .halves import cut  # most networks draw no masks

                self._cut = cut(self._model.data)
            if threads not in self._shared:
                graph = self._cut.shared
                self._shared[threads] = sessions.beside(self._session, graph, threads) if graph else None
            return self._cut, self._shared[threads]

    def _sampled_half(self, threads: int) -> tuple[Halves, Any]:
        """Return how the graph is cut, and a session of what follows from the masks."""
        halves, shared = self._shared_half(next(iter(self._shared), 1))
        with self._lock:
            if threads not in self._sampled:
                described = {v.name: (v.type, v.shape) for v in shared.get_outputs()} if shared else {}
                self._sampled[threads] = sessions.beside(self._session, halves.sampled(described), threads)
            return halves, self._sampled[threads]
