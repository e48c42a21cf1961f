"""The masks of `export.masks` as nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, version_converter

from . import graph as repair
from . import masks
from .cards import Place

OPSET = 18
"""The first opset with BitwiseXor."""

THRESHOLD, SCALE = "dropout_threshold", "dropout_scale"
"""The constants that can be given as inputs: below which word a unit is dropped, and by what the others are multiplied."""

STILL = {THRESHOLD: np.zeros((), np.uint32), SCALE: np.ones((), np.float32)}
"""What to give for them so that nothing is dropped."""


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


class _Writer:
    """Appends nodes and constants to a graph; every call returns the name of what it makes."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self.known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def constant(self, value: Any, dtype: type) -> str:
        array: NDArray[Any] = np.asarray(value, dtype=dtype)
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


def draw_masks(model: onnx.ModelProto, spots: Sequence[Spot], kind: str, rate: float) -> onnx.ModelProto:
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
        follows = "seed" in behind(graph, value.name)
        value.type.tensor_type.shape.dim[0].dim_param = "samples" if follows else "batch"


def behind(graph: onnx.GraphProto, output: str) -> set[str]:
    """Return the names of all values that an output follows from."""
    needed = {output}
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
    return needed
