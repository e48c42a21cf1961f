"""The little reader of ONNX files agrees with the onnx package, and takes nothing broken for whole."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from solardn import onnxfile
from solardn.onnxgraph import Value
from solardn.wire import BrokenFile
from tests import networks


def test_agrees_with_the_onnx_package(tmp_path: Path) -> None:
    path = networks.unet(tmp_path / "net.onnx", up="transpose", description="ein Bild – für Menschen")
    found, expected = onnxfile.read(path.read_bytes()), onnx.load(path)
    assert found.metadata == {pair.key: pair.value for pair in expected.metadata_props}
    assert found.inputs == {"map": Value(TensorProto.FLOAT, ("batch", 1, "height", "width"))}
    assert list(found.outputs) == ["mean"]
    assert found.weights == {weight.name: tuple(weight.dims) for weight in expected.graph.initializer}
    for node, other in zip(found.nodes, expected.graph.node, strict=True):
        assert (node.op, node.inputs, node.outputs) == (other.op_type, tuple(other.input), tuple(other.output))
        assert node.attributes == {a.name: _plain(helper.get_attribute_value(a)) for a in other.attribute}
    assert found.constants["scales"] == (1, 1, 2, 2)


def _plain(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else tuple(value) if isinstance(value, list) else value


def test_free_axes_may_have_no_name() -> None:
    image = helper.make_tensor_value_info("map", TensorProto.FLOAT, [None, 1, "height", 512])
    vague = helper.make_tensor_value_info("vague", TensorProto.INT64, None)
    found = onnxfile.read(helper.make_model(helper.make_graph([], "g", [image, vague], [])).SerializeToString())
    assert found.inputs["map"].shape == (None, 1, "height", 512)
    assert found.inputs["vague"] == Value(TensorProto.INT64, None)


def test_numbers_may_be_stored_one_by_one() -> None:
    tensor = b"\x08\x02\x08\x03" + b"\x42\x01w"  # dims 2 and 3, unpacked; name w
    graph = b"\x2a" + bytes([len(tensor)]) + tensor
    assert onnxfile.read(b"\x3a" + bytes([len(graph)]) + graph).weights == {"w": (2, 3)}


def test_values_of_constant_nodes_are_found() -> None:
    scales = numpy_helper.from_array(np.array([1, 1, 0.5, 0.5], np.float32))
    graph = helper.make_graph([helper.make_node("Constant", [], ["scales"], value=scales)], "g", [], [])
    found = onnxfile.read(helper.make_model(graph).SerializeToString())
    assert found.constants == {"scales": (1, 1, 0.5, 0.5)}
    assert found.nodes[0].op == "Constant"


def test_nodes_of_inner_graphs_are_found() -> None:
    inner = helper.make_graph([helper.make_node("Secret", [], ["y"], domain="elsewhere")], "inner", [], [])
    outer = helper.make_graph([helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)], "g", [], [])
    found = onnxfile.read(helper.make_model(outer).SerializeToString())
    assert [node.op for node in found.nodes] == ["If", "Secret", "Secret"]


def test_endless_nesting_is_refused() -> None:
    graph = helper.make_graph([], "g", [], [])
    for _ in range(20):
        graph = helper.make_graph([helper.make_node("If", ["c"], ["y"], then_branch=graph)], "g", [], [])
    with pytest.raises(BrokenFile, match="nested too deep"):
        onnxfile.read(helper.make_model(graph).SerializeToString())


def test_external_data_is_noticed_in_weights_attributes_and_sparse_weights() -> None:
    def elsewhere(name: str) -> TensorProto:
        tensor = numpy_helper.from_array(np.zeros(3, np.float32), name)
        tensor.data_location = TensorProto.EXTERNAL
        return tensor

    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=elsewhere("in a node"))], "g", [], [], [elsewhere("a weight")]
    )
    graph.sparse_initializer.add().values.CopyFrom(elsewhere("sparse"))
    found = onnxfile.read(helper.make_model(graph).SerializeToString())
    assert sorted(found.external) == ["a weight", "in a node", "sparse"]


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    data = networks.pooled(tmp_path / "net.onnx").read_bytes()
    whole = onnxfile.read(data).metadata
    for size in range(len(data)):
        try:
            assert onnxfile.read(data[:size]).metadata != whole
        except BrokenFile:
            continue


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * 20,
        b"SIMPLE  =",
        b"\x89HDF\r\n\x1a\n" + bytes(100),
        b"\x3a\xff\xff",
        b"\x3b",
        b"\x08" + b"\xff" * 11,
    ],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(BrokenFile):
        onnxfile.read(data)


@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_damage_ends_in_one_kind_of_error(place: float, byte: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = bytearray(networks.pooled(tmp_path_factory.mktemp("damage") / "net.onnx").read_bytes())
    data[int(place * len(data))] = byte
    with contextlib.suppress(BrokenFile):
        onnxfile.read(bytes(data))
