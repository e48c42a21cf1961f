"""A converted network in PyTorch: each operator of the ONNX graph as PyTorch's own, with the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from solardn.errors import ModelError
from solardn.model import Model


class TorchNetwork:
    """Runs a network's graph node by node, channels last.

    Parameters
    ----------
    model : Model
        Without dropout.
    threads : int
        Threads of the CPU.
    """

    def __init__(self, model: Model, threads: int) -> None:
        import onnx
        import torch

        torch.set_num_threads(threads)
        graph = onnx.load_from_string(model.data).graph
        self._torch = torch
        self._nodes = [
            (node.op_type, list(node.input), node.output[0], {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute})
            for node in graph.node
        ]  # fmt: skip
        self._weights: dict[str, Any] = {}
        for value in graph.initializer:
            tensor = torch.from_numpy(onnx.numpy_helper.to_array(value).copy())
            self._weights[value.name] = tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output ``mean`` for maps of shape (n, 1, height, width)."""
        torch = self._torch
        with torch.inference_mode():
            values = {"map": torch.from_numpy(batch).contiguous(memory_format=torch.channels_last), **self._weights}
            for op, inputs, output, attributes in self._nodes:
                values[output] = self._apply(op, [values.get(name) for name in inputs], attributes)
            return np.asarray(values["mean"].contiguous().numpy())

    def _apply(self, op: str, x: list[Any], attributes: dict[str, Any]) -> Any:
        torch, f = self._torch, self._torch.nn.functional
        match op:
            case "Conv":
                top, left, bottom, right = _pads(x[1].shape[2:], attributes)
                even = (top, left) == (bottom, right)
                padded = x[0] if even else f.pad(x[0], (left, right, top, bottom))
                return f.conv2d(
                    padded, *x[1:], stride=attributes.get("strides", (1, 1)), padding=(top, left) if even else 0
                )
            case "Pad":
                begin, end = x[1].tolist()[:4], x[1].tolist()[4:]
                return f.pad(x[0], (begin[3], end[3], begin[2], end[2]), mode=attributes["mode"].decode())
            case "Relu":
                return f.relu(x[0])
            case "MaxPool":
                return f.max_pool2d(x[0], attributes["kernel_shape"])
            case "Resize":
                return f.interpolate(x[0], scale_factor=tuple(x[2].tolist()[2:]), mode="nearest")
            case "Concat":
                return torch.cat(x, attributes["axis"])
            case "SpaceToDepth":
                return f.pixel_unshuffle(x[0], attributes["blocksize"])
            case "DepthToSpace":
                return self._depth_to_space(x[0], attributes)
            case "Sub":
                return x[0] - x[1]
            case "Add":
                return x[0] + x[1]
        raise ModelError(f"the comparison with PyTorch knows no operator {op}; add it in benchmarks/torchnet.py")

    def _depth_to_space(self, x: Any, attributes: dict[str, Any]) -> Any:
        """Return blocks of channels as pixels; with one output channel both orders of ONNX agree."""
        if attributes.get("mode", b"DCR") == b"DCR" and x.shape[1] != attributes["blocksize"] ** 2:
            raise ModelError("the comparison with PyTorch knows DepthToSpace to one channel only")
        return self._torch.nn.functional.pixel_shuffle(x, attributes["blocksize"])


def _pads(kernel: tuple[int, ...], attributes: dict[str, Any]) -> tuple[int, ...]:
    """Return the zeros around the input of a convolution whose strides divide it: top, left, bottom, right."""
    automatic = attributes.get("auto_pad", b"NOTSET")
    if automatic == b"NOTSET":
        return tuple(attributes.get("pads", (0, 0, 0, 0)))
    if automatic == b"VALID":
        return (0, 0, 0, 0)
    strides = attributes.get("strides", (1, 1))
    all_in = [max(size - stride, 0) for size, stride in zip(kernel, strides, strict=True)]
    less, more = [pad // 2 for pad in all_in], [-(-pad // 2) for pad in all_in]
    return (*less, *more) if automatic == b"SAME_UPPER" else (*more, *less)
