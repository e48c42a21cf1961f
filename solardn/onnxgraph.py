"""What is kept of an ONNX file: metadata, inputs, outputs, operators, names and shapes of weights."""

from __future__ import annotations

from dataclasses import dataclass, field

Attribute = int | float | str | tuple[int, ...]
Dim = int | str | None
Tensor = tuple[str, tuple[int, ...], tuple[float, ...]]


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


def following(graph: OnnxFile, name: str) -> set[str]:
    """Return the names of the tensors whose values follow from one of them, itself among them; those that only take its shape do not."""
    found = {name}
    for node in graph.nodes:
        if node.op != "Shape" and not found.isdisjoint(node.inputs):
            found.update(node.outputs)
    return found
