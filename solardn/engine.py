"""A network ready to run: what goes into a run and comes out of it, whatever the device."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import session as sessions
from .arrays import whole
from .contract import DROPOUT_SCALE, DROPOUT_THRESHOLD
from .device import Chosen, check_device, choose
from .errors import SolardnError
from .failure import failed, maps_of
from .halved import Halved, Shared
from .lanes import LANES
from .machine import usable_cpus
from .model import Model
from .steady import is_steady
from .threaded import Threaded
from .tiling import threads_within
from .versions import installed, onnxruntime

_STILL = {DROPOUT_THRESHOLD: np.zeros((), np.uint32), DROPOUT_SCALE: np.ones((), np.float32)}  # nothing is dropped


@dataclass(frozen=True)
class _Opened:
    """A network on its device, and what else is opened there when it is needed."""

    chosen: Chosen
    threaded: Threaded
    halved: Halved


class Engine:
    """A network ready to run on a device.

    The session is opened at the first use and serves any number of calls, from any number of threads. A pickled engine opens its own
    session where it arrives.

    Parameters
    ----------
    model : Model
        The network.
    device : str
        ``auto`` (a GPU when one truly works, else the CPU), ``cpu``, ``openvino`` (the CPU by another library), ``cuda``, or ``cuda:N``
        for the N-th GPU.
    precision : str
        The arithmetic of the network: ``fp32``; ``bf16`` on OpenVINO; ``fp16`` on CUDA.
    threads : int, optional
        Threads of the CPU; by default as many as this process may use. Callers share them out: over calls of `run` at the same time, or
        within one call. Results do not depend on that.

    Raises
    ------
    OptionError
        No such device or precision, or fewer than one thread.
    """

    def __init__(self, model: Model, device: str = "auto", precision: str = "fp32", threads: int | None = None) -> None:
        check_device(device, precision)
        self.model = model
        self.precision = precision
        self.threads = usable_cpus() if threads is None else whole(threads, "threads", 1)
        self._steady = is_steady(model)
        self._wanted = device
        self._lock = threading.Lock()
        self._opened: _Opened | None = None

    @property
    def device(self) -> str:
        """Where the network runs: ``cpu``, ``openvino``, ``cuda`` or ``cuda:N``."""
        return self._open().chosen.device

    @property
    def why(self) -> str:
        """A sentence on how the device was chosen."""
        return self._open().chosen.why

    @property
    def precision_error(self) -> float:
        """How far a test map (signal 8 times the noise) comes out from fp32: rms, in units of the noise."""
        return self._open().chosen.precision_error

    @property
    def library(self) -> tuple[str, str]:
        """Name and version of the library that computes."""
        return (self.device == "openvino" and installed("openvino")) or onnxruntime()

    @property
    def at_once(self) -> int:
        """How many threads are to be shared out over calls of `run`, or within them; 1 where the device sees to that itself."""
        if self.device == "openvino":
            return 1
        return self.threads if self.device == "cpu" else min(LANES, self.threads)

    def within(self, shape: Sequence[int], threads: int) -> int:
        """Return how many of some threads may share a run on maps (..., height, width) without a bit depending on them."""
        return threads_within(shape, self.model.card, threads) if self._steady else 1

    def run(
        self,
        batch: NDArray[np.float32],
        *,
        seeds: NDArray[np.uint32] | None = None,
        origin: tuple[int, int] = (0, 0),
        outputs: Sequence[str] = (),
        threads: int = 1,
    ) -> dict[str, NDArray[np.float32]]:
        """Run the network.

        Parameters
        ----------
        batch : ndarray of float32
            Maps of shape (n, 1, height, width), in network units; height and width are multiples of the card's ``multiple``.
        seeds : ndarray of uint32, optional
            For a network that draws dropout masks, and a batch of one map: a seed for each sample. Without them nothing is dropped.
        origin : tuple of int
            Row and column of the batch's first pixel in the whole map, on which the masks depend.
        outputs : sequence of str
            Which outputs are computed; by default all that the card names.
        threads : int
            Threads within this run; fewer are taken where the maps are so small that the bits could depend on them.

        Returns
        -------
        dict of str to ndarray of float32
            The outputs, of shape (n, 1, height, width), or (samples, 1, height, width) where they follow from the masks.

        Raises
        ------
        OutOfMemory
            The device has not enough memory for so large a batch.
        DeviceError
            The device cannot be had, or failed.
        """
        opened, within = self._open(), self.within(batch.shape, threads)
        device = opened.chosen.device
        session = opened.threaded.session(within) if device == "cpu" else opened.chosen.session
        names = list(outputs or self.model.card.outputs)
        feed: dict[str, Any] = {"map": np.ascontiguousarray(batch, np.float32)}
        if self.model.card.dropout is not None:
            drawn = {"seed": np.zeros(1, np.uint32), **_STILL} if seeds is None else {"seed": seeds}
            feed |= drawn | {"origin": np.array(origin, np.int64)}
        options = None
        if device != "openvino":
            options = sessions.onnxruntime().RunOptions()
            options.only_execute_path_to_fetches = len(names) < len(self.model.card.outputs)
        try:
            results = session.run(names, feed, options)
        except SolardnError:
            raise
        except Exception as error:
            raise failed(error, self.model.card.name, device, maps_of(batch.shape)) from error
        return dict(zip(names, results, strict=True))

    def give_back(self) -> None:
        """Give back the memory of the CPU that is kept for a next run; one that comes all the same takes it again."""
        if self._opened is not None and self._opened.chosen.device == "cpu":
            self._opened.threaded.give_back()

    def share(self, batch: NDArray[np.float32], origin: tuple[int, int], threads: int = 1) -> Shared:
        """Compute what all samples of a map have in common: what lies before the first mask, and outputs that follow from none.

        Parameters
        ----------
        batch : ndarray of float32
            One map, as for `run`, of a network that draws dropout masks.
        origin, threads
            As for `run`.

        Raises
        ------
        OutOfMemory, DeviceError
            As for `run`.
        """
        if self._is_whole:
            return Shared({}, {"map": batch, "origin": origin}, batch.shape)
        return self._open().halved.share(batch, origin, self.within(batch.shape, threads))

    def draw(self, shared: Shared, seeds: NDArray[np.uint32], threads: int = 1) -> dict[str, NDArray[np.float32]]:
        """Return samples of a map: the outputs that follow from the masks, of shape (samples, 1, height, width).

        Parameters
        ----------
        shared : Shared
            What `share` returned for the map.
        seeds : ndarray of uint32
            One for each sample.
        threads : int
            As for `run`.

        Raises
        ------
        OutOfMemory, DeviceError
            As for `run`.
        """
        if self._is_whole:
            return self.run(shared.features["map"], seeds=seeds, origin=shared.features["origin"], threads=threads)
        return self._open().halved.draw(shared, seeds, self.within(shared.shape, threads))

    @property
    def _is_whole(self) -> bool:
        """Whether the graph runs in one piece: where another runtime has it, or it was converted to another precision."""
        return self.device == "openvino" or self.precision != "fp32"

    def _open(self) -> _Opened:
        """Return the network, opened on the device that was asked for."""
        with self._lock:
            if self._opened is None:
                chosen = choose(self.model, self._wanted, self.precision, self.threads)
                threaded = Threaded(self.model, chosen.session)
                self._opened = _Opened(chosen, threaded, Halved(self.model, chosen.device, chosen.session))
            return self._opened

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: everything but the sessions."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_lock", "_opened")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what `__getstate__` gave; the sessions open at the first use."""
        self.__dict__.update(state)
        self._lock, self._opened = threading.Lock(), None
