"""The engine: which device it takes and says so, what it does with onnxruntime's errors, that it can be shared and sent."""

from __future__ import annotations

import ctypes
import os
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solardn import device, engine, machine, model, session
from solardn.engine import Engine
from solardn.errors import DeviceError, ModelError, OptionError
from solardn.failure import OutOfMemory

BATCH = np.arange(32, dtype=np.float32).reshape(1, 1, 4, 8)


class FakeOrt:
    """A stand-in for onnxruntime on a machine with a GPU, where CUDA loads or does not."""

    __version__ = "1.99"

    cuda_version = "0.0"

    def __init__(
        self, *, loads: bool = True, runs: bool = True, says: str = "", fails: str = "", wrong: float = 0.0
    ) -> None:
        self.loads, self.runs, self.says, self.fails, self.wrong = loads, runs, says, fails, wrong
        self.opened: list[Any] = []

    def get_available_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def set_default_logger_severity(self, level: int) -> None:
        pass

    def preload_dlls(self) -> None:
        if self.says:
            print(self.says)

    class SessionOptions:
        pass

    RunOptions = SessionOptions

    def InferenceSession(self, data: bytes, options: Any, *, providers: list[Any], enable_fallback: int) -> Any:  # noqa: N802
        names = [p if isinstance(p, str) else p[0] for p in providers]
        self.opened.append(providers)
        if self.fails and "CUDAExecutionProvider" in names:
            raise RuntimeError(self.fails)
        return FakeSession(names if self.loads else names[-1:], self)


class FakeSession:
    def __init__(self, providers: list[str], ort: FakeOrt) -> None:
        self.providers, self.ort = providers, ort

    def get_providers(self) -> list[str]:
        return self.providers

    def run(self, names: list[str], feed: dict[str, Any], options: Any = None) -> list[Any]:
        if not self.ort.runs and "CUDAExecutionProvider" in self.providers:
            raise RuntimeError("[ONNXRuntimeError] : 11 : EP_FAIL : no kernel image is available\nmore")
        return [feed["map"] + (self.ort.wrong if "CUDAExecutionProvider" in self.providers else 0)]

    def io_binding(self) -> FakeBinding:
        return FakeBinding()

    def run_with_iobinding(self, binding: FakeBinding, options: Any = None) -> None:
        binding.found[:] = self.run(["mean"], {"map": binding.given}, options)[0]


class FakeBinding:
    def bind_input(self, name: str, device: str, number: int, kind: type, shape: tuple[int, ...], place: int) -> None:
        self.given = _there(shape, place).copy()  # as onnxruntime copies it to a GPU

    def bind_output(self, name: str, device: str, number: int, kind: type, shape: tuple[int, ...], place: int) -> None:
        self.found = _there(shape, place)


def _there(shape: tuple[int, ...], place: int) -> Any:
    return np.ctypeslib.as_array(ctypes.cast(place, ctypes.POINTER(ctypes.c_float)), shape)


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts a stand-in in onnxruntime's place, on a machine with a driver."""

    def place(**how: Any) -> FakeOrt:
        ort = FakeOrt(**how)
        monkeypatch.setattr(session, "onnxruntime", lambda: ort)
        monkeypatch.setattr(session, "has_nvidia_driver", lambda: True)
        return ort

    return place


@pytest.fixture
def network(identity_model: Path) -> model.Model:
    return model.load(identity_model)


def test_runs_on_the_cpu_and_says_why(network: model.Model) -> None:
    found = Engine(network, "cpu", threads=1)
    np.testing.assert_array_equal(found.run(BATCH)["mean"], BATCH)
    assert (found.device, found.at_once) == ("cpu", 1)
    assert found.why.startswith("the CPU was asked for; 1 thread on ")


