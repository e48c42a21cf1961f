"""Begin a training with the weights of a network that is there already as ONNX."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from solardn.card import decode_array
from solardn.errors import ModelError
from solardn.model import load

from .network import LARGE, SMALL, stokes

Weights = dict[str, list[NDArray[np.float32]]]
"""Weights of layers, by their names."""


def starting_network(name: str) -> keras.Model:
    """Return an ONNX network of the form of `training.network.stokes` as a Keras model in float32.

    Raises
    ------
    ModelError
        The network does not exist or is built otherwise.
    """
    found = load(name)
    graph = onnx.load_from_string(found.data).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convolutions = [[values[n] for n in node.input[1:]] for node in graph.node if node.op_type == "Conv"]
    shapes = [tuple(weights.transpose(2, 3, 1, 0).shape) for weights, _ in convolutions]
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    built = [stokes(filters) for filters in (LARGE, SMALL)]
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
        wanted, given = (decode_array(found.card.check[key])[0, 0] for key in ("mean", "map"))
        result = np.asarray(model(given[None, ..., None], training=False))[0, ..., 0]
        if np.abs(result - wanted).max() > 1e-3 * np.ptp(wanted):
            raise ModelError(
                f"network {name} computes otherwise than those that pairs train; start from another, or from none"
            )
    return model


def _convolutions(model: keras.Model) -> list[keras.layers.Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def starting_weights(name: str) -> Weights:
    """Return the weights of such a network; see `starting_network`."""
    return _weights(starting_network(name))


def trained_weights(path: Path) -> Weights:
    """Return the weights of a network that was trained here, a ``.keras`` file."""
    return _weights(keras.models.load_model(path, compile=False))


def _weights(model: keras.Model) -> Weights:
    return {layer.name: values for layer in model.layers if (values := layer.get_weights())}


def begin(model: keras.Model, weights: Weights) -> None:
    """Give a network the weights of another, where layers bear the same name: the others were added to it."""
    for layer in model.layers:
        if layer.name in weights:
            layer.set_weights(weights[layer.name])
