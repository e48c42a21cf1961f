"""Sessions of onnxruntime on the CPU and on GPUs that truly work. The only file that imports onnxruntime."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DeviceError, ModelError, SolardnError
from .half import in_half
from .lanes import Allocate, Lanes
from .machine import has_nvidia_driver
from .model import Model
from .pinned import PinnedMemory

_MUTE, _USUAL = 4, 2  # onnxruntime's severities: only what is fatal; and its default, warnings
_OLDEST_WITH_MASKS = "1.22"
_ALIKE = 0.1  # noise rms by which a GPU's result may differ from the CPU's, in any precision


def on_cpu(model: Model, threads: int = 1) -> Any:
    """Open a session on the CPU, with so many threads within a run.

    Raises
    ------
    ModelError
        onnxruntime refuses the network.
    """
    try:
        return _open(model.data, ["CPUExecutionProvider"], threads)
    except Exception as error:
        old = f"; dropout masks need {_OLDEST_WITH_MASKS} or newer" if model.card.dropout else ""
        raise ModelError(
            f"onnxruntime {onnxruntime().__version__} refuses the network {model.path}: {brief(error)}{old}"
        ) from error


def on_cuda(model: Model, device: str, precision: str = "fp32") -> tuple[Any, str]:
    """Open a session on a GPU, ``cuda`` or ``cuda:N``, and see it work: onnxruntime itself would fall back to the CPU with a warning.

    With the precision ``fp16`` the graph computes in float16 (see `solardn.half`).

    Returns
    -------
    session : Lanes
        Several of its runs can go on at once.
    remark : str
        What users should know of it; empty where all is as it should be.

    Raises
    ------
    DeviceError
        The GPU cannot be had; the reason is told.
    MissingExtra, OptionError
        The network cannot be had in this precision.
    """
    ort = onnxruntime()
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise DeviceError(f"onnxruntime {ort.__version__} as installed here was built without CUDA")
    if not has_nvidia_driver():
        raise DeviceError("this machine has no NVIDIA driver")
    options = {
        "device_id": str(gpu_number(device)),
        "use_tf32": "0",  # on by default, and not reproducible
        "cudnn_conv_algo_search": "HEURISTIC",  # the default tries all algorithms for every new shape
    }
    missing = _preload(ort)
    ort.set_default_logger_severity(_MUTE)  # what it would print is said by the errors below
    try:
        graph = in_half(model) if precision == "fp16" else model.data
        session = _open(graph, [("CUDAExecutionProvider", options), "CPUExecutionProvider"])
        if "CUDAExecutionProvider" not in session.get_providers():
            raise DeviceError(f"onnxruntime could not load its CUDA provider ({missing or 'a library is missing'})")
        allocate, remark = _host_memory(ort, gpu_number(device))
        lanes = Lanes(session, allocate)
        _see_it_agrees(lanes, model)
    except SolardnError:
        raise
    except Exception as error:
        raise DeviceError(f"the session on the GPU fails ({brief(error)})") from error
    finally:
        ort.set_default_logger_severity(_USUAL)
    return lanes, remark


def _host_memory(ort: Any, gpu: int) -> tuple[Allocate, str]:
    """Return what allocates memory for copies to and from a GPU, and a remark where it is not page-locked."""
    try:
        return PinnedMemory(ort.cuda_version, gpu).array, ""
    except (OSError, AttributeError) as error:
        return lambda shape: np.empty(shape, np.float32), f"copies take longer, without page-locked memory ({error})"


def _see_it_agrees(session: Any, model: Model) -> None:
    """Refuse a GPU whose results are not those of the CPU."""
    (here,), (there,) = (one.run(["mean"], trial(model)) for one in (session, on_cpu(model)))
    apart = float(np.abs(here - there).max()) / model.card.input_sigma
    if not apart < _ALIKE:
        raise DeviceError(f"its results differ from the CPU's by up to {apart:.2g} noise rms on a small test map")


def trial(model: Model, samples: int = 1) -> dict[str, Any]:
    """Return what a small run takes: noise as the network knows it, and seeds where it draws masks."""
    card = model.card
    side = max(card.min_size, 32)
    shape = (1, 1, side + -side % card.multiple, side + -side % card.multiple)
    feed: dict[str, Any] = {"map": card.input_sigma * np.random.default_rng(0).standard_normal(shape, np.float32)}
    feed["map"] = feed["map"].astype(np.float32)
    if card.dropout is not None:
        feed |= {"seed": np.arange(1, samples + 1, dtype=np.uint32), "origin": np.zeros(2, np.int64)}
    return feed


def brief(error: Exception) -> str:
    """Return the first line of an onnxruntime error without its code."""
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)


def onnxruntime() -> Any:
    """Import onnxruntime when it is needed, and not before."""
    # Otherwise it notes each session in files in the user's home, to be sent to its maker.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # what it makes of Ctrl-C while it loads
            raise error.__cause__ from None
        raise
    return onnxruntime


def beside(session: Any, data: bytes, threads: int = 1) -> Any:
    """Open another graph where a session runs."""
    return _open(data, [(name, options) for name, options in session.get_provider_options().items()], threads)


def give_back(session: Any, model: Model) -> None:
    """Let a session on the CPU give back the memory that it keeps for its next run."""
    session.run(["mean"], trial(model), giving_back("cpu"))


def giving_back(device: str) -> Any:
    """Return options of a run at whose end the memory that it worked in is given back, on the CPU; on a GPU it stays for the next."""
    options = onnxruntime().RunOptions()
    if device == "cpu":
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def on_device(values: Sequence[Any], device: str) -> list[Any]:
    """Return values that a run gave where the next run takes them from: on a GPU, brought there once and not with every run."""
    if device == "cpu":
        return list(values)
    number = gpu_number(device)
    return [onnxruntime().OrtValue.ortvalue_from_numpy(value.numpy(), "cuda", number) for value in values]


def gpu_number(device: str) -> int:
    """Return which GPU ``cuda`` or ``cuda:N`` is."""
    return int(device.partition(":")[2] or 0)


def held(array: NDArray[Any]) -> Any:
    """Return an array as onnxruntime holds it."""
    return onnxruntime().OrtValue.ortvalue_from_numpy(array)


def _open(data: bytes, providers: list[Any], threads: int = 1) -> Any:
    ort = onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads  # said outright: the default fails or hangs in containers and batch systems
    options.inter_op_num_threads = 1
    options.log_severity_level = _MUTE  # errors come as exceptions
    return ort.InferenceSession(data, options, providers=providers, enable_fallback=0)


def _preload(ort: Any) -> str:
    """Load NVIDIA's libraries from their Python packages, and return the first complaint: onnxruntime prints them on stdout."""
    said = io.StringIO()
    if hasattr(ort, "preload_dlls"):
        with contextlib.redirect_stdout(said):
            ort.preload_dlls()
    return said.getvalue().partition("\n")[0]
