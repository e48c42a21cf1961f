"""The ways to run a network that are compared: each takes maps of shape (n, 1, height, width) and returns as many."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solardn import Denoiser
from solardn.errors import DeviceError
from solardn.machine import usable_cpus
from solardn.model import Model

from .tables import say

Maps = NDArray[np.float32]
Way = Callable[[Maps], Maps]


def ways(model: Model, weights: Path | None = None) -> dict[str, Callable[[], Way | None]]:
    """Return what makes each way to run a network as a user would set it up, or makes nothing and says why.

    Parameters
    ----------
    model : Model
        The network, as ONNX.
    weights : Path, optional
        The same network as its authors' Keras weights: they are run as their users run them, with ``predict`` and compiled with ``tf.function``.
    """
    keras: dict[str, Callable[[], Way | None]] = {}
    if weights is not None:
        keras = {"Keras predict": partial(_predict, weights), "tf.function": partial(_tf_function, weights)}
    return keras | {
        "PyTorch": partial(_pytorch, model),
        "OpenVINO float32": partial(_openvino, model, "f32"),
        "OpenVINO bfloat16": partial(_openvino, model, "bf16"),
        "onnxruntime": partial(_bare_onnxruntime, model),
        "solardn": partial(solardn_way, model),
        "solardn on OpenVINO fp32": partial(_solardn_on_openvino, model, "fp32"),
        "solardn on OpenVINO bf16": partial(_solardn_on_openvino, model, "bf16"),
    }


def solardn_way(model: Model, **options: Any) -> Way:
    """Return a network in solardn, noise level given."""
    denoiser = Denoiser(model, **({"device": "cpu", "memory": "4GB"} | options))
    return lambda maps: np.asarray(denoiser.denoise(maps, scale=1.0))


def _predict(weights: Path) -> Way | None:
    if not _there("tensorflow", "Keras", "install the extra 'export' to compare with it"):
        return None
    model = _keras(weights)
    return lambda maps: _first(model.predict(_last(maps), batch_size=len(maps), verbose=0))


def _tf_function(weights: Path) -> Way | None:
    if not _there("tensorflow", "tf.function", "install the extra 'export' to compare with it"):
        return None
    model = _keras(weights)
    import tensorflow as tf

    compiled = tf.function(lambda x: model(x, training=False), reduce_retracing=False)
    return lambda maps: _first(compiled(tf.constant(_last(maps))).numpy())


@cache
def _keras(weights: Path) -> Any:
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # as users have it
    from export.framework import prepare

    prepare()
    from export.architectures import build_unet
    from export.weights import load_weights

    model = build_unet()
    load_weights(model, weights)
    return model


def _pytorch(model: Model) -> Way | None:
    if not _there("torch", "PyTorch", "it is not installed"):
        return None
    from .torchnet import TorchNetwork

    return TorchNetwork(model, usable_cpus())


def _openvino(model: Model, precision: str) -> Way | None:
    there = _there("openvino", "OpenVINO", "install the extra 'openvino' to compare with it")
    return _OpenVino(model, precision) if there else None


def _solardn_on_openvino(model: Model, precision: str) -> Way | None:
    if not _there("openvino", "solardn on OpenVINO", "install the extra 'openvino' to compare with it"):
        return None
    try:
        way = solardn_way(model, device="openvino", precision=precision)
        way(np.zeros((1, 64, 64), np.float32) + np.float32(model.card.input_sigma))
    except DeviceError as error:
        say(f"solardn on OpenVINO in {precision} is left out: {error}")
        return None
    return way


def _there(library: str, way: str, otherwise: str) -> bool:
    there = importlib.util.find_spec(library) is not None
    if not there:
        say(f"{way} is left out: {otherwise}")
    return there


def _bare_onnxruntime(model: Model) -> Way:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = usable_cpus()
    options.log_severity_level = 3
    session = ort.InferenceSession(model.data, options, providers=["CPUExecutionProvider"])
    return lambda maps: np.asarray(session.run(["mean"], {"map": maps})[0])


class _OpenVino:
    """OpenVINO with the network compiled for each shape of input, as it is fastest."""

    def __init__(self, model: Model, precision: str) -> None:
        self._model, self._precision, self._shape, self._compiled = model, precision, (), None

    def __call__(self, maps: Maps) -> Maps:
        if maps.shape != self._shape:
            import openvino as ov

            network = ov.Core().read_model(self._model.data)
            network.reshape({"map": list(maps.shape)})
            choices = {
                "INFERENCE_PRECISION_HINT": self._precision,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": usable_cpus(),
            }
            self._compiled, self._shape = ov.compile_model(network, "CPU", choices), maps.shape
        return np.asarray(self._compiled({"map": maps})["mean"])  # type: ignore[misc]


def _last(maps: Maps) -> Maps:
    return maps[:, 0, :, :, np.newaxis]


def _first(maps: Maps) -> Maps:
    return np.asarray(maps[np.newaxis, ..., 0].swapaxes(0, 1))
