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
    device : str
        ``cpu``, or a GPU as PyTorch names it.
    half : bool
        Whether to compute in float16.
    compiled : bool
        Whether to run through ``torch.compile``.
    """

    def __init__(
        self, model: Model, threads: int, device: str = "cpu", *, half: bool = False, compiled: bool = False
    ) -> None:
        import onnx
        import torch

        torch.set_num_threads(threads)
        self._device, self._half = device, half
        graph = onnx.load_from_string(model.data).graph
        self._torch = torch
        self._nodes = [
            (node.op_type, list(node.input), node.output[0], {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute})
            for node in graph.node
        ]  # fmt: skip
        self._weights: dict[str, Any] = {}
        kernels = {name for node in graph.node if node.op_type == "Conv" for name in node.input[1:]}
        for value in graph.initializer:
            array = onnx.numpy_helper.to_array(value)
            if value.name not in kernels:  # sizes and scales: constants for the compiler
                self._weights[value.name] = array.tolist()
                continue
            tensor = self._cast(torch.from_numpy(array.copy()).to(device))
            self._weights[value.name] = tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
        self._compute = torch.compile(self._forward) if compiled else self._forward

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output ``mean`` for maps of shape (n, 1, height, width)."""
        return np.asarray(self.compute(self.there(batch)).float().contiguous().cpu().numpy())

    def there(self, batch: NDArray[np.float32]) -> Any:
        """Return maps where they are computed."""
        maps = self._torch.from_numpy(batch).to(self._device)
        return self._cast(maps.contiguous(memory_format=self._torch.channels_last))

    def compute(self, maps: Any) -> Any:
        """Return the output ``mean`` where it was computed."""
        with self._torch.inference_mode():
            return self._compute(maps)

    def finish(self, maps: Any) -> None:
        """Compute, and wait until the GPU is done."""
        self.compute(maps)
        if self._device != "cpu":
            self._torch.cuda.synchronize()

    def _forward(self, maps: Any) -> Any:
        values = {"map": maps, **self._weights}
        for op, inputs, output, attributes in self._nodes:
            values[output] = self._apply(op, [values.get(name) for name in inputs], attributes)
        return values["mean"]

    def _cast(self, tensor: Any) -> Any:
        return tensor.half() if self._half else tensor

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
                begin, end = x[1][:4], x[1][4:]
                return f.pad(x[0], (begin[3], end[3], begin[2], end[2]), mode=attributes["mode"].decode())
            case "Relu":
                return f.relu(x[0])
            case "MaxPool":
                return f.max_pool2d(x[0], attributes["kernel_shape"])
            case "Resize":
                return f.interpolate(x[0], scale_factor=tuple(x[2][2:]), mode="nearest")
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
