"""Runs on a GPU side by side, tried on the CPU, where bound buffers work alike; and page-locked memory, with a stand-in for NVIDIA's library."""

from __future__ import annotations

import ctypes
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solardn import Denoiser, model, pinned, session
from solardn.engine import Engine
from solardn.failure import OutOfMemory
from solardn.lanes import LANES, Lanes
from solardn.pinned import PinnedMemory
from tests import networks


@pytest.fixture
def unet(tmp_path: Path) -> model.Model:
    return model.load(networks.unet(tmp_path / "unet.onnx", halo=16, multiple=4, min_size=8))


class Plain:
    """Allocates pageable memory, and keeps account of it."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self._lock = threading.Lock()

    def __call__(self, shape: Any) -> Any:
        with self._lock:
            self.shapes.append(tuple(shape))
        return np.full(shape, np.nan, np.float32)


def test_lanes_give_what_the_session_gives_from_any_number_of_threads(unet: model.Model) -> None:
    bare, allocate = session.on_cpu(unet), Plain()
    lanes = Lanes(bare, allocate)
    rng = np.random.default_rng(5)
    maps = [rng.standard_normal((1, 1, 64, 48 + 16 * (i % 2)), np.float32) for i in range(40)]
    with ThreadPoolExecutor(LANES) as pool:
        results = list(pool.map(lambda one: lanes.run(["mean"], {"map": one}), maps))
    for one, (found,) in zip(maps, results, strict=True):
        np.testing.assert_array_equal(found, bare.run(["mean"], {"map": one})[0])
    assert set(allocate.shapes) == {(1, 1, 64, 48), (1, 1, 64, 64)}
    assert len(allocate.shapes) <= 2 * 2 * LANES  # buffers for maps and results serve again


def test_few_buffers_are_kept_however_many_shapes_come(unet: model.Model) -> None:
    allocate = Plain()
    lanes = Lanes(session.on_cpu(unet), allocate)
    for width in range(16, 16 * 40, 16):
        lanes.run(["mean"], {"map": np.zeros((1, 1, 32, width), np.float32)})
    assert len(lanes._free) == 2 * LANES


def test_masks_of_dropout_are_left_to_the_session(tmp_path: Path) -> None:
    masked = model.load(networks.masked(tmp_path / "masked.onnx"))
    bare, allocate = session.on_cpu(masked), Plain()
    feed = session.trial(masked, samples=2)
    np.testing.assert_array_equal(Lanes(bare, allocate).run(["mean"], feed)[0], bare.run(["mean"], feed)[0])
    assert allocate.shapes == []


def test_a_whole_denoising_on_lanes(unet: model.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = np.random.default_rng(1).standard_normal((7, 150, 170)).astype(np.float32)
    expected = Denoiser(unet, device="cpu", tile=64).denoise(maps, scale=1.0)
    monkeypatch.setattr(session, "on_cuda", lambda one, *_: (Lanes(session.on_cpu(one), Plain()), ""))
    denoiser = Denoiser(unet, device="cuda", threads=8, tile=64)
    np.testing.assert_array_equal(denoiser.denoise(maps, scale=1.0), expected)
    assert (denoiser.engine.device, denoiser.engine.why) == ("cuda", "the GPU was asked for")


class FakeLibrary:
    """NVIDIA's runtime library, as far as it is called."""

    def __init__(self, *, fails: int = 0, after: int = 0) -> None:
        self.fails, self.after, self.kept, self.gpus = fails, after, {}, []  # type: ignore[var-annotated]

    def cudaSetDevice(self, gpu: int) -> int:  # noqa: N802
        self.gpus.append(gpu)
        return 0

    def cudaHostAlloc(self, place: Any, size: ctypes.c_size_t, flags: int) -> int:  # noqa: N802
        if self.fails and len(self.gpus) > self.after:
            return self.fails
        memory = ctypes.create_string_buffer(size.value)
        place._obj.value = ctypes.addressof(memory)
        self.kept[place._obj.value] = memory
        return 0

    def cudaFreeHost(self, place: ctypes.c_void_p) -> int:  # noqa: N802
        del self.kept[place.value]
        return 0


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts a stand-in in the library's place."""

    def place(**how: int) -> FakeLibrary:
        found = FakeLibrary(**how)
        monkeypatch.setattr(pinned.ctypes, "CDLL", lambda name: found)
        return found

    return place


def test_page_locked_memory_is_given_back_with_its_last_view(library: Any) -> None:
    found = library()
    array = PinnedMemory("13.0", 2).array((3, 5))
    array[:] = 7
    part = array[1]
    del array
    gc.collect()
    assert (len(found.kept), part.tolist(), set(found.gpus)) == (1, [7] * 5, {2})
    del part
    gc.collect()
    assert not found.kept


def test_no_more_memory_to_lock_means_smaller_tiles(
    library: Any, unet: model.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(fails=2, after=1)
    memory = PinnedMemory("13.0", 0)
    monkeypatch.setattr(session, "on_cuda", lambda one, *_: (Lanes(session.on_cpu(one), memory.array), ""))
    with pytest.raises(OutOfMemory, match="memory of the device cuda does not suffice on maps of 1×1×64×64"):
        Engine(unet, "cuda").run(np.zeros((1, 1, 64, 64), np.float32))


def test_a_library_that_refuses_is_named(library: Any) -> None:
    library(fails=35)
    with pytest.raises(OSError, match="cudaHostAlloc of NVIDIA's runtime library fails with code 35"):
        PinnedMemory("13.0", 0)
