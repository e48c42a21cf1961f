"""Threads, tiles and ways to share them out change no bit of a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solardn import Denoiser, memory, model, tiling
from solardn.engine import Engine
from tests import networks

SHAPES = ((64, 64), (150, 133), (200, 200), (203, 517), (64, 900))
NETWORKS: dict[str, Callable[[Path], Path]] = {
    "blur": networks.blur,
    "pooled": networks.pooled,
    "masked": networks.masked,
    "unet": networks.unet,
    "odd": lambda path: networks.unet(path, (5, 11, 19)),  # sums in another order with four threads on 64×64
    "deep": lambda path: networks.unet(path, (6, 10, 140), up="transpose"),
    "exponential": lambda path: networks.unet(path, (6, 10, 20), act="Elu"),  # which several threads would change
}


def noise(shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(shape[-1]).standard_normal(shape, np.float32)


def denoiser(network: Path | str, threads: int, **options: Any) -> Denoiser:
    return Denoiser(network, device="cpu", threads=threads, **options)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_threads_change_no_bit(kind: str, shape: tuple[int, int], tmp_path: Path) -> None:
    path, plane = NETWORKS[kind](tmp_path / "net.onnx"), noise(shape)
    expected = denoiser(path, 1).denoise_map(plane, 1.0)
    for threads in (2, 3, 4):
        np.testing.assert_array_equal(denoiser(path, threads).denoise_map(plane, 1.0), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stokes", "stokes-bayes"])
@pytest.mark.parametrize("shape", [(64, 64), (512, 512), (777, 1009)], ids=str)
def test_threads_and_tiles_change_no_bit_of_what_ships(name: str, shape: tuple[int, int]) -> None:
    plane = noise(shape)
    expected = denoiser(name, 1).denoise_map(plane, 1.0)
    for threads, options in ((2, {}), (3, {}), (4, {}), (1, {"tile": 300}), (2, {"memory": "150MB"})):
        np.testing.assert_array_equal(denoiser(name, threads, **options).denoise_map(plane, 1.0), expected)


def test_samples_are_the_same_for_any_threads_and_memory(tmp_path: Path) -> None:
    path, plane = networks.masked(tmp_path / "net.onnx"), noise((200, 330))
    one = denoiser(path, 1).uncertainty(plane, samples=5, noise_sigma=1.0)
    for threads, budget in ((2, "2GB"), (4, "2GB"), (3, "5MB")):
        other = denoiser(path, threads, memory=budget).uncertainty(plane, samples=5, noise_sigma=1.0)
        np.testing.assert_array_equal(other.mean, one.mean)
        np.testing.assert_array_equal(other.sigma, one.sigma)


def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[int, ...], int]]:
    """Return where shape and threads of each run are noted."""
    seen: list[tuple[tuple[int, ...], int]] = []
    run = Engine.run

    def noted(self: Engine, batch: Any, **given: Any) -> Any:
        seen.append((batch.shape[-2:], given["threads"]))
        return run(self, batch, **given)

    monkeypatch.setattr(Engine, "run", noted)
    return seen


def test_one_map_is_not_cut_for_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = networks.unet(tmp_path / "net.onnx"), runs(monkeypatch)
    denoiser(path, 2).denoise_map(noise((400, 400)), 1.0)
    assert seen == [((400, 400), 2)]


def test_maps_of_a_stack_have_a_thread_each_and_the_last_has_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = networks.unet(tmp_path / "net.onnx"), runs(monkeypatch)
    denoiser(path, 2).denoise(noise((3, 400, 400)), noise_sigma=1.0)
    assert seen == [((400, 400), 1), ((400, 400), 1), ((400, 400), 2)]


def test_windows_bounded_by_their_area_leave_less_to_compute() -> None:
    card = model.load("stokes").card
    for shape, ratio in (((1504, 1504), 1.2), ((4096, 4096), 1.4), ((208, 8000), 1.3)):
        [way] = memory.shares(512_000_000, 330.0, card, threads=1)
        parts = tiling.plan(shape, card, way.tile, pixels=way.pixels)
        assert parts[0].shape[0] * parts[0].shape[1] * 330 <= 512_000_000
        squares = tiling.work(tiling.plan(shape, card, way.tile))
        assert tiling.work(parts) <= min(squares, ratio * shape[0] * shape[1])
