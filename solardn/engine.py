"""A network running in onnxruntime: device, precision, threads. The only file that knows onnxruntime."""

from __future__ import annotations

import contextlib
import io
import re
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import whole
from .errors import DeviceError, ModelError, OptionError
from .machine import has_nvidia_driver, usable_cpus
from .model import Model

_MUTE, _ERRORS = 4, 3  # onnxruntime's severities: only what is fatal, and errors as well
_OUT_OF_MEMORY = re.compile(r"allocate memory|out of memory|alloc_failed|bad_alloc|BFCArena", re.IGNORECASE)
_PRECISIONS = ("fp32",)


class OutOfMemory(DeviceError):  # noqa: N818 - reads as what is wrong
    """The device has not enough memory for an array of this size; a smaller one may pass."""


class Engine:
    """A network ready to run on a device.

    The session is opened at the first use and serves any number of calls, from any number of threads. A pickled engine opens its own
    session where it arrives.

    Parameters
    ----------
    model : Model
        The network.
    device : str
        ``auto`` (a GPU when one truly works, else the CPU), ``cpu``, ``cuda``, or ``cuda:N`` for the N-th GPU.
    precision : str
        ``fp32``; the arithmetic of the network.
    threads : int, optional
        Threads of the CPU; by default as many as this process may use. Each call of `run` takes one of them, so that results do not
        depend on their number; callers make `at_once` calls at the same time.

    Raises
    ------
    OptionError
        No such device or precision, or fewer than one thread.
    """

    def __init__(self, model: Model, device: str = "auto", precision: str = "fp32", threads: int | None = None) -> None:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
            raise OptionError(
                f"there is no device {device!r}; possible are auto, cpu, cuda and cuda:N (the N-th GPU, from 0)"
            )
        if precision not in _PRECISIONS:
            raise OptionError(f"there is no precision {precision!r}; possible are {', '.join(_PRECISIONS)}")
        self.model = model
        self.precision = precision
        self.threads = usable_cpus() if threads is None else whole(threads, "threads", 1)
        self._wanted = device
        self._lock = threading.Lock()
        self._session: Any = None
        self._device = self._why = ""

    @property
    def device(self) -> str:
        """Where the network runs: ``cpu``, ``cuda`` or ``cuda:N``."""
        self._open()
        return self._device

    @property
    def why(self) -> str:
        """A sentence on how the device was chosen."""
        self._open()
        return self._why

    @property
    def at_once(self) -> int:
        """How many calls of `run` at once serve the device best."""
        return self.threads if self.device == "cpu" else 1

    def run(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the network.

        Parameters
        ----------
        batch : ndarray of float32
            Maps of shape (n, 1, height, width), in network units; height and width are multiples of the card's ``multiple``.

        Returns
        -------
        dict of str to ndarray of float32
            The outputs that the card names, of the same shape.

        Raises
        ------
        OutOfMemory
            The device has not enough memory for so large a batch.
        DeviceError
            The device cannot be had, or failed.
        """
        session = self._open()
        names = list(self.model.card.outputs)
        try:
            results = session.run(names, {"map": np.ascontiguousarray(batch, np.float32)})
        except Exception as error:
            raise self._translated(error, f"on maps of {'×'.join(map(str, batch.shape))}") from error
        return dict(zip(names, results, strict=True))

    def _open(self) -> Any:
        """Return the session, opened on the device that was asked for."""
        with self._lock:
            if self._session is None:
                self._session, self._device, self._why = self._choose()
            return self._session

    def _choose(self) -> tuple[Any, str, str]:
        if self._wanted == "cpu":
            return self._on_cpu(), "cpu", f"the CPU was asked for; {self._threads_said()}"
        cuda = "cuda" if self._wanted == "auto" else self._wanted
        try:
            session = self._on_cuda(cuda)
        except DeviceError as error:
            if self._wanted != "auto":
                raise DeviceError(
                    f"the device {cuda} cannot be had: {error}; install NVIDIA's libraries with pip install 'solardn[cuda]', or use --device cpu"
                ) from error
            return self._on_cpu(), "cpu", f"no GPU can be used: {error}; {self._threads_said()}"
        return session, cuda, "a GPU works" if self._wanted == "auto" else "the GPU was asked for"

    def _threads_said(self) -> str:
        cpus = usable_cpus()
        said = f"{self.threads} thread{'s' * (self.threads > 1)} on {cpus} CPU{'s' * (cpus > 1)}"
        return f"{said}, more than can run at once" if self.threads > cpus else said

    def _on_cpu(self) -> Any:
        return self._session_on(["CPUExecutionProvider"])

    def _on_cuda(self, device: str) -> Any:
        """Open a session on a GPU and see it work: onnxruntime itself only warns and falls back to the CPU."""
        ort = _onnxruntime()
        if "CUDAExecutionProvider" not in ort.get_available_providers():
            raise DeviceError(f"onnxruntime {ort.__version__} as installed here was built without CUDA")
        if not has_nvidia_driver():
            raise DeviceError("this machine has no NVIDIA driver")
        options = {
            "device_id": device.partition(":")[2] or "0",
            "use_tf32": "0",  # on by default, and not reproducible
            "cudnn_conv_algo_search": "HEURISTIC",  # the default tries all algorithms for every new shape
        }
        missing = _preload(ort)
        ort.set_default_logger_severity(_MUTE)  # what it would print is said by the errors below
        try:
            session = self._session_on([("CUDAExecutionProvider", options), "CPUExecutionProvider"])
        finally:
            ort.set_default_logger_severity(_ERRORS)
        if "CUDAExecutionProvider" not in session.get_providers():
            raise DeviceError(f"onnxruntime could not load its CUDA provider ({missing or 'a library is missing'})")
        side = max(self.model.card.min_size, self.model.card.multiple)
        side += -side % self.model.card.multiple
        try:
            session.run(["mean"], {"map": np.zeros((1, 1, side, side), np.float32)})
        except Exception as error:
            raise DeviceError(f"a session opened but did not run ({_brief(error)})") from error
        return session

    def _session_on(self, providers: list[Any]) -> Any:
        ort = _onnxruntime()
        options = ort.SessionOptions()
        # One thread a run, and several runs at once: how a kernel sums does not depend then on how many threads share it. And said
        # outright, because the default fails or hangs in containers and batch systems.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _MUTE  # errors come as exceptions
        try:
            return ort.InferenceSession(self.model.data, options, providers=providers, enable_fallback=0)
        except Exception as error:
            if providers != ["CPUExecutionProvider"]:
                raise DeviceError(_brief(error)) from error
            raise ModelError(
                f"onnxruntime {ort.__version__} refuses the network {self.model.path}: {_brief(error)}"
            ) from error

    def _translated(self, error: Exception, when: str) -> DeviceError:
        if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)):
            return OutOfMemory(f"the memory of the device {self._device} does not suffice {when}; use a smaller tile")
        return DeviceError(
            f"network {self.model.card.name!r} failed on the device {self._device} {when}: {_brief(error)}"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: everything but the session."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_lock", "_session")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore what `__getstate__` gave; the session opens at the first use."""
        self.__dict__.update(state, _lock=threading.Lock(), _session=None)


def _preload(ort: Any) -> str:
    """Load NVIDIA's libraries from their Python packages, and return the first complaint: onnxruntime prints them on stdout."""
    said = io.StringIO()
    if hasattr(ort, "preload_dlls"):
        with contextlib.redirect_stdout(said):
            ort.preload_dlls()
    return said.getvalue().partition("\n")[0]


def _onnxruntime() -> Any:
    """Import onnxruntime when it is needed, and not before."""
    import onnxruntime

    return onnxruntime


def _brief(error: Exception) -> str:
    """Return the first line of an onnxruntime error without its code."""
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
