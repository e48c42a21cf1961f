"""Halo, multiple and smallest size are what they are for networks where they can be told beforehand."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from solardn.errors import ModelError


def _network(nodes, weights):
    shape = ["batch", 1, "height", "width"]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def _conv(start, end, pads=(1, 1, 1, 1), **attributes):
    return helper.make_node("Conv", [start, "kernel"], [end], pads=pads, **attributes)


def _resize(start, end, factor):
    return helper.make_node("Resize", [start, "", f"scale{factor}"], [end], mode="nearest", nearest_mode="floor",
                            coordinate_transformation_mode="asymmetric")  # fmt: skip


KERNEL = np.zeros((1, 1, 3, 3), np.float32)
KERNEL[0, 0, 1, 1] = 1
SCALES = {f"scale{n}": np.array([1, 1, n, n], np.float32) for n in (2, 3)}
WEIGHTS = {"kernel": KERNEL, **SCALES}


def _pool(start, end, size=2):
    return helper.make_node("MaxPool", [start], [end], kernel_shape=[size] * 2, strides=[size] * 2)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([helper.make_node("Identity", ["map"], ["mean"])], (0, 1, 1)),
        ([_conv("map", "mean")], (1, 1, 1)),  # though its weights beside the middle are 0
        ([_conv("map", "a"), _conv("a", "mean")], (2, 1, 1)),
        ([_conv("map", "mean", pads=(2, 2, 2, 2), dilations=[2, 2])], (2, 1, 1)),
        ([_pool("map", "a"), _resize("a", "mean", 2)], (1, 2, 2)),
        ([_pool("map", "a", 3), _resize("a", "mean", 3)], (2, 3, 3)),
        ([_pool("map", "a"), _pool("a", "b"), _resize("b", "c", 2), _resize("c", "mean", 2)], (3, 4, 4)),
        ([_conv("map", "a"), _pool("a", "b"), _conv("b", "c"), _resize("c", "d", 2), _conv("d", "mean")], (5, 2, 2)),
    ],
)
def test_needs_are_measured(nodes, expected):
    from export.halo import measure

    needs = measure(_network(nodes, WEIGHTS))
    assert (needs.halo, needs.multiple, needs.min_size) == expected


def test_one_sided_context_counts_in_full():
    from export.halo import measure

    needs = measure(_network([_conv("map", "mean", pads=(0, 0, 2, 2))], WEIGHTS))
    assert needs.halo == 2


def test_reflection_needs_room():
    from export.halo import measure

    pads = {"pads": np.array([0, 0, 2, 2, 0, 0, 2, 2])}
    nodes = [
        helper.make_node("Pad", ["map", "pads"], ["a"], mode="reflect"),
        _conv("a", "mean", pads=(0,) * 4, dilations=[2, 2]),
    ]
    assert measure(_network(nodes, WEIGHTS | pads)).min_size == 3


def test_networks_that_mix_the_whole_map_are_refused():
    from export.halo import measure

    nodes = [helper.make_node("GlobalAveragePool", ["map"], ["a"]), helper.make_node("Add", ["map", "a"], ["mean"])]
    with pytest.raises(ModelError, match="depends on pixels more than"):
        measure(_network(nodes, {}))


def test_networks_that_change_the_size_are_refused():
    from export.halo import measure

    with pytest.raises(ModelError, match="takes no multiple"):
        measure(_network([_pool("map", "mean")], {}))


def test_no_real_answer_lies_beyond_the_halo(own_onnx):
    """Pixels outside the halo, however bright, change nothing; the card's halo is not too generous either."""
    from export.cards import read_card
    from export.graph import session

    halo = read_card(own_onnx, "own").halo
    running = session(own_onnx)
    generator = np.random.default_rng(0)
    reached = 0
    for _ in range(30):
        base = generator.standard_normal((1, 1, 96, 96)).astype(np.float32)
        y, x = generator.integers(40, 56, 2)
        lit = base.copy()
        lit[0, 0, y, x] += generator.choice([-1e4, 1e4])
        for before, after in zip(running.run(None, {"map": base}), running.run(None, {"map": lit}), strict=True):
            rows, columns = np.nonzero((before != after)[0, 0])
            reached = max(reached, np.abs(rows - y).max(initial=0), np.abs(columns - x).max(initial=0))
    assert halo - 2 <= reached <= halo
    assert isinstance(own_onnx, onnx.ModelProto)
