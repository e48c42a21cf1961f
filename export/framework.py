"""Keras on TensorFlow, quietly: import this before ``keras``."""

from __future__ import annotations

import importlib.util
import os
import sys

from solardn.errors import MissingExtra, OptionError


def prepare() -> None:
    """Choose TensorFlow, on the CPU and without its banner, for the Keras that is imported next.

    Raises
    ------
    MissingExtra
        A library of the extra ``export`` is not installed.
    OptionError
        Another backend of Keras was asked for: only TensorFlow's graphs convert.
    """
    missing = [
        name for name in ("tensorflow", "keras", "tf2onnx", "onnx", "h5py") if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise MissingExtra(
            f"{', '.join(missing)} is needed to convert networks; install it with: pip install 'solardn[export]'"
        )
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if "keras" in sys.modules:
        backend = sys.modules["keras"].backend.backend()
    if backend != "tensorflow":
        raise OptionError(
            f"Keras runs on {backend!r} here, but only TensorFlow's graphs convert; unset KERAS_BACKEND for this command"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its banner, and sums in another order than elsewhere
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # conversion needs no device, and TensorFlow would take all its memory
