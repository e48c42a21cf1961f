"""Networks: names become files, and files that break the contract are refused before anything runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from solardn import model
from solardn.card import CONTRACT, encode_array
from solardn.errors import ModelError
from tests import networks


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no network of this machine be seen."""
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setattr(model, "bundled_folder", lambda: tmp_path / "bundled")
    monkeypatch.delenv("SOLARDN_MODELS", raising=False)


def changed(path: Path, change: Callable[[onnx.ModelProto], object]) -> Path:
    network = onnx.load(path)
    change(network)
    path.write_bytes(network.SerializeToString())
    return path


def test_a_file_becomes_a_network(blur_model: Path) -> None:
    loaded = model.load(blur_model)
    assert loaded == model.load(str(blur_model))
    assert (loaded.card.name, loaded.card.halo, loaded.path) == ("blur", 1, blur_model)
    assert len(loaded.sha256) == 64
    assert "data" not in repr(loaded)


def test_names_are_found_in_the_order_bundled_environment_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / "bundled", tmp_path / "one", tmp_path / "two", model.user_folder()]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        for name in ["everywhere", f"only{number}"]:
            networks.identity(folder / f"{name}.onnx")
    monkeypatch.setenv("SOLARDN_MODELS", os.pathsep.join([*map(str, folders[1:3]), str(tmp_path / "missing")]))
    found = model.available()
    assert sorted(found) == ["everywhere", "only0", "only1", "only2", "only3"]
    assert found["everywhere"] == folders[0] / "everywhere.onnx"
    assert model.load("only3").path == folders[3] / "only3.onnx"


