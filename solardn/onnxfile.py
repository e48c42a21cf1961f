"""What an ONNX file says of itself, read without onnxruntime and without the ``onnx`` package.

A network from elsewhere is data that nobody vouched for, so it is looked at before a large C++ library is handed it: only the few
protobuf fields needed for that are decoded, lengths are checked against the file, weights are skipped over.
"""

from __future__ import annotations

import struct

from .onnxgraph import Attribute, Dim, Node, OnnxFile, Tensor, Value
from .wire import BrokenFile, fields, packed, signed, text

_DEEPEST = 8  # graphs within graphs; a file that nests deeper is not one of ours

_SMALL = 8  # elements of a constant whose values are kept
_FORMATS = {1: "f", 12: "I"}  # float32 and uint32, as ONNX numbers them and as struct calls them


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
                pair = {n: text(v) for n, v in fields(value) if n in (1, 2)}
                found.metadata[pair.get(1, "")] = pair.get(2, "")
            elif number == 25:
                found.functions += [text(v) for n, v in fields(value) if n == 1] or [""]
    except (IndexError, TypeError, struct.error) as error:
        raise BrokenFile("a field has another type than ONNX gives it") from error
    if graphs != 1:
        raise BrokenFile("it holds no graph")
    found.defaults = found.inputs.keys() & found.weights.keys()
    for name in found.defaults:
        del found.inputs[name]
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
            texts[number].append(text(value))
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
            name = text(value)
        elif number == 2:
            result = float(struct.unpack("<f", value)[0])
        elif number == 3:
            result = signed(value)
        elif number == 4:
            result = bytes(value).decode("utf-8", "replace")
        elif number == 8:
            numbers += [signed(n) for n in packed(value)]
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
            shape += [signed(n) for n in packed(value)]
        elif number == 2:
            dtype = value
        elif number in (4, 9) and len(value) <= 4 * _SMALL:
            values += bytes(value)
        elif number == 8:
            name = text(value)
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
            name = text(value)
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
            return signed(value)
        if number == 2:
            return text(value)
    return None
