"""A network's graph in float16, for GPUs."""

from __future__ import annotations

from typing import Any

from .errors import MissingExtra, OptionError
from .model import Model


def in_half(model: Model) -> bytes:
    """Return a network's graph with float32 inputs and outputs that computes in float16 in between.

    The first convolution, and the last subtraction of what the network finds from the map, stay in float32 where the graph has that form:
    of a signal of 100 noise rms a float16 loses what is below 0.03 noise rms.

    Parameters
    ----------
    model : Model

    Raises
    ------
    OptionError
        The network draws dropout masks.
    MissingExtra
        onnx is not installed, with which onnxruntime's own converter works.
    """
    if model.card.dropout is not None:
        raise OptionError(
            f"network {model.card.name!r} draws dropout masks, which is done in fp32 only; use --precision fp32"
        )
    try:
        import onnx
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError as error:
        raise MissingExtra(
            "precision fp16 needs the package onnx; install it with: pip install 'solardn[cuda]', or use --precision fp32"
        ) from error
    whole = onnx.load_from_string(model.data)
    parts = _parts(whole.graph)
    if parts is None:
        return bytes(convert_float_to_float16(whole, keep_io_types=True).SerializeToString())
    head, inner, tail, given, found = parts
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in (given, found)]
    weights = {name for node in inner for name in node.input}
    between = onnx.helper.make_graph(inner, "inner", values[:1], values[1:], _named(whole.graph, weights))
    converted = convert_float_to_float16(
        onnx.helper.make_model(between, opset_imports=whole.opset_import), keep_io_types=True
    ).graph
    outside = _named(whole.graph, {name for node in (*head, *tail) for name in node.input})
    del whole.graph.node[:], whole.graph.initializer[:], whole.graph.value_info[:]
    whole.graph.node.extend([*head, *converted.node, *tail])
    whole.graph.initializer.extend([*outside, *converted.initializer])
    return bytes(whole.SerializeToString())


def _named(graph: Any, names: set[str]) -> list[Any]:
    return [value for value in graph.initializer if value.name in names]


def _parts(graph: Any) -> tuple[list[Any], list[Any], list[Any], str, str] | None:
    """Cut a graph where the map itself is no longer seen: behind the first convolution, and before the last subtraction.

    Returns
    -------
    head, inner, tail : list of nodes
    given, found : str
        What the inner part takes, and what it gives. None in place of all where a graph has another form.
    """
    nodes = list(graph.node)
    last = nodes[-1]
    first = next((number for number, node in enumerate(nodes) if node.op_type == "Conv"), len(nodes))
    if last.op_type not in ("Add", "Sub") or "map" not in last.input or first == len(nodes):
        return None
    if nodes[first + 1].op_type == "Relu" and nodes[first + 1].input[0] == nodes[first].output[0]:
        first += 1
    head, inner = nodes[: first + 1], nodes[first + 1 : -1]
    (found,) = (name for name in last.input if name != "map")
    outside = {"map", *(name for node in head[:-1] for name in node.output)}
    if len(graph.output) > 1 or any(outside & set(node.input) for node in inner):
        return None
    return head, inner, [last], head[-1].output[0], found
