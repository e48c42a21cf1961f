"""The ways to run a network that are compared: each takes maps of shape (n, 1, height, width) and returns as many."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
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


def keras_ways(weights: Path) -> Iterator[tuple[str, Way]]:
    """Yield the authors' network as its users run it: Keras ``predict``, and compiled with ``tf.function``."""
    if importlib.util.find_spec("tensorflow") is None:
        say("Keras is left out: install the extra 'export' to compare with it")
        return
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # as users have it
    from export.framework import prepare

    prepare()
    import tensorflow as tf

    from export.architectures import build_unet
    from export.weights import load_weights

    model = build_unet()
    load_weights(model, weights)
    compiled = tf.function(lambda x: model(x, training=False), reduce_retracing=False)
    yield "Keras predict", lambda maps: _first(model.predict(_last(maps), batch_size=len(maps), verbose=0))
    yield "tf.function", lambda maps: _first(compiled(tf.constant(_last(maps))).numpy())


def runtime_ways(model: Model) -> Iterator[tuple[str, Way]]:
    """Yield a converted network in PyTorch, OpenVINO and onnxruntime, each as a user would set it up."""
    if importlib.util.find_spec("torch") is None:
        say("PyTorch is left out: it is not installed")
    else:
        from .torchnet import TorchNetwork

        yield "PyTorch", TorchNetwork(model, usable_cpus())
    if importlib.util.find_spec("openvino") is None:
        say("OpenVINO is left out: install the extra 'openvino' to compare with it")
    else:
        yield "OpenVINO float32", _OpenVino(model, "f32")
        yield "OpenVINO bfloat16", _OpenVino(model, "bf16")
    yield "onnxruntime", _bare_onnxruntime(model)


def solardn_way(model: Model, **options: Any) -> Way:
    """Return a network in solardn, noise level given."""
    denoiser = Denoiser(model, **({"device": "cpu", "memory": "4GB"} | options))
    return lambda maps: np.asarray(denoiser.denoise(maps, scale=1.0))


def openvino_ways(model: Model) -> Iterator[tuple[str, Way]]:
    """Yield a network in solardn on OpenVINO, in the precisions that this CPU has."""
    if importlib.util.find_spec("openvino") is None:
        return
    for precision in ("fp32", "bf16"):
        try:
            way = solardn_way(model, device="openvino", precision=precision)
            way(np.zeros((1, 64, 64), np.float32) + np.float32(model.card.input_sigma))
        except DeviceError as error:
            say(f"OpenVINO in {precision} is left out: {error}")
            continue
        yield f"solardn on OpenVINO {precision}", way


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
