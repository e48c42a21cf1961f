"""A converted graph becomes one that draws dropout masks, as a pure function of seed and place.

onnxruntime deletes ONNX ``Dropout`` nodes without a word, and random nodes differ between tiles, threads and devices. Here masks
are arithmetic on integers, the same everywhere (see `export.masks`, their twin in numpy).

A graph made here takes two more inputs: ``seed``, uint32 [samples], and ``origin``, int64 [2], the row and column of the first pixel
of the map in the whole map, multiples of the card's ``multiple``. ``map`` may be a single one, [1, 1, height, width]: what comes before
the first dropout then runs once for all samples. ``mean`` is [samples, 1, height, width]; ``log_variance`` as well if dropout lies on its way, else
it keeps the batch of ``map``.

Two constants may be given as inputs in place of their values: with ``dropout_threshold`` 0 (uint32) and ``dropout_scale`` 1 (float32) the
graph computes exactly what the deterministic one does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

from solardn.card import Card
from solardn.errors import ModelError, OptionError

from . import graph as repair
from . import masks
from .cards import Place, drop_places, make_check, read_card, read_places, sample_map, write_card
from .halo import Needs

OPSET = 18
"""The first opset with BitwiseXor."""

THRESHOLD, SCALE = "dropout_threshold", "dropout_scale"
"""The constants that can be given as inputs: below which word a unit is dropped, and by what the others are multiplied."""

STILL = {THRESHOLD: np.zeros((), np.uint32), SCALE: np.ones((), np.float32)}
"""What to give for them so that nothing is dropped."""

_ACTIVATIONS = {"Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "HardSwish", "Clip", "Gelu"}


@dataclass(frozen=True)
class Spot:
    """A place of dropout, with what the masks need to know of it.

    Attributes
    ----------
    place : Place
        Tensor and users.
    channels : int
        Channels of the tensor.
    step : tuple of int
        Pixels of the map per pixel of the tensor, along y and x.
    """

    place: Place
    channels: int
    step: tuple[int, int]


def add_dropout(
    model: onnx.ModelProto, kind: str | None = None, rate: float | None = None, name: str | None = None
) -> onnx.ModelProto:
    """Return a copy of a converted network that draws dropout masks.

    Parameters
    ----------
    model : onnx.ModelProto
        What `export.convert.convert` returned.
    kind : {"element", "channel"}, optional
        What is dropped; by default as in training.
    rate : float, optional
        Fraction dropped, in [0, 1); by default as in training.
    name : str, optional
        Name of the new network; by default that of the old one.

    Returns
    -------
    onnx.ModelProto
        The network with the inputs ``seed`` and ``origin`` and its card.

    Raises
    ------
    OptionError
        Kind or rate is nonsense, or not given for a network trained without dropout.
    ModelError
        No dropout lies on the way to the mean, or the result does not do what it should.
    """
    card = read_card(model, "the network")
    if card.dropout:
        raise ModelError(f"the network {card.name!r} draws dropout masks already; start from the deterministic one")
    kind, rate = _settings(card.name, read_places(model), kind, rate)
    spots = _spots(model)
    made = _build(model, spots, kind, rate)
    _prove(model, made, card, rate)
    feeds = {"seed": np.array([1, 2], np.uint32), "origin": np.zeros(2, np.int64)}
    needs = Needs(card.halo, card.multiple, card.min_size)
    check = make_check(made, needs, card.input_sigma, feeds)
    # A calibration belongs to the spread of the samples it was measured on.
    dropout = {"rate": rate, "kind": kind, "layers": len(spots)}
    write_card(made, replace(card, name=name or card.name, dropout=dropout, check=check, calibration=None))
    drop_places(made)
    return made


def _settings(name: str, places: Sequence[Place], kind: str | None, rate: float | None) -> tuple[str, float]:
    trained = {(place.kind, place.rate) for place in places}
    if (kind is None or rate is None) and len(trained) != 1:
        found = "different dropouts at different places" if trained else "no dropout"
        raise OptionError(f"the network {name!r} was trained with {found}; say which with --dropout and --rate")
    if trained:
        default = next(iter(trained))
        kind, rate = kind or default[0], default[1] if rate is None else rate
    if kind not in ("element", "channel"):
        raise OptionError(f"the dropout {kind!r} is not known; take element or channel")
    if rate is None or not 0 <= rate < 1:
        raise OptionError(f"the dropout rate {rate} is not in [0, 1)")
    return kind, float(rate)


def _spots(model: onnx.ModelProto) -> list[Spot]:
    """Return the places of dropout that lie on the way to the mean: those of training, or after each 3×3 convolution's activation."""
    places = read_places(model) or _default_places(model.graph)
    behind = _behind(model.graph, "mean")
    makes = {node.name: node.output[0] for node in model.graph.node}
    places = [place for place in places if any(makes[user] in behind for user in place.users)]
    if not places:
        raise ModelError(
            "no place for dropout lies on the way to the mean; train with MCDropout layers of export/layers.py"
        )
    tensors = list(dict.fromkeys(place.tensor for place in places))
    shapes = repair.shapes_of(model, tensors, (192, 384))
    spots = []
    for place in places:
        _, channels, height, width = shapes[place.tensor]
        if 192 % height or 384 % width:
            raise ModelError(
                f"the values {place.tensor} are {height}×{width} px for a map of 192×384 px; drop at whole steps only"
            )
        spots.append(Spot(place, channels, (192 // height, 384 // width)))
    return spots


def _default_places(graph: onnx.GraphProto) -> list[Place]:
    places = []
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        maker = makers.get(node.input[0])
        if node.op_type not in _ACTIVATIONS or maker is None or maker.op_type != "Conv":
            continue
        sizes = {attribute.name: list(attribute.ints) for attribute in maker.attribute}
        users = tuple(user.name for user in graph.node if node.output[0] in user.input)
        if sizes.get("kernel_shape") == [3, 3] and users:
            places.append(Place(node.output[0], users, 0.0, "element"))
    return places


class _Writer:
    """Appends nodes and constants to a graph; every call returns the name of what it makes."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self.known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def constant(self, value: Any, dtype: type) -> str:
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.known:
            self.known[key] = f"dropout.constant_{len(self.known) + 1}"
            self.graph.initializer.append(numpy_helper.from_array(array, self.known[key]))
        return self.known[key]

    def word(self, value: int) -> str:
        return self.constant(value, np.uint32)

    def index(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"dropout.{operator.lower()}_{len(self.nodes) + 1}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def hash(self, words: str) -> str:
        """As `masks.lowbias32`."""
        for shift, factor in zip(masks.SHIFTS, (*masks.FACTORS, None), strict=True):
            words = self.node("BitwiseXor", words, self.node("BitShift", words, self.word(shift), direction="RIGHT"))
            words = words if factor is None else self.node("Mul", words, self.word(factor))
        return words

    def channels(self, words: str, start: int, number: int) -> str:
        return self.node("Slice", words, self.index(start), self.index(start + number), self.index(1))


def _build(model: onnx.ModelProto, spots: Sequence[Spot], kind: str, rate: float) -> onnx.ModelProto:
    """Return the graph with masks of one kind and rate at the spots."""
    made = version_converter.convert_version(model, max(OPSET, model.opset_import[0].version))
    made.producer_name, made.ir_version = model.producer_name, max(8, model.ir_version)
    graph = made.graph
    graph.input.append(helper.make_tensor_value_info("seed", TensorProto.UINT32, ["samples"]))
    graph.input.append(helper.make_tensor_value_info("origin", TensorProto.INT64, [2]))
    for name, value in ((THRESHOLD, np.uint32(masks.threshold(rate))), (SCALE, np.float32(1 / (1 - rate)))):
        tensor = numpy_helper.from_array(np.asarray(value), name)
        graph.initializer.append(tensor)
        graph.input.append(helper.make_tensor_value_info(name, tensor.data_type, []))
    writer = _Writer(graph)
    seeds = writer.hash(writer.node("BitwiseXor", "seed", writer.word(masks.SEED)))
    seeds = writer.node("Reshape", seeds, writer.index(-1, 1, 1, 1))
    for step in sorted({spot.step for spot in spots}):
        group = [(layer, spot) for layer, spot in enumerate(spots) if spot.step == step]
        units = np.concatenate([masks.unit_words(layer, spot.channels) for layer, spot in group])
        keys = writer.hash(writer.node("BitwiseXor", seeds, writer.constant(units.reshape(1, -1, 1, 1), np.uint32)))
        apply = _channel_dropout(writer, keys) if kind == "channel" else _element_dropout(writer, keys, group[0][1])
        start = 0
        for _, spot in group:
            dropped = apply(spot, start)
            start += spot.channels
            for node in graph.node:
                if node.name in spot.place.users:
                    node.input[:] = [dropped if name == spot.place.tensor else name for name in node.input]
    graph.node.extend(writer.nodes)
    repair.sort(graph)
    _spread_samples(graph, writer)
    repair.sort(graph)
    _set_batch(graph)
    onnx.checker.check_model(made, full_check=True)
    return made


def _channel_dropout(writer: _Writer, keys: str) -> Callable[[Spot, int], str]:
    """Return a function that writes channel-wise dropout for a spot whose channels begin at a place in ``keys``."""
    words = writer.hash(writer.node("BitwiseXor", keys, writer.word(masks.CHANNEL)))
    keep = writer.node("GreaterOrEqual", words, THRESHOLD)
    factors = writer.node("Where", keep, SCALE, writer.constant(0, np.float32))

    def apply(spot: Spot, start: int) -> str:
        return writer.node("Mul", spot.place.tensor, writer.channels(factors, start, spot.channels))

    return apply


def _element_dropout(writer: _Writer, keys: str, spot: Spot) -> Callable[[Spot, int], str]:
    """Return a function that writes element-wise dropout; all its spots have the size of ``spot``."""
    tables = []
    for axis, shape, salt in ((0, (-1, 1), masks.ROW), (1, (1, -1), masks.COLUMN)):
        first = writer.node("Gather", "origin", writer.constant(axis, np.int64))
        first = writer.node("Div", first, writer.constant(spot.step[axis], np.int64))
        count = writer.node("Gather", writer.node("Shape", spot.place.tensor), writer.constant(2 + axis, np.int64))
        numbers = writer.node("Range", first, writer.node("Add", first, count), writer.constant(1, np.int64))
        numbers = writer.node("Reshape", writer.node("Cast", numbers, to=TensorProto.UINT32), writer.index(*shape))
        words = writer.hash(writer.node("BitwiseXor", numbers, writer.word(salt)))
        words = writer.hash(writer.node("BitwiseXor", keys, words))
        tables.append(writer.node("BitwiseOr", words, writer.word(1)))

    def apply(spot: Spot, start: int) -> str:
        rows, columns = (writer.channels(table, start, spot.channels) for table in tables)
        keep = writer.node("GreaterOrEqual", writer.node("Mul", rows, columns), THRESHOLD)
        scaled = writer.node("Mul", spot.place.tensor, SCALE)
        return writer.node("Where", keep, scaled, writer.constant(0, np.float32))

    return apply


def _spread_samples(graph: onnx.GraphProto, writer: _Writer) -> None:
    """Repeat, before a Concat, values that are one for all samples where others are one per sample: Concat does not broadcast."""
    writer.nodes = []
    sampled = {"seed"}
    shape = ""
    for node in graph.node:
        if node.op_type == "Concat" and sampled.intersection(node.input) and node.name[:8] != "dropout.":
            shape = shape or writer.node("Concat", writer.node("Shape", "seed"), writer.index(1, 1, 1), axis=0)
            node.input[:] = [name if name in sampled else writer.node("Expand", name, shape) for name in node.input]
        if node.op_type != "Shape" and sampled.intersection(node.input):
            sampled.update(node.output)
    graph.node.extend(writer.nodes)


def _set_batch(graph: onnx.GraphProto) -> None:
    """Name the batch of each output after what it follows: ``samples``, or the ``batch`` of the map."""
    for value in graph.output:
        follows = "seed" in _behind(graph, value.name)
        value.type.tensor_type.shape.dim[0].dim_param = "samples" if follows else "batch"


def _behind(graph: onnx.GraphProto, output: str) -> set[str]:
    """Return the names of all values that an output follows from."""
    needed = {output}
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
    return needed


def _prove(model: onnx.ModelProto, made: onnx.ModelProto, card: Card, rate: float) -> None:
    """Insist that rate 0 changes nothing, and that samples differ otherwise."""
    size = max(card.min_size, -(-64 // card.multiple) * card.multiple)
    array = sample_map(size, size, card.input_sigma)[None, None]
    names = list(card.outputs)
    feeds = {"map": array, "seed": np.array([1, 2], np.uint32), "origin": np.zeros(2, np.int64)}
    running = repair.session(made)
    still = running.run(names, feeds | STILL)
    for name, expected, result in zip(names, repair.session(model).run(names, {"map": array}), still, strict=True):
        if not all(np.array_equal(sample, expected[0]) for sample in result):
            raise ModelError(f"the graph of {card.name!r} with dropout of rate 0 changes {name}; report this as a bug")
    (mean,) = running.run(["mean"], feeds)
    if rate and np.array_equal(mean[0], mean[1]):
        raise ModelError(f"two samples of {card.name!r} with dropout of rate {rate} agree exactly; raise the rate")
