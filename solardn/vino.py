"""OpenVINO, another way to compute on a CPU, also in bfloat16. The only file that knows it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np

from .errors import DeviceError, MissingExtra, ModelError
from .model import Model

_KEPT = 4  # shapes for which the network stays compiled
_HINTS = {"fp32": "f32", "bf16": "bf16"}
_CHANNELS_LAST, _CHANNELS_FIRST = np.array([0, 2, 3, 1]), np.array([0, 3, 1, 2])
_Key = tuple[tuple[int, ...], tuple[str, ...]]


class Session:
    """A network compiled by OpenVINO for each shape that comes.

    All threads work together on one run; runs from several threads wait for one another.

    Parameters
    ----------
    model : Model
    precision : str
        ``fp32`` or ``bf16``. In bfloat16 the first convolution and the last subtraction, which see the map itself, stay in float32: a
        signal of 100 noise rms leaves no digits of a bfloat16 for the noise.
    threads : int

    Raises
    ------
    MissingExtra
        OpenVINO is not installed.
    DeviceError
        The CPU has no arithmetic of this precision.
    ModelError
        OpenVINO refuses the network, or it draws dropout masks.
    """

    def __init__(self, model: Model, precision: str, threads: int) -> None:
        self._ov, self._model, self._precision = _openvino(), model, precision
        self._core = self._ov.Core()
        self._core.set_property("CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"})
        self._lock = threading.Lock()
        self._compiled: OrderedDict[_Key, Any] = OrderedDict()
        if precision == "bf16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise DeviceError("this CPU has no arithmetic in bfloat16; use --precision fp32")
        if model.card.dropout is not None:
            raise ModelError(
                f"network {model.card.name!r} draws dropout masks, which is done with onnxruntime only; use --device cpu, or a network without dropout"
            )

    def run(self, names: list[str], feed: dict[str, Any], options: None = None) -> list[Any]:
        """Return some of the outputs for a batch of maps, as a session of onnxruntime does."""
        maps = feed["map"]
        with self._lock:
            run = self._for((maps.shape, tuple(names)))
            return list(run(maps))

    def _for(self, key: _Key) -> Any:
        """Return the network compiled for a shape and some outputs."""
        if key not in self._compiled:
            while len(self._compiled) >= _KEPT:
                self._compiled.popitem(last=False)
            self._compiled[key] = self._compile(*key)
        self._compiled.move_to_end(key)
        return self._compiled[key]

    def _compile(self, shape: tuple[int, ...], names: tuple[str, ...]) -> Any:
        try:
            read = self._core.read_model(self._model.data)
            read.reshape({"map": list(shape)})
        except RuntimeError as error:
            raise ModelError(f"OpenVINO refuses the network {self._model.path}: {_brief(error)}") from error
        network = self._ov.Model([read.output(name) for name in names], read.get_parameters())
        if self._precision == "fp32":
            whole = self._ready(network, "fp32")
            return lambda maps: [whole([maps])[number] for number in range(len(names))]
        first, rest = split(network)
        head, tail = self._ready(first, "fp32"), self._ready(rest, self._precision)

        def run(maps: Any) -> list[Any]:
            found = tail([maps, head([maps], share_outputs=True)[0]])
            return [found[number] for number in range(len(names))]

        return run

    def _ready(self, network: Any, precision: str) -> Any:
        return self._core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": _HINTS[precision]})


def split(network: Any) -> tuple[Any, Any]:
    """Return a network in two: up to the features that the first convolution finds, and from the map and those features on.

    Features go over channels last, as convolutions compute them: in another order each would be copied twice.
    """
    from openvino import Model, opset13, passes

    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())  # else the shapes of a bias are computed from the features
    manager.run_passes(network)
    found = next(op for op in network.get_ordered_ops() if op.get_type_name() == "Convolution").output(0)
    while len(after := list(found.get_target_inputs())) == 1 and after[0].get_node().get_type_name() in (
        "Add",
        "Relu",
    ):
        found = after[0].get_node().output(0)
    parameters, places = network.get_parameters(), list(found.get_target_inputs())
    first = Model([opset13.transpose(found, _CHANNELS_LAST).output(0)], parameters).clone()
    features = opset13.parameter(first.output(0).get_partial_shape(), np.float32, name="features")
    back = opset13.transpose(features, _CHANNELS_FIRST)
    for place in places:
        place.replace_source_output(back.output(0))
    ends = [result.input_value(0) for result in network.get_results()]
    return first, Model(ends, [*parameters, features])


def _openvino() -> Any:
    """Import OpenVINO when it is needed, and not before."""
    try:
        import openvino
    except ImportError as error:
        raise MissingExtra(
            "the device openvino needs the package openvino; install it with: pip install 'solardn[openvino]', or use --device cpu"
        ) from error
    return openvino


def _brief(error: Exception) -> str:
    return ([line for line in str(error).splitlines() if line.strip()] or [type(error).__name__])[-1].strip()
