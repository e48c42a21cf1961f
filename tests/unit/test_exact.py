"""Tiles of real networks in onnxruntime are bit for bit the whole map, on any number of threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.scenes import make_truth
from solardn import Denoiser
from tests import networks


def check(path: Path, shapes: list[tuple[int, int]], tiles: list[int]) -> None:
    whole = Denoiser(path, device="cpu", tile=10_000, threads=1)
    tiled = {tile: Denoiser(path, device="cpu", tile=tile, threads=3) for tile in tiles}
    for shape in shapes:
        plane = np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)
        expected = whole.denoise(plane, scale=1.0)
        for tile, denoiser in tiled.items():
            np.testing.assert_array_equal(
                denoiser.denoise(plane, scale=1.0), expected, f"{shape} in tiles of {tile} pixels"
            )


@pytest.mark.parametrize("up", ["resize", "transpose"])
def test_small_networks(tmp_path: Path, up: str) -> None:
    shapes = [(8, 8), (11, 90), (41, 67), (130, 3), (99, 101)]
    check(networks.unet(tmp_path / "net.onnx", (8, 16), up=up), shapes, [8, 20, 64])


@pytest.mark.parametrize(
    ("widths", "up", "act"),
    [
        ((16, 32, 64), "resize", "Relu"),
        ((8, 16, 160), "transpose", "LeakyRelu"),  # more channels than a matrix product sums in one go
        ((6, 10, 140), "transpose", "Elu"),  # channels that fill no vector
        ((5, 12, 20), "resize", "Softplus"),
    ],
)
def test_networks_of_many_kinds(tmp_path: Path, widths: tuple[int, ...], up: str, act: str) -> None:
    shapes = [(5, 900), (11, 290), (67, 160), (150, 133)]
    check(networks.unet(tmp_path / "net.onnx", widths, up=up, act=act), shapes, [8, 36])


def test_whole_maps_are_what_onnxruntime_gives(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    path = networks.unet(tmp_path / "net.onnx", (16, 32))
    plane = np.random.default_rng(0).normal(size=(200, 160)).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (expected,) = session.run(["mean"], {"map": plane[np.newaxis, np.newaxis]})
    np.testing.assert_array_equal(Denoiser(path, device="cpu", tile=64).denoise(plane, scale=1.0), expected[0, 0])


def test_passes_over_the_residual_are_exact_too(tmp_path: Path) -> None:
    path = networks.unet(tmp_path / "net.onnx", (8, 16))
    plane = np.random.default_rng(0).normal(size=(130, 90)).astype(np.float32)
    results = [Denoiser(path, device="cpu", tile=tile).denoise(plane, scale=0.1, cycles=3) for tile in (1000, 8)]
    np.testing.assert_array_equal(*results)


def test_passes_that_the_residual_decides_are_exact_too(tmp_path: Path) -> None:
    path = networks.blur(tmp_path / "net.onnx")
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(130, 90)).astype(np.float32)
    plane += 30 * make_truth("filaments", plane.shape, 4).astype(np.float32)
    plane[3, 70:] = np.nan
    results = [
        next(Denoiser(path, device="cpu", tile=tile, threads=tile % 3 + 1).denoise_maps([plane], [1.0], "auto"))
        for tile in (1000, 8)
    ]
    assert results[0].cycles == results[1].cycles > 1
    np.testing.assert_array_equal(*(found.values for found in results))
