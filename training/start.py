"""Begin a training with the weights of a network that is there already as ONNX."""

from __future__ import annotations

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from solardn.card import decode_array
from solardn.errors import ModelError
from solardn.model import load

from .network import stokes


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
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    model = stokes()
    keras.config.set_dtype_policy(policy)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    shapes = [tuple(weights.transpose(2, 3, 1, 0).shape) for weights, _ in convolutions]
    if shapes != [tuple(layer.kernel.shape) for layer in layers]:
        raise ModelError(
            f"network {name} is built otherwise than those that pairs train; start from another, or from none"
        )
    for layer, (weights, bias) in zip(layers, convolutions, strict=True):
        layer.set_weights([weights.transpose(2, 3, 1, 0), bias])
    if found.card.check:
        wanted, given = (decode_array(found.card.check[key])[0, 0] for key in ("mean", "map"))
        result = np.asarray(model(given[None, ..., None], training=False))[0, ..., 0]
        if np.abs(result - wanted).max() > 1e-3 * np.ptp(wanted):
            raise ModelError(
                f"network {name} computes otherwise than those that pairs train; start from another, or from none"
            )
    return model


def starting_weights(name: str) -> list[NDArray[np.float32]]:
    """Return the weights of such a network, in the order of Keras; see `starting_network`."""
    loaded: list[NDArray[np.float32]] = starting_network(name).get_weights()
    return loaded
