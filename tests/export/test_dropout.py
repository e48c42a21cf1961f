"""Dropout-enabled graphs: masks as the numpy twin has them, whatever the tiles, the batch and the threads."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from solardn.card import Card, decode_array
from solardn.errors import ModelError, OptionError

ORIGIN = np.zeros(2, np.int64)


def _feeds(maps, seeds, origin=(0, 0)):
    return {"map": maps, "seed": np.array(seeds, np.uint32), "origin": np.array(origin, np.int64)}


def _run(model, feeds, threads=2):
    from export.graph import session

    names = [value.name for value in model.graph.output]
    return dict(zip(names, session(model, threads).run(names, feeds), strict=True))


@pytest.fixture(scope="module")
def maps():
    from export.cards import sample_map

    return sample_map(48, 64, 1.0)[None, None]


@pytest.fixture(scope="module", params=["element", "channel"])
def dropped(request, own_onnx):
    from export.dropout import add_dropout

    return add_dropout(own_onnx, request.param)


def test_card_and_interface(dropped, own_onnx):
    from export.cards import read_card, read_places

    card, before = read_card(dropped, "dropped"), read_card(own_onnx, "own")
    assert (card.halo, card.multiple, card.min_size) == (before.halo, before.multiple, before.min_size)
    assert card.dropout["rate"] == 0.25
    assert card.dropout["layers"] == 2
    assert not read_places(dropped)
    assert [value.name for value in dropped.graph.input] == [
        "map",
        "seed",
        "origin",
        "dropout_threshold",
        "dropout_scale",
    ]
    batches = {value.name: value.type.tensor_type.shape.dim[0].dim_param for value in dropped.graph.output}
    assert batches["mean"] == "samples"
    onnx.checker.check_model(dropped, full_check=True)
    feeds = _feeds(decode_array(card.check["map"]), card.check["seed"], card.check["origin"])
    for name, result in _run(dropped, feeds).items():
        assert np.array_equal(result, decode_array(card.check[name]))


def test_nothing_dropped_is_the_deterministic_graph(dropped, own_onnx, maps):
    from export.maskgraph import STILL

    plain = _run(own_onnx, {"map": maps})
    still = _run(dropped, _feeds(maps, [3, 4]) | STILL)
    for name, expected in plain.items():
        assert all(np.array_equal(sample, expected[0]) for sample in still[name])


def test_samples_follow_from_their_seed_alone(dropped, maps):
    together = _run(dropped, _feeds(maps, [5, 6, 7, 2**32 - 1]))["mean"]
    assert together.shape == (4, 1, 48, 64)
    for number, seed in enumerate([5, 6, 7, 2**32 - 1]):
        for threads in (1, 2):
            assert np.array_equal(_run(dropped, _feeds(maps, [seed]), threads)["mean"][0], together[number])
    assert len({sample.tobytes() for sample in together}) == 4
    several = _run(dropped, _feeds(np.repeat(maps, 4, axis=0), [5, 6, 7, 2**32 - 1]))["mean"]
    assert np.array_equal(several, together)


def test_tiles_with_their_origin_are_the_whole(dropped, maps):
    from export.cards import read_card

    card = read_card(dropped, "dropped")
    whole = _run(dropped, _feeds(maps, [1, 2]))
    margin = -(-card.halo // card.multiple) * card.multiple
    for top, left in ((0, 0), (16, 20), (24, 40)):
        y0, x0 = max(0, top - margin), max(0, left - margin)
        y1, x1 = min(48, top + 16 + margin), min(64, left + 16 + margin)
        tile = _run(dropped, _feeds(maps[..., y0:y1, x0:x1], [1, 2], (y0, x0)))
        for name, result in tile.items():
            core = result[..., top - y0 : top - y0 + 16, left - x0 : left - x0 + 16]
            assert np.array_equal(core, whole[name][..., top : top + 16, left : left + 16])


def _observed(model, operator):
    """Return the model with the results of all nodes of one operator as its outputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    names = [node.output[0] for node in copy.graph.node if node.op_type == operator]
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return copy