def test_more_threads_than_cpus_are_allowed_and_said(network: model.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (engine, device):
        monkeypatch.setattr(module, "usable_cpus", lambda: 2)
    assert Engine(network, "cpu").threads == 2
    assert "5 threads on 2 CPUs, more than can run at once" in Engine(network, "cpu", threads=5).why


def test_auto_takes_a_gpu_that_works(network: model.Model, with_gpu: Any) -> None:
    ort = with_gpu()
    found = Engine(network, "auto", threads=8)
    np.testing.assert_array_equal(found.run(BATCH)["mean"], BATCH)
    assert (found.device, found.at_once) == ("cuda", 4)
    # The runtime library of CUDA is not there, and that is said, not kept silent.
    assert re.fullmatch(r"a GPU works; copies take longer, without page-locked memory \(.*cudart.*\)", found.why)
    name, options = ort.opened[0][0]
    assert name == "CUDAExecutionProvider"
    assert options == {"device_id": "0", "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    assert sum(len(providers) == 2 for providers in ort.opened) == 1  # one session for many calls
    assert Engine(network, "cuda", threads=1).at_once == 1


def test_another_gpu_is_asked_for_by_its_number(network: model.Model, with_gpu: Any) -> None:
    ort = with_gpu()
    assert Engine(network, "cuda:3").device == "cuda:3"
    assert ort.opened[0][0][1]["device_id"] == "3"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"loads": False, "says": "Failed to load libcudnn.so.9\nmore"}, "Failed to load libcudnn.so.9"),
        ({"loads": False}, "could not load its CUDA provider"),
        ({"runs": False}, r"the session on the GPU fails \(no kernel image is available\)"),
        ({"fails": "CUDA failure 100: no CUDA-capable device"}, "no CUDA-capable device"),
        ({"wrong": 0.5}, r"its results differ from the CPU's by up to 0\.5 noise rms"),
        ({"wrong": float("nan")}, r"its results differ from the CPU's by up to nan noise rms"),
    ],
)
def test_a_gpu_that_does_not_work(
    network: model.Model, with_gpu: Any, how: dict[str, Any], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with_gpu(**how)
    on_auto = Engine(network, "auto")
    assert on_auto.device == "cpu"
    with pytest.raises(
        DeviceError, match=rf"cuda cannot be had: .*{reason}.*pip install 'solardn\[cuda\]'.*--device cpu"
    ):
        Engine(network, "cuda").run(BATCH)
    assert re.search(f"no GPU can be used: .*{reason}", on_auto.why)
    assert capfd.readouterr().out == ""  # onnxruntime prints on stdout what it could not load


def test_without_a_driver_no_gpu_is_tried(network: model.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "has_nvidia_driver", lambda: False)
    assert Engine(network, "auto").device == "cpu"
    with pytest.raises(DeviceError, match=r"no NVIDIA driver|without CUDA"):
        Engine(network, "cuda").run(BATCH)


def test_an_onnxruntime_without_cuda_is_named(network: model.Model, with_gpu: Any) -> None:
    with_gpu().get_available_providers = lambda: ["CPUExecutionProvider"]
    with pytest.raises(DeviceError, match=r"onnxruntime 1\.99 as installed here was built without CUDA"):
        Engine(network, "cuda").run(BATCH)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"device": "tpu"}, "no device 'tpu'; possible are auto, cpu, openvino, cuda"),
        ({"device": "cuda:x"}, "no device 'cuda:x'"),
        ({"precision": "int8"}, "no precision 'int8'; possible are fp32, bf16, fp16"),
        ({"precision": "fp16"}, "the device auto does not compute in fp16; use --device cuda, or --precision fp32"),
        (
            {"device": "cuda:1", "precision": "bf16"},
            "the device cuda:1 does not compute in bf16; use --device openvino",
        ),
        ({"device": "cpu", "precision": "bf16"}, "the device cpu does not compute in bf16"),
        ({"threads": 0}, "threads is 0; give a whole number from 1"),
    ],
)
def test_nonsense_is_refused(network: model.Model, options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        Engine(network, **options)


def test_a_graph_that_onnxruntime_refuses_is_named(blur_model: Path) -> None:
    broken = model.load(blur_model)
    broken = model.Model(broken.path, broken.card, broken.sha256, broken.data.replace(b"Conv", b"Konv"))
    with pytest.raises(ModelError, match=r"onnxruntime .* refuses the network .*blur\.onnx"):
        Engine(broken, "cpu").run(BATCH)


def test_errors_of_a_run_are_translated(network: model.Model, with_gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpu()
    found = Engine(network, "cuda")
    assert found.device == "cuda"
    messages = iter(
        [
            "Failed to allocate memory for requested buffer of size 99",
            "[CPU] Failed to allocate 99 bytes of memory",
            "something else\nsecond line",
        ]
    )

    def fail(*_: Any) -> None:
        raise RuntimeError(next(messages))

    monkeypatch.setattr(FakeSession, "run", fail)
    for _ in range(2):
        with pytest.raises(OutOfMemory, match="memory of the device cuda does not suffice on maps of 1×1×4×8"):
            found.run(BATCH)
    with pytest.raises(DeviceError, match=r"'identity' failed on the device cuda on maps of 1×1×4×8: something else$"):
        found.run(BATCH)


def test_engines_are_shared_by_threads_and_sent_to_processes(network: model.Model) -> None:
    found = Engine(network, "cpu")
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda _: found.run(BATCH)["mean"], range(50)):
            np.testing.assert_array_equal(result, BATCH)
    copy = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(copy.run(BATCH)["mean"], BATCH)


def test_the_quota_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(machine, "_QUOTA", quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert machine.usable_cpus() == 64
    for text, cpus in {"max 100000": 64, "250000 100000": 2, "50000 100000": 1, "nonsense": 64}.items():
        quota.write_text(text)
        assert machine.usable_cpus() == cpus


def test_a_driver_is_looked_for_by_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise OSError("cannot open shared object file")

    monkeypatch.setattr(machine.ctypes, "CDLL", missing)
    assert not machine.has_nvidia_driver()
    monkeypatch.setattr(machine.ctypes, "CDLL", str)
    assert machine.has_nvidia_driver()
