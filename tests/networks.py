"""Small networks with cards, for tests that need a real ONNX file but no trained one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from solardn.card import Card, encode_array

SHAPE = ["batch", 1, "height", "width"]


def save(
    path: Path, nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray], inputs: Sequence[Any] = (), **card: Any
) -> Path:
    """Write a network of input ``map`` and the card's outputs, with the card's fields given by name."""
    values: dict[str, Any] = {"name": path.stem, "halo": 0, "multiple": 1, "min_size": 1, "input_sigma": 1.0} | card
    described = Card(**values)
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, SHAPE), *inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in described.outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, described.to_metadata())
    onnx.save(model, path)
    return path


def identity(path: Path, **card: Any) -> Path:
    """Return what comes in."""
    example = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    check = {"map": encode_array(example), "mean": encode_array(example), "tolerance": 0.0}
    return save(path, [helper.make_node("Identity", ["map"], ["mean"])], {}, **({"check": check} | card))


def nothing(path: Path, **card: Any) -> Path:
    """Return 0 everywhere."""
    return save(path, [helper.make_node("Mul", ["map", "zero"], ["mean"])], {"zero": np.float32(0)}, **card)


def blur(path: Path, **card: Any) -> Path:
    """Average over 3×3 pixels, with zeros beyond the edges."""
    kernel = np.full((1, 1, 3, 3), 1 / 9, np.float32)
    conv = helper.make_node("Conv", ["map", "kernel"], ["mean"], pads=[1, 1, 1, 1])
    return save(path, [conv], {"kernel": kernel}, **({"halo": 1, "min_size": 3} | card))


def checked(path: Path, **card: Any) -> Path:
    """Average over 3×3 pixels, as `blur`, with a self-check."""
    edge = np.array([2, 3, 3, 2], np.float32)
    ones, means = np.ones((1, 1, 4, 4), np.float32), np.outer(edge, edge)[np.newaxis, np.newaxis] / 9
    check = {"map": encode_array(ones), "mean": encode_array(means), "tolerance": 1e-6}
    return blur(path, **({"check": check} | card))


def pooled(path: Path, **card: Any) -> Path:
    """Average over 3×3 pixels, then the maximum of each 4×4 block, so that the phase of a tile matters."""
    nodes = [
        helper.make_node("Conv", ["map", "kernel"], ["smooth"], pads=[1, 1, 1, 1]),
        helper.make_node("MaxPool", ["smooth"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node(
            "Resize",
            ["small", "", "scales"],
            ["mean"],
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        ),
    ]
    weights = {"kernel": np.full((1, 1, 3, 3), 1 / 9, np.float32), "scales": np.array([1, 1, 4, 4], np.float32)}
    return save(path, nodes, weights, **({"halo": 4, "multiple": 4, "min_size": 8} | card))


def unet(path: Path, widths: tuple[int, ...] = (8, 16), *, up: str = "resize", act: str = "Relu", **card: Any) -> Path:
    """Write a U-Net of random weights: 3×3 convolutions with zero padding, pooling by 2, up-sampling by "resize" or "transpose"."""
    rng = np.random.default_rng(sum(widths))
    nodes: list[onnx.NodeProto] = []
    weights: dict[str, np.ndarray] = {"scales": np.array([1, 1, 2, 2], np.float32)}

    def add(op: str, *inputs: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(op, list(inputs), [f"t{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def conv(x: str, shape: tuple[int, ...], op: str = "Conv", **attributes: Any) -> str:
        name = f"w{len(weights)}"
        fan = shape[0] if op == "ConvTranspose" else np.prod(shape[1:])
        weights[name] = (rng.normal(size=shape) * np.sqrt(2 / fan)).astype(np.float32)
        return add(op, x, name, **attributes)

    def double(x: str, before: int, after: int) -> str:
        for wide in (before, after):
            x = add(act, conv(x, (after, wide, 3, 3), pads=[1, 1, 1, 1]))
        return x

    x, before, skips = "map", 1, []
    for width in widths[:-1]:
        x = double(x, before, width)
        skips.append(x)
        x, before = add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), width
    x = double(x, before, widths[-1])
    for width, deeper in zip(widths[-2::-1], widths[:0:-1], strict=True):
        if up == "transpose":
            x = conv(x, (deeper, width, 2, 2), "ConvTranspose", strides=[2, 2])
        else:
            x = add(
                "Resize",
                x,
                "",
                "scales",
                mode="nearest",
                nearest_mode="floor",
                coordinate_transformation_mode="asymmetric",
            )
            x = conv(x, (width, deeper, 1, 1))
        x = double(add("Concat", skips.pop(), x, axis=1), 2 * width, width)
    nodes.append(helper.make_node("Conv", [x, "last"], ["mean"]))
    weights["last"] = rng.normal(size=(1, widths[0], 1, 1)).astype(np.float32)
    levels = len(widths) - 1
    halo = 6 * 2 ** (levels + 1)  # generous: four pixels a level, and the blocks of pooling
    return save(path, nodes, weights, **({"halo": halo, "multiple": 2**levels, "min_size": 2**levels} | card))


def masked(path: Path, rate: float = 0.25, *, masked_variance: bool = False, lost: bool = False, **card: Any) -> Path:
    """Drop pixels, by a product of words of their row and column, then average over 3×3; the log variance is map − 1.

    With `masked_variance` the variance follows from the masks as well; with `lost` the graph takes seeds and ignores them.
    """
    nodes: list[onnx.NodeProto] = []
    constants = {
        "dropout_threshold": np.array(round(rate * 2**32), np.uint32),
        "dropout_scale": np.array(1 / (1 - rate), np.float32),
        "kernel": np.full((1, 1, 3, 3), 1 / 9, np.float32),
        "one": np.array(1, np.float32),
        "zero": np.array(0, np.float32),
        "step": np.array(1, np.int64),
        "odd": np.array(1, np.uint32),
        "by seed": np.array(0x9E3779B1, np.uint32),
        "per sample": np.array([-1, 1, 1, 1], np.int64),
    }

    def add(op: str, *inputs: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(op, list(inputs), [f"t{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    words = []
    seed = add("Reshape", add("Mul", "seed", "by seed"), "per sample")
    for axis, salt in ((0, 0x85EBCA77), (1, 0xC2B2AE3D)):
        constants |= {f"axis{axis}": np.array(axis, np.int64), f"map axis{axis}": np.array(axis + 2, np.int64)}
        constants |= {
            f"salt{axis}": np.array(salt, np.uint32),
            f"along{axis}": np.array([-1, 1] if axis == 0 else [1, -1]),
        }
        first = add("Gather", "origin", f"axis{axis}")
        count = add("Gather", add("Shape", "map"), f"map axis{axis}")
        place = add("Cast", add("Range", first, add("Add", first, count), "step"), to=TensorProto.UINT32)
        place = add("Mul", add("Reshape", place, f"along{axis}"), f"salt{axis}")
        words.append(add("BitwiseOr", add("BitwiseXor", seed, place), "odd"))
    keep = add("GreaterOrEqual", add("Mul", *words), "dropout_threshold")
    dropped = "map" if lost else add("Where", keep, add("Mul", "map", "dropout_scale"), "zero")
    nodes.append(helper.make_node("Conv", [dropped, "kernel"], ["mean"], pads=[1, 1, 1, 1]))
    nodes.append(helper.make_node("Sub", [dropped if masked_variance else "map", "one"], ["log_variance"]))
    inputs = [
        helper.make_tensor_value_info("seed", TensorProto.UINT32, ["samples"]),
        helper.make_tensor_value_info("origin", TensorProto.INT64, [2]),
        *(
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(constants[name].dtype), [])
            for name in ("dropout_threshold", "dropout_scale")
        ),
    ]
    described = {
        "halo": 1,
        "outputs": ("mean", "log_variance"),
        "dropout": {"rate": rate, "kind": "element", "layers": 1},
    }
    return save(path, nodes, constants, inputs, **(described | card))
