"""The graph that leaves: what the contract says, and what Keras computes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest

from solardn.card import decode_array
from solardn.errors import ModelError, OptionError


def _operators(model):
    return Counter(node.op_type for node in model.graph.node)


def _shape(value):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def _single(build, name="net"):
    """Convert a one-output network."""
    import keras

    from export.convert import convert
    from export.source import Source

    start = keras.Input((None, None, 1))
    model = keras.Model(start, build(keras.layers, start), name=name)
    return convert(Source(model, ("mean",), {}, {"file": "x"}), name, {"input_sigma": 1.0})


def test_graph_of_our_own_kind(own_onnx):
    assert [value.name for value in own_onnx.graph.input] == ["map"]
    assert [value.name for value in own_onnx.graph.output] == ["mean", "log_variance"]
    for value in (*own_onnx.graph.input, *own_onnx.graph.output):
        assert _shape(value) == ["batch", 1, "height", "width"]
    expected = {"SpaceToDepth": 1, "Conv": 6, "Relu": 4, "Resize": 1, "Concat": 1, "DepthToSpace": 2, "Sub": 1}
    assert _operators(own_onnx) == expected
    assert [(entry.domain, entry.version) for entry in own_onnx.opset_import] == [("", 13)]
    assert not own_onnx.graph.value_info


def test_card(own_onnx):
    from export.cards import read_card
    from export.graph import session

    card = read_card(own_onnx, "own")
    assert (card.name, card.multiple, card.min_size, card.outputs) == ("own", 4, 4, ("mean", "log_variance"))
    assert (card.input_sigma, card.dropout, card.contract) == (1.0, None, 1)
    assert card.source["file"] == "own.keras"
    assert card.source["converted_with"].keys() == {"keras", "tensorflow-cpu", "tf2onnx", "onnx"}
    results = session(own_onnx).run(["mean", "log_variance"], {"map": decode_array(card.check["map"])})
    for name, result in zip(card.outputs, results, strict=True):
        np.testing.assert_allclose(result, decode_array(card.check[name]), atol=1e-6)


def test_places_of_dropout_are_remembered(own_onnx):
    from export.cards import read_places

    places = read_places(own_onnx)
    assert [(place.rate, place.kind) for place in places] == [(0.25, "channel")] * 2
    makers = {output: node for node in own_onnx.graph.node for output in node.output}
    users = {node.name: node for node in own_onnx.graph.node}
    for place in places:
        assert makers[place.tensor].op_type == "Relu"
        assert [users[user].op_type for user in place.users] == ["Conv"]
    # The last dropout works on the mean alone: the branch of the log variance uses the same values undropped.
    assert sum(places[1].tensor in node.input for node in own_onnx.graph.node) == 2


def test_keras_and_onnx_agree(own_onnx, own_source):
    from export.verify import TOLERANCE, compare

    compared = compare(own_onnx, own_source)
    assert {one.output for one in compared} == {"mean", "log_variance"}
    assert len({one.shape for one in compared}) == 4
    assert max(one.difference for one in compared) < TOLERANCE


def test_same_file_every_time(own_onnx, own_source):
    from export.convert import convert

    again = convert(own_source, "own", {"input_sigma": 1.0})
    assert again.SerializeToString(deterministic=True) == own_onnx.SerializeToString(deterministic=True)


def test_layers_of_keras_become_single_nodes():
    def build(layers, x):
        x = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.UpSampling2D(2)(layers.Dropout(0.1)(layers.AveragePooling2D(2)(x)))
        x = layers.Conv2DTranspose(4, 2, strides=2)(layers.SpatialDropout2D(0.2)(layers.MaxPooling2D()(x)))
        return layers.Conv2D(1, 3, padding="same")(x)

    from export.cards import read_places

    model = _single(build)
    operators = _operators(model)
    assert operators["Resize"] == operators["ConvTranspose"] == operators["MaxPool"] == operators["AveragePool"] == 1
    assert not {"Transpose", "Reshape", "Shape", "Dropout", "LeakyRelu"} & operators.keys()
    assert [(place.rate, place.kind) for place in read_places(model)] == [(0.1, "element"), (0.2, "channel")]


def test_what_cannot_be_converted_is_refused():
    import keras

    from export.convert import convert
    from export.source import Source

    with pytest.raises(ModelError, match=r"enlarges by \(2, 3\)"):
        _single(lambda layers, x: layers.UpSampling2D((2, 3))(x))
    with pytest.raises(ModelError, match=r"'net' cannot be converted \(Using a symbolic"):
        _single(lambda layers, x: layers.Conv2D(1, 1)(layers.UpSampling2D(2, interpolation="bilinear")(x)))
    with pytest.raises(ModelError, match=r"drops units of the shape \(1, None, 1, None\)"):
        _single(lambda layers, x: layers.Dropout(0.1, noise_shape=(1, None, 1, None))(x))
    start = keras.Input((None, None, 1))
    model = keras.Model(start, keras.layers.Conv2D(1, 1)(start), name="bare")
    with pytest.raises(OptionError, match="--input-sigma"):
        convert(Source(model, ("mean",), {}, {}), "bare", {})
    with pytest.raises(OptionError, match="colour"):
        convert(Source(model, ("mean",), {}, {}), "bare", {"input_sigma": 1.0, "colour": "red"})


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["unet", "bayes"])
def test_authors_architectures(request, architecture):
    from export.cards import read_card
    from export.convert import convert
    from export.source import open_source
    from export.verify import TOLERANCE, compare

    source = open_source(request.getfixturevalue(f"{architecture}_file"), architecture)
    assert source.card["input_sigma"] == 2e-3
    # With random weights the log variance hardly moves on so weak an input: its range would be that of rounding.
    model = convert(source, architecture, {"input_sigma": 10.0})
    card = read_card(model, architecture)
    assert (card.halo, card.multiple, card.input_sigma) == (26, 4, 10.0)
    if architecture == "unet":
        assert card.min_size == 8
        assert _operators(model) == {"Conv": 13, "Relu": 12, "Pad": 10, "MaxPool": 2, "Resize": 2, "Concat": 2}
        assert all(node.attribute[0].s == b"reflect" for node in model.graph.node if node.op_type == "Pad")
    else:
        assert card.min_size == 4
        assert len(model.graph.node) == 51
        assert card.outputs == ("mean", "log_variance")
    # Random weights make the output a small difference of large terms; trained ones keep verify's tolerance (test_reference.py).
    assert max(one.difference for one in compare(model, source)) < 5 * TOLERANCE
    onnx.checker.check_model(model, full_check=True)
