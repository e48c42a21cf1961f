"""A network ready to run: which device it takes and why, what goes into a run, what its errors mean."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import session as sessions
from .arrays import whole
from .contract import DROPOUT_SCALE, DROPOUT_THRESHOLD
from .errors import DeviceError, ModelError, OptionError, SolardnError, lacks_memory
from .lanes import LANES
from .machine import usable_cpus
from .model import Model
from .steady import is_steady
from .tiling import threads_within
from .versions import installed, onnxruntime

if TYPE_CHECKING:
    from .halves import Halves

_PRECISIONS = {"fp32": "auto|cpu|openvino|cuda", "bf16": "openvino", "fp16": "cuda"}
"""Which devices compute in a precision."""

_TRIAL_SIDE, _TRIAL_SIGNAL = 256, 8.0
"""The map on which another precision is compared with fp32: pixels, and rms of the signal in units of the noise."""

_STILL = {DROPOUT_THRESHOLD: np.zeros((), np.uint32), DROPOUT_SCALE: np.ones((), np.float32)}  # nothing is dropped


class OutOfMemory(DeviceError):  # noqa: N818 - reads as what is wrong
    """The device has not enough memory for an array of this size; a smaller one may pass."""


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


@dataclass
class _Opened:
    """The sessions of an engine."""

    lock: Any = field(default_factory=threading.Lock)
    session: Any = None
    threaded: dict[int, Any] = field(default_factory=dict)
    """Those with more than one thread within a run."""
    latest: int = 1
    """Threads within the run that was begun last."""
    cut: Halves | None = None
    shared: dict[int, Any] = field(default_factory=dict)
    sampled: dict[int, Any] = field(default_factory=dict)


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
        if not (isinstance(device, str) and re.fullmatch(r"auto|cpu|openvino|cuda(:\d+)?", device)):
            raise OptionError(
                f"there is no device {device!r}; possible are auto, cpu, openvino, cuda and cuda:N (the N-th GPU, from 0)"
            )
        if precision not in _PRECISIONS:
            raise OptionError(f"there is no precision {precision!r}; possible are {', '.join(_PRECISIONS)}")
        if not re.fullmatch(_PRECISIONS[precision], device.partition(":")[0]):
            raise OptionError(
                f"the device {device} does not compute in {precision}; use --device {_PRECISIONS[precision]}, or --precision fp32"
            )
        self.model = model
        self.precision = precision
        self.threads = usable_cpus() if threads is None else whole(threads, "threads", 1)
        self._steady = is_steady(model)
        self._wanted = device
        self._opened = _Opened()
        self._device = self._why = ""
        self._precision_error = 0.0

    @property
    def device(self) -> str:
        """Where the network runs: ``cpu``, ``openvino``, ``cuda`` or ``cuda:N``."""
        self._open()
        return self._device

    @property
    def why(self) -> str:
        """A sentence on how the device was chosen."""
        self._open()
        return self._why

    @property
    def precision_error(self) -> float:
        """How far a test map (signal 8 times the noise) comes out from fp32: rms, in units of the noise."""
        self._open()
        return self._precision_error

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
        session = self._with(self.within(batch.shape, threads))
        names = list(outputs or self.model.card.outputs)
        feed: dict[str, Any] = {"map": np.ascontiguousarray(batch, np.float32)}
        if self.model.card.dropout is not None:
            drawn = {"seed": np.zeros(1, np.uint32), **_STILL} if seeds is None else {"seed": seeds}
            feed |= drawn | {"origin": np.array(origin, np.int64)}
        options = None
        if self._device != "openvino":
            options = sessions.onnxruntime().RunOptions()
            options.only_execute_path_to_fetches = len(names) < len(self.model.card.outputs)
        try:
            results = session.run(names, feed, options)
        except SolardnError:
            raise
        except Exception as error:
            raise self._translated(error, f"on maps of {'×'.join(map(str, batch.shape))}") from error
        return dict(zip(names, results, strict=True))

    def give_back(self) -> None:
        """Give back the memory of the CPU that is kept for a next run; one that comes all the same takes it again."""
        if self._opened.session is not None and self._device == "cpu":
            latest = self._opened.threaded.get(self._opened.latest, self._opened.session)
            sessions.give_back(latest, self.model)

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
        halves, session = self._shared_half(self.within(batch.shape, threads))
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
            raise self._translated(error, f"on maps of {'×'.join(map(str, batch.shape))}") from error
        return Shared(outputs, dict(zip(kept, placed, strict=True)), batch.shape)

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
        halves, session = self._sampled_half(self.within(shared.shape, threads))
        feed = {**shared.features, "seed": sessions.held(seeds)}
        try:
            values = session.run_with_ort_values(list(halves.sampled_outputs), feed)
            results = [value.numpy() for value in values]
        except Exception as error:
            when = f"on {len(seeds)} samples of maps of {'×'.join(map(str, shared.shape))}"
            raise self._translated(error, when) from error
        return dict(zip(halves.sampled_outputs, results, strict=True))

    @property
    def _is_whole(self) -> bool:
        """Whether the graph runs in one piece: where another runtime has it, or it was converted to another precision."""
        self._open()
        return self._device == "openvino" or self.precision != "fp32"

    def _shared_half(self, threads: int) -> tuple[Halves, Any]:
        """Return how a graph that draws masks is cut, and a session of what lies before the first; None where nothing does."""
        session = self._open()
        with self._opened.lock:
            if self._opened.cut is None:
                from .halves import cut

                self._opened.cut = cut(self.model.data)
            if threads not in self._opened.shared:
                graph = self._opened.cut.shared
                self._opened.shared[threads] = sessions.beside(session, graph, threads) if graph else None
            return self._opened.cut, self._opened.shared[threads]

    def _sampled_half(self, threads: int) -> tuple[Halves, Any]:
        """Return how a graph is cut, and a session of what follows from the masks."""
        halves, shared = self._shared_half(next(iter(self._opened.shared), 1))
        with self._opened.lock:
            if threads not in self._opened.sampled:
                described = {v.name: (v.type, v.shape) for v in shared.get_outputs()} if shared else {}
                self._opened.sampled[threads] = sessions.beside(
                    self._opened.session, halves.sampled(described), threads
                )
            return halves, self._opened.sampled[threads]

    def _with(self, threads: int) -> Any:
        """Return a session with so many threads within a run; the one before it gives back the memory that it keeps."""
        session = self._open()
        if self._device != "cpu":
            return session
        with self._opened.lock:
            if threads != self._opened.latest:
                sessions.give_back(self._opened.threaded.get(self._opened.latest, session), self.model)
                self._opened.latest = threads
            if threads == 1:
                return session
            if threads not in self._opened.threaded:
                self._opened.threaded[threads] = sessions.on_cpu(self.model, threads)
            return self._opened.threaded[threads]

    def _open(self) -> Any:
        """Return the session, opened on the device that was asked for."""
        with self._opened.lock:
            if self._opened.session is None:
                session, self._device, self._why = self._choose()
                self._see_samples_differ(session)
                self._opened.session = session
            return self._opened.session

    def _choose(self) -> tuple[Any, str, str]:
        if self._wanted == "cpu":
            return sessions.on_cpu(self.model), "cpu", f"the CPU was asked for; {self._threads_said()}"
        if self._wanted == "openvino":
            from .vino import Session as OpenVino

            session: Any = OpenVino(self.model, self.precision, self.threads)
            return session, "openvino", f"OpenVINO was asked for{self._precision_said(session)}; {self._threads_said()}"
        cuda = "cuda" if self._wanted == "auto" else self._wanted
        try:
            session, remark = sessions.on_cuda(self.model, cuda, self.precision)
        except DeviceError as error:
            if self._wanted != "auto":
                raise DeviceError(
                    f"the device {cuda} cannot be had: {error}; install NVIDIA's libraries with pip install 'solardn[cuda]', or use --device cpu"
                ) from error
            return sessions.on_cpu(self.model), "cpu", f"no GPU can be used: {error}; {self._threads_said()}"
        why = "a GPU works" if self._wanted == "auto" else "the GPU was asked for"
        return session, cuda, why + self._precision_said(session) + (remark and f"; {remark}")

    def _precision_said(self, session: Any) -> str:
        """Say by how much another precision changes results, measured on a map of noise and structure."""
        if self.precision == "fp32":
            return ""
        card = self.model.card
        side = max(_TRIAL_SIDE, card.min_size)
        side += -side % card.multiple
        waves = np.sin(np.arange(side) * 2 * np.pi / 40) * 2**0.5
        noise = np.random.default_rng(0).standard_normal((side, side))
        units = card.input_sigma * (noise + _TRIAL_SIGNAL * np.outer(waves, waves))
        feed = {"map": units.astype(np.float32)[np.newaxis, np.newaxis]}
        (here,), (exact,) = (s.run(["mean"], feed) for s in (session, sessions.on_cpu(self.model)))
        self._precision_error = float(np.sqrt(np.mean(np.square(here - exact, dtype=np.float64)))) / card.input_sigma
        return f", {self.precision}: results differ by {self._precision_error:.2g} noise rms from fp32 on a test map"

    def _threads_said(self) -> str:
        cpus = usable_cpus()
        said = f"{self.threads} thread{'s' * (self.threads > 1)} on {cpus} CPU{'s' * (cpus > 1)}"
        return f"{said}, more than can run at once" if self.threads > cpus else said

    def _see_samples_differ(self, session: Any) -> None:
        """Refuse a graph whose dropout vanished: onnxruntime removes Dropout nodes without a word, and the spread would be 0."""
        if not self.model.card.drop_rate:
            return
        (mean,) = session.run(["mean"], sessions.trial(self.model, samples=2))
        if len(mean) != 2 or np.array_equal(mean[0], mean[1]):
            raise ModelError(
                f"two samples of network {self.model.card.name!r} ({self.model.path}) agree exactly, though its card says that it drops a fraction of "
                f"{self.model.card.drop_rate:g}: its dropout was lost; make it again with 'python -m export'"
            )

    def _translated(self, error: Exception, when: str) -> DeviceError:
        if lacks_memory(error):
            return OutOfMemory(f"the memory of the device {self._device} does not suffice {when}; use a smaller tile")
        return DeviceError(
            f"network {self.model.card.name!r} failed on the device {self._device} {when}: {sessions.brief(error)}"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: everything but the sessions."""
        return {k: v for k, v in self.__dict__.items() if k != "_opened"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what `__getstate__` gave; the sessions open at the first use."""
        self.__dict__.update(state)
        self._opened = _Opened()
