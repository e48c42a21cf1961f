"""Which device a network runs on, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import session as sessions
from .errors import DeviceError, ModelError, OptionError
from .machine import usable_cpus
from .model import Model

_PRECISIONS = {"fp32": "auto|cpu|openvino|cuda", "bf16": "openvino", "fp16": "cuda"}
"""Which devices compute in a precision."""

_TRIAL_SIDE, _TRIAL_SIGNAL = 256, 8.0
"""The map on which another precision is compared with fp32: pixels, and rms of the signal in units of the noise."""


@dataclass(frozen=True)
class Chosen:
    """A network opened on a device.

    Attributes
    ----------
    session : object
        What runs it there, as a session of onnxruntime does; on the CPU with one thread within a run.
    device : str
        ``cpu``, ``openvino``, ``cuda`` or ``cuda:N``.
    why : str
        A sentence on how the device was chosen.
    precision_error : float
        How far a test map (signal 8 times the noise) comes out from fp32: rms, in units of the noise.
    """

    session: Any
    device: str
    why: str
    precision_error: float = 0.0


def check_device(device: str, precision: str) -> None:
    """Refuse words that name no device, or no precision in which it computes.

    Raises
    ------
    OptionError
    """
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


def choose(model: Model, wanted: str, precision: str, threads: int) -> Chosen:
    """Open a network on the device that is wanted.

    Parameters
    ----------
    model : Model
    wanted, precision : str
        As `check_device` accepts them; ``auto`` is a GPU when one truly works, else the CPU.
    threads : int
        Of the CPU.

    Raises
    ------
    DeviceError, MissingExtra
        The device cannot be had.
    ModelError
        It refuses the network, or the network has lost its dropout.
    """
    chosen = _opened(model, wanted, precision, threads)
    _see_samples_differ(model, chosen.session)
    return chosen


def _opened(model: Model, wanted: str, precision: str, threads: int) -> Chosen:
    if wanted == "cpu":
        return Chosen(sessions.on_cpu(model), "cpu", f"the CPU was asked for; {_threads_said(threads)}")
    if wanted == "openvino":
        from .vino import Session as OpenVino

        session: Any = OpenVino(model, precision, threads)
        error, said = _precision_error(model, precision, session)
        return Chosen(session, "openvino", f"OpenVINO was asked for{said}; {_threads_said(threads)}", error)
    cuda = "cuda" if wanted == "auto" else wanted
    try:
        session, remark = sessions.on_cuda(model, cuda, precision)
    except DeviceError as error:
        if wanted != "auto":
            raise DeviceError(
                f"the device {cuda} cannot be had: {error}; install NVIDIA's libraries with pip install 'solardn[cuda]', or use --device cpu"
            ) from error
        return Chosen(sessions.on_cpu(model), "cpu", f"no GPU can be used: {error}; {_threads_said(threads)}")
    why = "a GPU works" if wanted == "auto" else "the GPU was asked for"
    apart, said = _precision_error(model, precision, session)
    return Chosen(session, cuda, why + said + (remark and f"; {remark}"), apart)


def _precision_error(model: Model, precision: str, session: Any) -> tuple[float, str]:
    """Return by how much another precision changes results, measured on a map of noise and structure; and words on it."""
    if precision == "fp32":
        return 0.0, ""
    card = model.card
    side = max(_TRIAL_SIDE, card.min_size)
    side += -side % card.multiple
    waves = np.sin(np.arange(side) * 2 * np.pi / 40) * 2**0.5
    noise = np.random.default_rng(0).standard_normal((side, side))
    units = card.input_sigma * (noise + _TRIAL_SIGNAL * np.outer(waves, waves))
    feed = {"map": units.astype(np.float32)[np.newaxis, np.newaxis]}
    (here,), (exact,) = (s.run(["mean"], feed) for s in (session, sessions.on_cpu(model)))
    error = float(np.sqrt(np.mean(np.square(here - exact, dtype=np.float64)))) / card.input_sigma
    return error, f", {precision}: results differ by {error:.2g} noise rms from fp32 on a test map"


def _threads_said(threads: int) -> str:
    cpus = usable_cpus()
    said = f"{threads} thread{'s' * (threads > 1)} on {cpus} CPU{'s' * (cpus > 1)}"
    return f"{said}, more than can run at once" if threads > cpus else said


def _see_samples_differ(model: Model, session: Any) -> None:
    """Refuse a graph whose dropout vanished: onnxruntime removes Dropout nodes without a word, and the spread would be 0."""
    if not model.card.drop_rate:
        return
    (mean,) = session.run(["mean"], sessions.trial(model, samples=2))
    if len(mean) != 2 or np.array_equal(mean[0], mean[1]):
        raise ModelError(
            f"two samples of network {model.card.name!r} ({model.path}) agree exactly, though its card says that it drops a fraction of "
            f"{model.card.drop_rate:g}: its dropout was lost; make it again with 'python -m export'"
        )