@pytest.mark.parametrize("origin", [(0, 0), (12, 8), (400, 4096)])
def test_element_masks_are_those_of_numpy(own_onnx, maps, origin):
    from export.dropout import add_dropout
    from export.masks import element_mask

    keep = _run(
        _observed(add_dropout(own_onnx, "element", 0.3), "GreaterOrEqual"), _feeds(maps, [0, 1, 2**32 - 1], origin)
    )
    # The network drops twelve channels at a quarter of the resolution, then eight at half of it.
    expected = [
        element_mask([0, 1, 2**32 - 1], 0, (12, 12, 16), 0.3, (origin[0] // 4, origin[1] // 4)),
        element_mask([0, 1, 2**32 - 1], 1, (8, 24, 32), 0.3, (origin[0] // 2, origin[1] // 2)),
    ]
    found = sorted(keep.values(), key=lambda mask: mask.size)
    for result, mask in zip(found, sorted(expected, key=lambda mask: mask.size), strict=True):
        assert np.array_equal(result, mask)


def test_channel_masks_are_those_of_numpy(own_onnx, maps):
    from export.dropout import add_dropout
    from export.masks import channel_mask

    keep = _run(_observed(add_dropout(own_onnx, "channel", 0.3), "GreaterOrEqual"), _feeds(maps, [0, 9]))
    expected = [channel_mask([0, 9], layer, channels, 0.3)[..., None, None] for layer, channels in ((0, 12), (1, 8))]
    for result, mask in zip(sorted(keep.values(), key=np.size), sorted(expected, key=np.size), strict=True):
        assert np.array_equal(result, mask)


def _network(branch: bool = False) -> onnx.ModelProto:
    """Return 3×3 convolution, ReLU, 3×3 convolution; with a log variance from the map alone if ``branch``."""
    shape = ["batch", 1, "height", "width"]
    generator = np.random.default_rng(0)
    weights = {"a": (4, 1, 3, 3), "b": (1, 4, 3, 3), "c": (2, 1, 3, 3), "d": (1, 2, 1, 1)}
    nodes = [
        helper.make_node("Conv", ["map", "a"], ["x"], name="conv_1", pads=[1] * 4, kernel_shape=[3, 3]),
        helper.make_node("Relu", ["x"], ["y"], name="relu_1"),
        helper.make_node("Conv", ["y", "b"], ["mean"], name="conv_2", pads=[1] * 4, kernel_shape=[3, 3]),
        helper.make_node("Conv", ["map", "c"], ["z"], name="conv_3", pads=[1] * 4, kernel_shape=[3, 3]),
        helper.make_node("Relu", ["z"], ["w"], name="relu_2"),
        helper.make_node("Conv", ["w", "d"], ["log_variance"], name="conv_4", kernel_shape=[1, 1]),
    ]
    names = ("mean", "log_variance") if branch else ("mean",)
    used = nodes if branch else nodes[:3]
    graph = helper.make_graph(
        used,
        "net",
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
        [
            numpy_helper.from_array(generator.standard_normal(size).astype(np.float32), name)
            for name, size in weights.items()
            if any(name in node.input for node in used)
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    card = Card(name="net", halo=2, multiple=1, min_size=1, input_sigma=1.0, outputs=names, calibration={"factor": 2.0})
    helper.set_model_props(model, card.to_metadata())
    return model


def test_default_places_follow_the_convolutions_before_the_mean(maps):
    """By default dropout follows each activated 3×3 convolution; the branch of the log variance runs once for all samples."""
    from export.cards import read_card
    from export.dropout import add_dropout

    made = add_dropout(_network(branch=True), "element", 0.5, name="mine")
    card = read_card(made, "net")
    assert (card.name, card.dropout) == ("mine", {"rate": 0.5, "kind": "element", "layers": 1})
    assert card.calibration is None
    results = _run(made, _feeds(maps, [1, 2, 3]))
    assert results["mean"].shape[0] == 3
    assert results["log_variance"].shape[0] == 1
    assert np.array_equal(results["log_variance"], _run(_network(branch=True), {"map": maps})["log_variance"])


def test_dropout_is_what_it_should_be(maps):
    """A numpy computation with the numpy masks gives the graph's result: kept units are divided by 1 − rate."""
    from export.dropout import add_dropout
    from export.masks import element_mask

    model = _network()
    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    seen.graph.output.append(onnx.ValueInfoProto(name="y"))
    hidden = _run(seen, {"map": maps})["y"]
    rest = onnx.ModelProto()
    rest.CopyFrom(model)
    del rest.graph.node[:2], rest.graph.input[:]
    rest.graph.input.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, "h", "w"]))
    mask = element_mask([8], 0, hidden.shape[1:], 0.4)
    expected = _run(rest, {"y": np.where(mask, hidden / np.float32(0.6), np.float32(0)).astype(np.float32)})["mean"]
    np.testing.assert_allclose(_run(add_dropout(model, "element", 0.4), _feeds(maps, [8]))["mean"], expected, atol=2e-5)


def test_nonsense_is_refused(own_onnx):
    from export.dropout import add_dropout

    with pytest.raises(OptionError, match="was trained with no dropout; say which"):
        add_dropout(_network())
    with pytest.raises(OptionError, match="'row' is not known"):
        add_dropout(own_onnx, "row")
    for rate in (1.0, -0.1, float("nan")):
        with pytest.raises(OptionError, match=r"not in \[0, 1\)"):
            add_dropout(own_onnx, "element", rate)
    with pytest.raises(ModelError, match="draws dropout masks already"):
        add_dropout(add_dropout(own_onnx))
    with pytest.raises(ModelError, match="agree exactly"):
        add_dropout(_network(), "element", 1e-9)
    bare = _network()
    del bare.graph.node[1:]
    bare.graph.node[0].output[0] = "mean"
    with pytest.raises(ModelError, match="no place for dropout lies on the way to the mean"):
        add_dropout(bare, "element", 0.1)


def test_command(own_onnx, tmp_path):
    from click.testing import CliRunner

    from export.__main__ import main
    from export.cards import load, read_card, save

    save(own_onnx, tmp_path / "own.onnx")
    save(_network(), tmp_path / "net.onnx")

    def run(*arguments):
        return CliRunner().invoke(main, ["dropout", *map(str, arguments)])

    done = run(tmp_path / "own.onnx", "-o", tmp_path / "own-mc.onnx")
    assert done.exit_code == 0, done.output
    assert "channel dropout of 0.25 at 2 places" in done.output
    assert read_card(load(tmp_path / "own-mc.onnx"), "").name == "own-mc"
    done = run(tmp_path / "net.onnx", "-o", tmp_path / "net-mc.onnx", "--dropout", "element", "--rate", 0.1)
    assert done.exit_code == 0, done.output
    assert "trained without dropout" in done.stderr
    for arguments, sentence in (
        ([tmp_path / "net.onnx", "-o", tmp_path / "x.onnx"], "was trained with no dropout"),
        ([tmp_path / "own.onnx", "-o", tmp_path / "own.onnx"], "exists"),
        ([tmp_path / "own-mc.onnx", "-o", tmp_path / "x.onnx"], "already"),
    ):
        done = run(*arguments)
        assert done.exit_code == 1
        assert done.output.startswith("Error: ")
        assert sentence in done.output
    assert not (tmp_path / "x.onnx").exists()
