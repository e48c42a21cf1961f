"""Keras → ONNX: the graph, cleaned, with its card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import keras
import onnx
import tensorflow as tf
import tf2onnx

from solardn.card import Card
from solardn.errors import ModelError, OptionError

from . import graph as repair
from .cards import Place, make_check, write_card, write_places
from .halo import measure
from .layers import MCDropout, NearestUpsample
from .quirks import errors_raised, transposes_kept
from .sizes import settle_sizes
from .source import Source, rebuild

OPSET = 13
"""Lowest opset in which the operators have the form that runtimes of today know best."""


def convert(source: Source, name: str, card: Mapping[str, Any]) -> onnx.ModelProto:
    """Convert a network and give it its card.

    Parameters
    ----------
    source : Source
        The trained network.
    name : str
        The network's name.
    card : mapping
        Values for `solardn.card.Card` that cannot be measured (``input_sigma``, ``description``, ``reference``, ``licence``,
        ``calibration``, ``source``); they go before what the source knows.

    Returns
    -------
    onnx.ModelProto
        Input ``map``, outputs ``mean`` and, where there, ``log_variance``: float32 [batch, 1, height, width].

    Raises
    ------
    ModelError
        The network cannot be converted within the contract.
    OptionError
        ``input_sigma`` is not known, or the card holds keys it cannot have.
    """
    known = {**source.card, **card}
    if "input_sigma" not in known:
        raise OptionError(
            f"the rms of the noise that {name} was trained with, in its own input units, is not known; give it with --input-sigma"
        )
    model, places = to_onnx(source)
    needs = measure(model)
    versions = {library: version(library) for library in ("keras", "tensorflow-cpu", "tf2onnx", "onnx")}
    known["source"] = {**source.origin, "converted_with": versions, **known.get("source", {})}
    known |= {"halo": needs.halo, "multiple": needs.multiple, "min_size": needs.min_size}
    known["outputs"] = tuple(value.name for value in model.graph.output)
    known["check"] = make_check(model, needs, float(known["input_sigma"]))
    try:
        made = Card(name=name, **known)
    except TypeError as error:
        raise OptionError(f"the card of {name} cannot be written ({error}); check what --card gives") from error
    write_card(model, made)
    write_places(model, places)
    return model


def to_onnx(source: Source) -> tuple[onnx.ModelProto, list[Place]]:
    """Return the clean graph of a network, and where dropout sat in training."""
    trained, marks = _mark(source.model)

    @tf.function
    def network(map: Any) -> dict[str, Any]:
        results = trained(map, training=False)
        return dict(zip(source.outputs, results if isinstance(results, (list, tuple)) else [results], strict=True))

    with errors_raised(source.model.name), transposes_kept():
        model, _ = tf2onnx.convert.from_function(
            network,
            [tf.TensorSpec((None, None, None, 1), tf.float32, name="map")],
            opset=OPSET,
            inputs_as_nchw=["map"],
            outputs_as_nchw=list(source.outputs),
        )
    # tf2onnx sorts outputs by name; the contract has the mean first.
    repair.set_shapes(model.graph, tuple(sorted(source.outputs, key=("mean", "log_variance").index)))
    repair.drop_identities(model.graph)
    settle_sizes(model)
    repair.sort(model.graph)
    for node in model.graph.node:
        node.doc_string = node.name
    repair.name_all(model.graph)
    places = _take_markers(model.graph, marks)
    for node in model.graph.node:
        node.doc_string = ""
    model.graph.name, model.graph.doc_string = source.model.name, ""
    model.producer_name, model.producer_version, model.doc_string = "solardn.export", "", ""
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    repair.check(model, source.model.name)
    return model, places


def _mark(model: keras.Model) -> tuple[keras.Model, list[tuple[float, str]]]:
    """Return the network with markers for dropout and single nodes for up-samplings, and rate and kind by marker."""
    marks: list[tuple[float, str]] = []

    def replace(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, (MCDropout, keras.layers.Dropout, keras.layers.SpatialDropout2D)):
            marks.append((float(layer.rate), _kind(layer)))
            return _Marker(len(marks) - 1, name=layer.name)
        if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation == "nearest":
            if layer.size[0] != layer.size[1]:
                raise ModelError(
                    f"layer {layer.name!r} enlarges by {layer.size}; the same factor along y and x is needed"
                )
            return NearestUpsample(layer.size[0], name=layer.name)
        return type(layer).from_config(layer.get_config())

    return rebuild(model, replace), marks


def _kind(layer: keras.layers.Layer) -> str:
    if isinstance(layer, MCDropout):
        return str(layer.kind)
    if isinstance(layer, keras.layers.SpatialDropout2D):
        return "channel"
    kinds = {None: "element", (None, 1, 1, None): "channel"}
    if layer.noise_shape not in kinds:
        raise ModelError(
            f"layer {layer.name!r} drops units of the shape {layer.noise_shape}; elements or channels are needed"
        )
    return kinds[layer.noise_shape]


class _Marker(keras.layers.Layer):
    """The identity as a LeakyRelu of slope 1, which, unlike Identity, survives until `_take_markers` has seen it."""

    def __init__(self, number: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.number = number

    def call(self, inputs: Any) -> Any:
        return tf.raw_ops.LeakyRelu(features=inputs, alpha=1.0, name=f"dropout_place_{self.number}_")


def _take_markers(graph: onnx.GraphProto, marks: list[tuple[float, str]]) -> list[Place]:
    """Remove the markers from the graph; return what they stood for, in the order in which the graph runs."""
    places = []
    for node in list(graph.node):
        found = re.search(r"dropout_place_(\d+)_", node.doc_string)
        if not found:
            continue
        rate, kind = marks[int(found[1])]
        users = tuple(user.name for user in graph.node if node.output[0] in user.input)
        places.append(Place(node.input[0], users, rate, kind))
        repair.bypass(graph, node)
    if len(places) < len(marks):
        raise ModelError(
            f"{len(marks)} dropout layers became {len(places)} places in the graph; leave out those whose result is not used"
        )
    return places
