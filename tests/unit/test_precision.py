"""Other libraries and other precisions: the same results within what is said, or one sentence on why not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from solardn import Denoiser, half, model, session, vino
from solardn.engine import Engine
from solardn.errors import DeviceError, MissingExtra, ModelError, OptionError
from tests import networks
from tests.unit.test_engine import FakeOrt


@pytest.fixture
def unet(tmp_path: Path) -> model.Model:
    return model.load(networks.unet(tmp_path / "unet.onnx", halo=16, multiple=4, min_size=8))


@pytest.fixture
def plane() -> np.ndarray:
    return np.random.default_rng(3).standard_normal((300, 212)).astype(np.float32)


@pytest.fixture
def openvino() -> Any:
    return pytest.importorskip("openvino", reason="OpenVINO is not installed")


def denoise(network: model.Model, plane: np.ndarray, **options: Any) -> np.ndarray:
    return np.asarray(Denoiser(network, **options).denoise(plane, scale=1.0))


def test_openvino_agrees_with_onnxruntime(unet: model.Model, plane: np.ndarray, openvino: Any) -> None:
    here, there = denoise(unet, plane, device="openvino"), denoise(unet, plane, device="cpu")
    np.testing.assert_allclose(here, there, atol=2e-5 * np.abs(there).max())
    assert Engine(unet, "openvino").library == ("openvino", openvino.__version__.split("-")[0])


@pytest.mark.parametrize("options", [{"tile": 64}, {"tile": 100}, {"threads": 1}, {"threads": 3, "tile": 80}])
def test_on_openvino_results_do_not_depend_on_tiles_and_threads(
    unet: model.Model, plane: np.ndarray, openvino: Any, options: dict[str, Any]
) -> None:
    np.testing.assert_array_equal(
        denoise(unet, plane, device="openvino", **options), denoise(unet, plane, device="openvino")
    )


def test_bfloat16_states_its_error(unet: model.Model, plane: np.ndarray, openvino: Any) -> None:
    try:
        found = Engine(unet, "openvino", "bf16")
        found.device  # noqa: B018 - opens the session
    except DeviceError as error:
        pytest.skip(str(error))
    assert 0 < found.precision_error < 0.1
    assert f"bf16: results differ by {found.precision_error:.2g} noise rms from fp32" in found.why
    here = denoise(unet, plane, device="openvino", precision="bf16")
    exact = denoise(unet, plane, device="openvino")
    assert 0 < np.std(here - exact) < 0.05 * np.std(exact)


def test_what_sees_the_map_stays_in_float32(openvino: Any) -> None:
    network = model.load()
    noise = np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)
    strong = noise + np.float32(30 * 2**0.5) * np.sin(np.arange(256, dtype=np.float32) * np.float32(0.1))
    try:
        here = denoise(network, strong, device="openvino", precision="bf16")
    except DeviceError as error:
        pytest.skip(str(error))
    assert np.std(here - denoise(network, strong, device="cpu")) < 0.03  # 0.05 when all is in bfloat16


def test_features_go_from_float32_to_bfloat16_as_convolutions_compute_them(openvino: Any) -> None:
    network = model.load()
    whole = openvino.Core().read_model(network.data)
    whole.reshape({"map": [1, 1, 64, 96]})
    first, rest = vino.split(whole)
    assert list(first.outputs[0].shape) == [1, 32, 48, 32]  # y, x, features: no copy in another order
    assert "Relu" in [op.get_type_name() for op in first.get_ops()]  # within the convolution, not alone after it
    assert [list(one.shape) for one in rest.inputs] == [[1, 1, 64, 96], [1, 32, 48, 32]]


def test_fp32_states_no_error(unet: model.Model) -> None:
    assert Engine(unet, "cpu").precision_error == 0


def test_openvino_that_is_not_there(unet: model.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtra, match=r"pip install 'solardn\[openvino\]', or use --device cpu"):
        Engine(unet, "openvino").run(np.zeros((1, 1, 8, 8), np.float32))


def test_a_cpu_without_bfloat16(unet: model.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    core = SimpleNamespace(set_property=lambda *_: None, get_property=lambda *_: ["FP32", "INT8"])
    monkeypatch.setattr(vino, "_openvino", lambda: SimpleNamespace(Core=lambda: core))
    with pytest.raises(DeviceError, match=r"no arithmetic in bfloat16; use --precision fp32"):
        Engine(unet, "openvino", "bf16").run(np.zeros((1, 1, 8, 8), np.float32))


def test_masks_are_refused_where_they_cannot_be_drawn(tmp_path: Path, openvino: Any) -> None:
    network = model.load(networks.masked(tmp_path / "masked.onnx"))
    with pytest.raises(ModelError, match="onnxruntime only; use --device cpu"):
        Engine(network, "openvino").run(np.zeros((1, 1, 8, 8), np.float32))
    with pytest.raises(OptionError, match="fp32 only; use --precision fp32"):
        half.in_half(network)


def test_float16_is_near_float32(unet: model.Model, plane: np.ndarray) -> None:
    feed = {"map": plane[np.newaxis, np.newaxis]}
    converted = _raw(half.in_half(unet)).run(["mean"], feed)[0]
    exact = session.on_cpu(unet).run(["mean"], feed)[0]
    assert converted.dtype == np.float32
    assert 0 < np.std(converted - exact) < 0.01 * np.std(exact)


def test_in_float16_a_strong_signal_does_not_hide_the_noise() -> None:
    shipped = model.load("stokes")
    signal = 100 * np.sin(np.arange(96) / 7)[:, np.newaxis]  # of which a float16 loses what is below 0.03
    feed = {"map": (signal + np.random.default_rng(2).standard_normal((1, 1, 96, 96))).astype(np.float32)}
    converted = _raw(half.in_half(shipped)).run(["mean"], feed)[0]
    assert 0 < np.std(converted - session.on_cpu(shipped).run(["mean"], feed)[0]) < 0.004


def _raw(data: bytes) -> Any:
    return session.onnxruntime().InferenceSession(data, providers=["CPUExecutionProvider"])


def test_a_gpu_gets_the_graph_in_float16(unet: model.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bytes] = []

    class Recording(FakeOrt):
        def InferenceSession(self, data: bytes, *rest: Any, **more: Any) -> Any:  # noqa: N802
            given.append(data)
            return super().InferenceSession(data, *rest, **more)

    monkeypatch.setattr(session, "onnxruntime", Recording)
    monkeypatch.setattr(session, "has_nvidia_driver", lambda: True)
    found = Engine(unet, "cuda", "fp16")
    assert found.device == "cuda"
    assert "fp16: results differ by 0 noise rms" in found.why  # the stand-in returns its input, as it does for fp32
    assert len(given[0]) < len(unet.data)


def test_float16_needs_onnx(unet: model.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        MissingExtra, match=r"fp16 needs the package onnx; install it with: pip install 'solardn\[cuda\]'"
    ):
        half.in_half(unet)
