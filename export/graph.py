"""Small repairs of an ONNX graph, each leaving its results unchanged."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from solardn.errors import ModelError

RUN_ERRORS = (ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.RuntimeException)
"""What onnxruntime raises when a map does not fit the graph."""

_ROLES = {"conv": ("map", "weight", "bias"), "resize": ("map", "roi", "scales"), "pad": ("map", "pads")}
_FORBIDDEN = {
    "Transpose",
    "Dropout",
    "RandomUniform",
    "RandomNormal",
    "RandomUniformLike",
    "RandomNormalLike",
    "Bernoulli",
}


def session(model: onnx.ModelProto, threads: int = 2) -> ort.InferenceSession:
    """Open a model on the CPU, without a word on standard error when a run fails."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.generic]]:
    """Return the values of all initializers."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Give values other names, wherever they are made or used."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)


def bypass(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    """Take out a node that returns its first input; an output of the graph keeps its name."""
    graph.node.remove(node)
    outputs = {value.name for value in graph.output}
    if node.output[0] in outputs:
        rename(graph, {node.input[0]: node.output[0]})
    else:
        rename(graph, {node.output[0]: node.input[0]})


def sort(graph: onnx.GraphProto) -> None:
    """Keep what the outputs depend on, in an order that follows from the graph alone (tf2onnx's varies from run to run)."""
    makers = {output: node for node in graph.node for output in node.output}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes: dict[str, onnx.NodeProto] = {}
    used: dict[str, onnx.TensorProto] = {}
    waiting = [(value.name, False) for value in reversed(graph.output)]
    while waiting:
        name, ready = waiting.pop()
        if name in tensors:
            used[name] = tensors[name]
        elif name in makers and ready:
            nodes.setdefault(makers[name].output[0], makers[name])
        elif name in makers and makers[name].output[0] not in nodes:
            waiting.append((name, True))
            waiting.extend((value, False) for value in reversed(makers[name].input))
    for node in nodes.values():
        attributes = sorted(node.attribute, key=lambda attribute: attribute.name)
        del node.attribute[:]
        node.attribute.extend(attributes)
    kept, constants_kept = list(nodes.values()), list(used.values())
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(kept)
    graph.initializer.extend(constants_kept)


def drop_identities(graph: onnx.GraphProto) -> None:
    """Remove Identity nodes."""
    for node in [node for node in graph.node if node.op_type == "Identity"]:
        bypass(graph, node)


def name_all(graph: onnx.GraphProto) -> None:
    """Name nodes by operator and order, values after the node that makes them, constants after the first that uses them."""
    fixed = {value.name for value in (*graph.input, *graph.output)} | {""}
    tensors = {tensor.name for tensor in graph.initializer}
    count: Counter[str] = Counter()
    names: dict[str, str] = {}
    for node in graph.node:
        kind = node.op_type.lower()
        count[kind] += 1
        node.name = f"{kind}_{count[kind]}"
        roles = _ROLES.get(kind, ())
        for place, value in enumerate(node.input):
            if value in tensors and value not in names:
                names[value] = f"{node.name}.{roles[place] if place < len(roles) else f'constant_{place}'}"
        for place, value in enumerate(node.output):
            if value not in fixed:
                names[value] = node.name if len(node.output) == 1 else f"{node.name}.{place}"
    rename(graph, names)


def set_shapes(graph: onnx.GraphProto, outputs: tuple[str, ...]) -> None:
    """State the input and the outputs, in the order given, as float32 [batch, 1, height, width]."""

    def info(name: str) -> onnx.ValueInfoProto:
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", 1, "height", "width"])

    del graph.input[:], graph.output[:]
    graph.input.append(info("map"))
    graph.output.extend(info(name) for name in outputs)


def check(model: onnx.ModelProto, where: str) -> None:
    """Refuse a graph that does not keep the contract.

    Raises
    ------
    ModelError
        Operators that are foreign, random, or should have been folded away; or a graph that ONNX itself refuses.
    """
    bad = sorted(
        {node.op_type for node in model.graph.node if node.op_type in _FORBIDDEN or node.domain not in ("", "ai.onnx")}
    )
    if bad:
        raise ModelError(
            f"{where}: the graph still holds {', '.join(bad)} nodes; use layers that export/layers.py or Keras' convolutions offer"
        )
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(
            f"{where}: ONNX refuses the graph ({str(error).splitlines()[0]}); report this as a bug"
        ) from error
