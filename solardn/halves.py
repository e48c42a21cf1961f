"""A graph that draws dropout masks, cut in two: what all samples of a map share, and what each of them needs for itself.

Run in one piece, a graph computes what lies before its first mask again with every batch of samples. Cut in two, that is done once. Nodes and
weights are taken over byte for byte, so neither half needs the ``onnx`` package; they are opened as sessions of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .wire import fields

_IR_VERSION, _GRAPH, _OPSET = 1, 7, 8  # fields of a ModelProto
_NODE, _NAME, _WEIGHT, _INPUT, _OUTPUT = 1, 2, 5, 11, 12  # fields of a GraphProto
_TYPES = {"float": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "double": 11, "uint32": 12}

Described = tuple[str, Sequence[int | str | None]]
"""Type (as in ``tensor(float)``) and shape of a tensor, as onnxruntime tells them."""


@dataclass(frozen=True)
class _Part:
    """A node, with its bytes and the names of what goes in and comes out."""

    data: bytes
    inputs: frozenset[str]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Halves:
    """The two halves of a graph.

    Attributes
    ----------
    features : tuple of str
        Tensors that the first half makes and the second takes.
    shared_outputs, sampled_outputs : tuple of str
        Which of the graph's outputs each half gives.
    takes : frozenset of str
        Which of the graph's inputs the second half takes beside the features.
    """

    features: tuple[str, ...]
    shared_outputs: tuple[str, ...]
    sampled_outputs: tuple[str, ...]
    takes: frozenset[str]
    _preamble: bytes
    _weights: Mapping[str, bytes]
    _inputs: Mapping[str, bytes]
    _outputs: Mapping[str, bytes]
    _shared: tuple[_Part, ...]
    _sampled: tuple[_Part, ...]

    @property
    def shared(self) -> bytes:
        """The first half, from ``map`` and ``origin`` to the features and its outputs; empty when it has nothing to do."""
        made = [*(_field(_OUTPUT, _field(1, name.encode())) for name in self.features)]
        made += [self._outputs[name] for name in self.shared_outputs]
        if not made:
            return b""
        used = frozenset[str]().union(*(part.inputs for part in self._shared))
        given = [self._inputs[name] for name in ("map", "origin") if name in used]
        return self._model(self._shared, given, made)

    def sampled(self, described: Mapping[str, Described]) -> bytes:
        """Return the second half, from the features and ``seed`` to its outputs.

        Parameters
        ----------
        described : mapping
            Type and shape of each feature.
        """
        given = [self._inputs[name] for name in sorted(self.takes)]
        given += [_field(_INPUT, _value(name, *described[name])) for name in self.features]
        return self._model(self._sampled, given, [self._outputs[name] for name in self.sampled_outputs])

    def _model(self, parts: Sequence[_Part], given: Sequence[bytes], made: Sequence[bytes]) -> bytes:
        used = frozenset[str]().union(*(part.inputs for part in parts))
        weights = (data for name, data in self._weights.items() if name in used)
        graph = b"".join([*(part.data for part in parts), _field(_NAME, b"half"), *weights, *given, *made])
        return self._preamble + _field(_GRAPH, graph)


def cut(data: bytes) -> Halves:
    """Cut the graph of an ONNX file that `solardn.model.load` accepted, and whose card says that it draws masks."""
    preamble, graph = b"", b""
    for number, value in fields(memoryview(data)):
        if number == _GRAPH:
            graph = bytes(value)
        elif number == _IR_VERSION:
            preamble += _varint(_IR_VERSION << 3) + _varint(value)
        elif number == _OPSET:
            preamble += _field(_OPSET, bytes(value))
    named: dict[int, dict[str, bytes]] = {_WEIGHT: {}, _INPUT: {}, _OUTPUT: {}}
    parts: list[_Part] = []
    for number, value in fields(memoryview(graph)):
        if number == _NODE:
            texts: dict[int, list[str]] = {1: [], 2: []}
            for n, text in fields(value):
                if n in texts:
                    texts[n].append(bytes(text).decode())
            parts.append(_Part(_field(_NODE, bytes(value)), frozenset(texts[1]) - {""}, tuple(texts[2])))
        elif number in named:
            name = next(bytes(v).decode() for n, v in fields(value) if n == (8 if number == _WEIGHT else 1))
            named[number][name] = _field(number, bytes(value))
    sampled, varying = _following(parts, {"seed"}), _following(parts, {"map", "origin"})
    # What follows from neither are constants, which both halves may have.
    second = tuple(part for part in parts if sampled.issuperset(part.outputs) or varying.isdisjoint(part.outputs))
    first = tuple(part for part in parts if sampled.isdisjoint(part.outputs))
    used = frozenset[str]().union(*(part.inputs for part in second if sampled.issuperset(part.outputs)))
    made = {name for part in first for name in part.outputs if name in varying}
    return Halves(
        features=tuple(sorted(used & made)),
        shared_outputs=tuple(name for name in named[_OUTPUT] if name not in sampled),
        sampled_outputs=tuple(name for name in named[_OUTPUT] if name in sampled),
        takes=used & {"map", "origin", "seed"},
        _preamble=preamble,
        _weights=named[_WEIGHT],
        _inputs=named[_INPUT],
        _outputs=named[_OUTPUT],
        _shared=first,
        _sampled=second,
    )


def _following(parts: Sequence[_Part], names: set[str]) -> set[str]:
    """Return the tensors for which some of those named are needed, if only for their shape; these among them."""
    found = set(names)
    for part in parts:
        if not found.isdisjoint(part.inputs):
            found.update(part.outputs)
    return found


def _value(name: str, kind: str, shape: Sequence[int | str | None]) -> bytes:
    """Return a ValueInfoProto."""
    dims = b""
    for number, size in enumerate(shape):
        known = _varint(1 << 3) + _varint(size) if isinstance(size, int) else _field(2, f"{name}.{number}".encode())
        dims += _field(1, known)
    tensor = _varint(1 << 3) + _varint(_TYPES[kind.removeprefix("tensor(").removesuffix(")")]) + _field(2, dims)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, data: bytes) -> bytes:
    """Return a field of bytes of a protobuf message."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
