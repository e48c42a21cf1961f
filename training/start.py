"""Begin a training with the weights of a network that is there already as ONNX."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from solardn.card import decode_array
from solardn.engine import Engine
from solardn.errors import ModelError
from solardn.model import load

from .network import SHAPES, stokes

Weights = dict[str, list[NDArray[np.float32]]]
"""Weights of layers, by their names."""


def starting_network(name: str) -> keras.Model:
    """Return the mean of an ONNX network of the form of `training.network.stokes` as a Keras model in float32.

    Raises
    ------
    ModelError
        The network does not exist or is built otherwise.
    """
    found = load(name)
    convolutions = _before(onnx.load_from_string(found.data).graph, "mean")
    shapes = [tuple(weights.transpose(2, 3, 1, 0).shape) for weights, _ in convolutions]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    built = [stokes(shape) for shape in SHAPES]
    keras.config.set_dtype_policy(policy)
    fitting = [model for model in built if [tuple(layer.kernel.shape) for layer in _convolutions(model)] == shapes]
    if not fitting:
        raise ModelError(
            f"network {name} is built otherwise than those that pairs train; start from another, or from none"
        )
    model = fitting[0]
    for layer, (weights, bias) in zip(_convolutions(model), convolutions, strict=True):
        layer.set_weights([weights.transpose(2, 3, 1, 0), bias])
    if found.card.check:
        given = decode_array(found.card.check["map"])
        wanted = Engine(found, "cpu").run(given, outputs=("mean",))["mean"]
        result = np.asarray(model(given.transpose(0, 2, 3, 1), training=False)).transpose(0, 3, 1, 2)
        if np.abs(result - wanted).max() > 1e-3 * np.ptp(wanted):
            raise ModelError(
                f"network {name} computes otherwise than those that pairs train; start from another, or from none"
            )
    return model


def copy(trained: keras.Model) -> keras.Model:
    """Return a network of the form of a starting one, and with its weights, in the precision that is set."""
    model = next(one for one in map(stokes, SHAPES) if one.count_params() == trained.count_params())
    model.set_weights(trained.get_weights())
    return model


def _before(graph: onnx.GraphProto, output: str) -> list[list[NDArray[np.float32]]]:
    """Return weights and bias of each convolution that an output depends on, in the order of the graph."""
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    wanted, found = {output}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            if node.op_type == "Conv":
                found.append([values[name] for name in node.input[1:]])
    return found[::-1]


def _convolutions(model: keras.Model) -> list[keras.layers.Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def starting_weights(name: str) -> Weights:
    """Return the weights of such a network, those of its log variance as well; see `starting_network`."""
    return _weights(starting_network(name)) | _variance(onnx.load_from_string(load(name).data).graph)


def _variance(graph: onnx.GraphProto) -> Weights:
    """Return the weights of the layers that only the log variance depends on: they follow the encoder, which the mean needs, too."""
    if "log_variance" not in [output.name for output in graph.output]:
        return {}
    layers = [layer for layer in _convolutions(stokes(rate=0.1)) if layer.name.startswith("var")]
    found = _before(graph, "log_variance")[-len(layers) :]
    return {
        layer.name: [weights.transpose(2, 3, 1, 0), bias] for layer, (weights, bias) in zip(layers, found, strict=True)
    }


def trained_weights(path: Path) -> Weights:
    """Return the weights of a network that was trained here, a ``.keras`` file."""
    return _weights(keras.models.load_model(path, compile=False))


def _weights(model: keras.Model) -> Weights:
    return {layer.name: values for layer in model.layers if (values := layer.get_weights())}


def begin(model: keras.Model, weights: Weights) -> None:
    """Give a network the weights of another, where layers bear the same name and have the same form: the others begin anew."""
    for layer in model.layers:
        given = weights.get(layer.name, [])
        if given and [tuple(v.shape) for v in layer.weights] == [v.shape for v in given]:
            layer.set_weights(given)
