"""What a network needs of a map, measured by running it: halo, multiple and smallest size.

To see how far an output pixel looks, one pixel of an otherwise empty map is lit and the pixels that answer are counted. The
weights stand in the way (a ReLU or a pooling hides what does not win), so the copy that is measured has none but positive
weights and no bias: there a pixel answers if, and only if, a path leads to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import numpy_helper

from solardn.errors import ModelError

from .graph import RUN_ERRORS, constants, session

_LARGEST_SIZE = 64
"""Every size up to this is run to find the multiple and the smallest map, in pixels."""
_LARGEST_PROBE = 1024
"""Side of the largest map on which the halo is looked for, in pixels."""
_SPARK = 1e15
"""Value of the lit pixel: far above every constant of a network, with room for growth in float32."""


@dataclass(frozen=True)
class Needs:
    """What a network needs, in pixels: see `solardn.card.Card`."""

    halo: int
    multiple: int
    min_size: int


def measure(model: onnx.ModelProto) -> Needs:
    """Return what a network needs of a map.

    Raises
    ------
    ModelError
        No size runs, or an output pixel depends on pixels too far away.
    """
    running = session(model)
    valid = {size for size in range(1, _LARGEST_SIZE + 1) if runs(running, size, size)}
    probe = session(_structure(model))
    for multiple in range(1, _LARGEST_SIZE // 2 + 1):
        upper = range(_LARGEST_SIZE // 2 // multiple * multiple + multiple, _LARGEST_SIZE + 1, multiple)
        if not valid.issuperset(upper):
            continue
        reach = _reach(probe, multiple)
        if reach is not None:
            return Needs(reach, multiple, _smallest(running, valid, multiple))
    raise ModelError(
        f"the network takes no multiple of up to {_LARGEST_SIZE // 2} px as size; build it from convolutions, poolings and up-samplings of whole factors that undo each other"
    )


def runs(running: ort.InferenceSession, height: int, width: int) -> bool:
    """Tell whether a map of this size goes through and comes out in the same size."""
    try:
        results = running.run(None, {"map": np.zeros((1, 1, height, width), np.float32)})
    except RUN_ERRORS:
        return False
    return all(result.shape == (1, 1, height, width) for result in results)


def _smallest(running: ort.InferenceSession, valid: set[int], multiple: int) -> int:
    sizes = list(range(multiple, _LARGEST_SIZE + 1, multiple))
    good = [size in valid and runs(running, size, sizes[-1]) and runs(running, sizes[-1], size) for size in sizes]
    first = max((number + 1 for number, fine in enumerate(good) if not fine), default=0)
    return sizes[first]


def _structure(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the network with positive weights and without biases: where it looks, and not what it sees."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    values = constants(copy.graph)
    changed: dict[str, NDArray[np.float32]] = {}
    for node in copy.graph.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            kernel = values[node.input[1]]
            depth = kernel.shape[1] if node.op_type == "Conv" else kernel.shape[0]
            # Between the path along the edge of the kernels, which must not fade to 0, and the sum of all paths, which must
            # not overflow: both are kept by the root of the kernel's area.
            weight = 1 / (depth * np.sqrt(np.prod(kernel.shape[2:])))
            changed[node.input[1]] = np.full(kernel.shape, weight, np.float32)
            if len(node.input) > 2:
                changed[node.input[2]] = np.zeros_like(values[node.input[2]])
        elif node.op_type == "BatchNormalization":
            for place, value in ((1, 1), (2, 0), (3, 0), (4, 1)):
                changed[node.input[place]] = np.full_like(values[node.input[place]], value)
    for tensor in copy.graph.initializer:
        if tensor.name in changed:
            tensor.CopyFrom(numpy_helper.from_array(changed[tensor.name], tensor.name))
    return copy


def _reach(probe: ort.InferenceSession, multiple: int) -> int | None:
    """Return the halo over all phases of the multiple, or None if maps shifted by the multiple give other answers."""
    size = -(-64 // multiple) * multiple
    while size <= _LARGEST_PROBE:
        found = _reach_within(probe, multiple, size)
        if found != size:
            return found
        size *= 2
    raise ModelError(
        f"an output pixel depends on pixels more than {_LARGEST_PROBE // 4} px away; leave out layers that mix the whole map"
    )


def _reach_within(probe: ort.InferenceSession, multiple: int, size: int) -> int | None:
    """Return the halo as seen on maps of one size; the size itself when an answer reaches their edge."""
    empty = probe.run(None, {"map": np.zeros((1, 1, size, size), np.float32)})
    start = size // 2 // multiple * multiple - multiple
    phases = [(y, x) for y in range(multiple) for x in range(multiple)]
    shifted = [(multiple + phase, multiple + phase) for phase in range(multiple)]
    boxes: dict[tuple[int, int], NDArray[np.int64]] = {}
    for y, x in phases + shifted:
        lit = np.zeros((1, 1, size, size), np.float32)
        lit[0, 0, start + y, start + x] = _SPARK
        answers = [a != b for a, b in zip(probe.run(None, {"map": lit}), empty, strict=True)]
        boxes[y, x] = np.array([_box(answer[0, 0], start + y, start + x) for answer in answers])
        if any(answer[..., [0, -1], :].any() or answer[..., [0, -1]].any() for answer in answers):
            return size
    for (y, x), box in boxes.items():
        if not np.array_equal(box, boxes[y % multiple, x % multiple]):
            return None
    return int(max(np.abs(box).max() for box in boxes.values()))


def _box(answer: NDArray[np.bool_], y: int, x: int) -> tuple[int, int, int, int]:
    """Return how far the answer to pixel (y, x) reaches up, down, left and right, in pixels."""
    rows, columns = np.flatnonzero(answer.any(1)), np.flatnonzero(answer.any(0))
    if not rows.size:
        return (0, 0, 0, 0)
    return (y - int(rows[0]), int(rows[-1]) - y, x - int(columns[0]), int(columns[-1]) - x)
