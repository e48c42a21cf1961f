"""What an ONNX file says of itself, read without onnxruntime and without the ``onnx`` package.

A network from elsewhere is data that nobody vouched for, so it is looked at before a large C++ library is handed it: only the few
protobuf fields needed for that are decoded, lengths are checked against the file, weights are skipped over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 8  # graphs within graphs; a file that nests deeper is not one of ours

_SMALL = 8  # elements of a constant whose values are kept
_FORMATS = {1: "f", 12: "I"}  # float32 and uint32, as ONNX numbers them and as struct calls them

Attribute = int | float | str | tuple[int, ...]
Dim = int | str | None
Tensor = tuple[str, tuple[int, ...], tuple[float, ...]]


class BrokenFile(ValueError):  # noqa: N818 - reads as what is wrong
    """The bytes are no ONNX file, or end too early."""


@dataclass(frozen=True)
class Value:
    """An input or output of the graph: its ONNX element type, and its shape (a number, a symbol, or None for each axis)."""

    dtype: int
    shape: tuple[Dim, ...] | None


@dataclass(frozen=True)
class Node:
    """An operator with the attributes that are numbers, lists of integers or text."""

    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]


@dataclass
class OnnxFile:
    """The parts of an ONNX file that matter before it is run.

    Attributes
    ----------
    metadata : dict
        The file's key-value pairs, among them the card.
    inputs, outputs : dict of str to Value
        What goes into the graph and comes out of it, weights left out.
    nodes : list of Node
        The operators of the graph in the order they run, with those of graphs inside it behind them.
    weights : dict of str to tuple of int
        Names and shapes of the constant tensors.
    constants : dict of str to tuple of float
        Values of the smallest ones among those of float32 and uint32.
    defaults : set of str
        Those constants that may be given as inputs in place of their values.
    external : list of str
        Tensors whose data would be read from another file.
    functions : list of str
        Operators that the file defines itself.
    """

    metadata: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    weights: dict[str, tuple[int, ...]] = field(default_factory=dict)
    constants: dict[str, tuple[float, ...]] = field(default_factory=dict)
    defaults: set[str] = field(default_factory=set)
    external: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)


def read(data: bytes) -> OnnxFile:
    """Decode an ONNX file.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    BrokenFile
        The bytes are no ONNX file, or end too early.
    """
    found = OnnxFile()
    graphs = 0
    try:
        for number, value in fields(memoryview(data)):
            if number == 7:
                graphs += 1
                _graph(value, found, depth=0)
            elif number == 14:
                pair = {n: _text(v) for n, v in fields(value) if n in (1, 2)}
                found.metadata[pair.get(1, "")] = pair.get(2, "")
            elif number == 25:
                found.functions += [_text(v) for n, v in fields(value) if n == 1] or [""]
    except (IndexError, TypeError, struct.error) as error:
        raise BrokenFile("a field has another type than ONNX gives it") from error
    if graphs != 1:
        raise BrokenFile("it holds no graph")
    found.defaults = found.inputs.keys() & found.weights.keys()
    for name in found.defaults:
        del found.inputs[name]
    return found


def following(graph: OnnxFile, name: str) -> set[str]:
    """Return the names of the tensors whose values follow from one of them, itself among them; those that only take its shape do not."""
    found = {name}
    for node in graph.nodes:
        if node.op != "Shape" and not found.isdisjoint(node.inputs):
            found.update(node.outputs)
    return found


def _graph(data: memoryview, found: OnnxFile, depth: int) -> None:
    """Add what a GraphProto holds to `found`."""
    if depth > _DEEPEST:
        raise BrokenFile("its graphs are nested too deep")
    inner: list[memoryview] = []
    for number, value in fields(data):
        if number == 1:
            found.nodes.append(_node(value, found, inner))
        elif number == 5:
            _keep(*_tensor(value, found), found)
        elif number == 15:  # sparse: a tensor of values and one of indices
            for n, v in fields(value):
                if n in (1, 2):
                    _tensor(v, found)
        elif number in (11, 12) and depth == 0:
            name, described = _value(value)
            (found.inputs if number == 11 else found.outputs)[name] = described
    for graph in inner:
        _graph(graph, found, depth + 1)


def _node(data: memoryview, found: OnnxFile, inner: list[memoryview]) -> Node:
    texts: dict[int, list[str]] = {1: [], 2: [], 4: [], 7: []}
    attributes: dict[str, Attribute] = {}
    constant: Tensor | None = None
    for number, value in fields(data):
        if number in texts:
            texts[number].append(_text(value))
        elif number == 5:
            name, attribute, tensor = _attribute(value, found, inner)
            if attribute is not None:
                attributes[name] = attribute
            if tensor is not None:
                constant = tensor
    op, domain = (texts[n][0] if texts[n] else "" for n in (4, 7))
    if op == "Constant" and constant is not None and texts[2]:
        _keep(texts[2][0], *constant[1:], found)
    return Node(op, domain, tuple(texts[1]), tuple(texts[2]), attributes)


def _attribute(
    data: memoryview, found: OnnxFile, inner: list[memoryview]
) -> tuple[str, Attribute | None, Tensor | None]:
    name, numbers = "", []
    result: Attribute | None = None
    tensor: Tensor | None = None
    for number, value in fields(data):
        if number == 1:
            name = _text(value)
        elif number == 2:
            result = float(struct.unpack("<f", value)[0])
        elif number == 3:
            result = _signed(value)
        elif number == 4:
            result = bytes(value).decode("utf-8", "replace")
        elif number == 8:
            numbers += [_signed(n) for n in _packed(value)]
            result = tuple(numbers)
        elif number in (5, 10):
            tensor = _tensor(value, found)
        elif number in (6, 11):
            inner.append(value)
    return name, result, tensor


def _tensor(data: memoryview, found: OnnxFile) -> Tensor:
    """Return name, shape and, where they are few float32, the values; note when they lie in another file."""
    name, dtype, shape, values, elsewhere = "", 0, [], b"", False
    for number, value in fields(data):
        if number == 1:
            shape += [_signed(n) for n in _packed(value)]
        elif number == 2:
            dtype = value
        elif number in (4, 9) and len(value) <= 4 * _SMALL:
            values += bytes(value)
        elif number == 8:
            name = _text(value)
        elif number == 13 or (number == 14 and value == 1):
            elsewhere = True
    if elsewhere:
        found.external.append(name)
    few = (
        struct.unpack(f"<{len(values) // 4}{_FORMATS[dtype]}", values)
        if dtype in _FORMATS and len(values) % 4 == 0
        else ()
    )
    return name, tuple(shape), few


def _keep(name: str, shape: tuple[int, ...], values: tuple[float, ...], found: OnnxFile) -> None:
    found.weights[name] = shape
    if values:
        found.constants[name] = values


def _value(data: memoryview) -> tuple[str, Value]:
    name, dtype, shape = "", 0, None
    for number, value in fields(data):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for n, tensor in fields(value):
                if n != 1:
                    continue
                for m, part in fields(tensor):
                    if m == 1:
                        dtype = part
                    elif m == 2:
                        shape = tuple(_dim(d) for k, d in fields(part) if k == 1)
    return name, Value(dtype, shape)


def _dim(data: memoryview) -> Dim:
    for number, value in fields(data):
        if number == 1:
            return _signed(value)
        if number == 2:
            return _text(value)
    return None


def fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Yield (field number, value) of a protobuf message: an int for a varint, a memoryview for the rest."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise BrokenFile("its bytes are no protobuf message")
        if size > end - at:
            raise BrokenFile("it ends before its own lengths say")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for i in range(10):
        if at + i >= len(data):
            raise BrokenFile("it ends before its own lengths say")
        byte = data[at + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, at + i + 1
    raise BrokenFile("its bytes are no protobuf message")


def _packed(value: int | memoryview) -> list[int]:
    """Return repeated integers, which a file may hold one by one or all in one field."""
    if isinstance(value, int):
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        numbers.append(number)
    return numbers


def _signed(value: int) -> int:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    return value - (1 << 64) if value >> 63 else value


def _text(value: memoryview) -> str:
    return bytes(value).decode("utf-8", "replace")
