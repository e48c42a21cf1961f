"""Sizes of values inside a graph, measured by running it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import numpy_helper

from solardn.errors import ModelError

from .graph import RUN_ERRORS, bypass, session


def settle_sizes(model: onnx.ModelProto, sizes: tuple[int, int] = (192, 384)) -> None:
    """Replace sizes that the graph computes on the way by what they turn out to be on maps of two sizes.

    A Resize gets constant scales; a Slice or Pad that leaves the size as it is goes.

    Raises
    ------
    ModelError
        A Resize enlarges by no fixed whole factor, or maps of these sizes do not go through.
    """
    graph = model.graph
    nodes = [node for node in graph.node if node.op_type in ("Resize", "Slice", "Pad")]
    names = [name for node in nodes for name in (node.input[0], node.output[0])]
    shapes = [shapes_of(model, names, size) for size in (sizes, sizes[::-1])]
    for number, node in enumerate(nodes, start=1):
        found = {
            tuple(b / a for a, b in zip(shape[node.input[0]], shape[node.output[0]], strict=True)) for shape in shapes
        }
        scale = found.pop()
        if node.op_type == "Resize":
            if found or len(scale) != 4 or any(value != int(value) for value in scale):
                raise ModelError(
                    f"a Resize enlarges by {scale}, which is no fixed whole factor; up-sample by whole factors"
                )
            tensor = numpy_helper.from_array(np.array(scale, np.float32), f"scales_{number}")
            graph.initializer.append(tensor)
            node.input[:] = [node.input[0], "", tensor.name]
        elif not found and len(scale) == 4 and set(scale) == {1.0}:
            bypass(graph, node)


def shapes_of(model: onnx.ModelProto, names: Iterable[str], size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of values inside a graph for one map of this height and width.

    Raises
    ------
    ModelError
        A map of this size does not go through.
    """
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names))
    if not probe.graph.output:
        return {}
    running = session(probe)
    try:
        results = running.run(None, {"map": np.zeros((1, 1, *size), np.float32)})
    except RUN_ERRORS as error:
        raise ModelError(
            f"a map of {size[0]}×{size[1]} px does not go through the network ({str(error).splitlines()[0]}); use poolings and up-samplings that undo each other"
        ) from error
    return {value.name: result.shape for value, result in zip(running.get_outputs(), results, strict=True)}