def test_a_locked_folder_of_the_users_hides_no_other_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user is not that of the home folder."""
    (tmp_path / "bundled").mkdir()
    networks.identity(tmp_path / "bundled" / "same.onnx")

    is_dir = Path.is_dir

    def locked(path: Path) -> bool:
        if path == model.user_folder():
            raise PermissionError(13, "Permission denied", str(path))
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", locked)
    assert list(model.available()) == ["same"]


def test_users_folder_is_where_the_system_keeps_users_data(tmp_path: Path) -> None:
    assert model.user_folder() == tmp_path / "home" / "solardn" / "models"


def test_a_network_tells_where_it_comes_from(tmp_path: Path) -> None:
    folders = {"bundled": tmp_path / "bundled", "your own": model.user_folder(), "SOLARDN_MODELS": tmp_path / "other"}
    assert {model.place_of(folder / "x.onnx"): folder for folder in folders.values()} == folders


def test_unknown_names_list_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "bundled").mkdir()
    networks.identity(tmp_path / "bundled" / "stokes.onnx")
    for name in ("stoke", 300 * "s"):  # no file can have a name so long
        with pytest.raises(ModelError, match=rf"no network called '{name}'; known are stokes"):
            model.load(name)


@pytest.mark.parametrize("name", ["nowhere/net.onnx", "net.onnx", Path("net")])
def test_missing_files_are_named(name: str | Path) -> None:
    with pytest.raises(ModelError, match=r"net(\.onnx)? does not exist; known are none"):
        model.load(name)


def test_unreadable_files_are_named(blur_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ModelError, match=r"blur\.onnx cannot be read: Permission denied"):
        model.load(blur_model)


def test_absurd_sizes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(600 * 2**20)
    with pytest.raises(ModelError, match=r"huge\.onnx has 600 MB, more than the 512 MB"):
        model.load(path)


def test_truncated_files_are_refused(blur_model: Path) -> None:
    data = blur_model.read_bytes()
    for size in (0, 10, len(data) // 2, len(data) - 1):
        blur_model.write_bytes(data[:size])
        with pytest.raises(ModelError, match=r"blur\.onnx"):
            model.load(blur_model)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("not a network at all")
    with pytest.raises(ModelError, match=r"text\.onnx is no complete ONNX file"):
        model.load(path)


def _drop_card(network: onnx.ModelProto) -> None:
    del network.metadata_props[:]


def _set(key: str, value: str) -> Callable[[onnx.ModelProto], None]:
    def change(network: onnx.ModelProto) -> None:
        pairs = {pair.key: pair.value for pair in network.metadata_props} | {key: value}
        del network.metadata_props[:]
        helper.set_model_props(network, pairs)

    return change


def _rename_input(network: onnx.ModelProto) -> None:
    network.graph.input[0].name = network.graph.node[0].input[0] = "image"


def _shape(*dims: str | int) -> Callable[[onnx.ModelProto], None]:
    def change(network: onnx.ModelProto) -> None:
        described = helper.make_tensor_value_info("map", TensorProto.FLOAT, dims)
        network.graph.input[0].CopyFrom(described)

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_drop_card, "has no solardn card.*python -m export convert"),
        (_set("contract", str(CONTRACT + 1)), "update solardn"),
        (_set("contract", "new"), "no number"),
        (_set("halo", "wide"), "cannot be read"),
        (_set("halo", "-3"), "halo = -3"),
        (_set("halo", "1000000000"), "halo = 1000000000; a number from 0 to 8192"),
        (_set("input_sigma", "nan"), "input_sigma = nan"),
        (_set("outputs", "mean,log_variance"), "has no output 'log_variance'.*its outputs are mean"),
        (_set("dropout", '{"rate": 1.5}'), "dropout of rate 1.5"),
        (_set("dropout", "[0.1]"), "tells no rate of its dropout"),
        (_set("calibration", '{"factor": 0}'), "calibration factor of 0"),
        (_set("calibration", '{"coverage_1": 0.68}'), "tells no factor of its calibration"),
        (_set("dropout", '{"rate": 0.1}'), "has the inputs map; by its card it should have map, origin, seed"),
        (_rename_input, "has the inputs image; by its card it should have map"),
        (_shape("batch", 3, "height", "width"), "takes 3 channels"),
        (_shape("batch", 1, 512, "width"), "takes only maps of height 512"),
        (_shape("height", "width"), "another type or number of axes"),
        (lambda network: setattr(network.graph.node[0], "domain", "com.example"), "com.example::Conv"),
        (lambda network: setattr(network.graph.initializer[0], "data_location", 1), "weights in other files"),
        (lambda network: network.graph.initializer[0].dims.append(10**9), "cannot hold"),
        (lambda network: network.graph.initializer[0].dims.append(-1), "cannot hold"),
        (lambda network: network.functions.add(name="Conv"), r"outside the ONNX standard \(Conv\)"),
        (lambda network: setattr(network.graph.node[0], "op_type", "Loop"), "Loop, which may run without end"),
    ],
)
def test_broken_contracts_are_refused(blur_model: Path, change: Callable[[onnx.ModelProto], None], says: str) -> None:
    changed(blur_model, change)
    with pytest.raises(ModelError, match=rf"blur.*{says}"):
        model.load(blur_model)


def test_onnxruntime_is_not_even_imported_before_a_file_is_accepted(blur_model: Path) -> None:
    changed(blur_model, lambda network: setattr(network.graph.node[0], "domain", "com.example"))
    program = f"""import sys; from solardn import model, errors
try: model.load({str(blur_model)!r})
except errors.ModelError: print("onnxruntime" in sys.modules)"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_the_self_check_passes(identity_model: Path) -> None:
    assert model.load(identity_model).verify() == 0


def test_a_failed_self_check_tells_by_how_much(tmp_path: Path) -> None:
    given, expected = np.array([[1, 2], [3, 5]], np.float32), np.array([[1, 2], [3, 6]], np.float32)
    check = {name: encode_array(a[None, None]) for name, a in {"map": given, "mean": expected}.items()}
    path = networks.identity(tmp_path / "wrong.onnx", check=check | {"tolerance": 1e-5})
    with pytest.raises(ModelError, match=r"'wrong'.*off by 0\.2 of its range, allowed are 1e-05"):
        model.load(path).verify()


def test_a_self_check_that_is_missing_or_garbled_is_an_error(blur_model: Path) -> None:
    with pytest.raises(ModelError, match="carries no self-check"):
        model.load(blur_model).verify()
    changed(blur_model, _set("check", '{"map": {"shape": [1], "data": "AAAA"}}'))
    with pytest.raises(ModelError, match=r"self-check .* cannot be read"):
        model.load(blur_model).verify()
