"""The mean over views of a map: what a network sees is the same Sun, whatever its sign and however the detector was mounted."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from solardn import Denoiser, OptionError, denoise, denoise_file
from solardn.views import COUNTS, VIEWS, first, mean_over
from tests import networks

MAP = np.random.default_rng(0).standard_normal((13, 9)).astype(np.float32)


@pytest.fixture
def leftward(tmp_path: Path) -> Path:
    """A network that gives each pixel its left neighbour: not the same seen from another side."""
    path = networks.blur(tmp_path / "leftward.onnx")
    network = onnx.load(path)
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 1, 0] = 1
    network.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(kernel, "kernel"))
    path.write_bytes(network.SerializeToString())
    return path


def test_no_two_views_are_the_same_and_each_is_undone() -> None:
    seen = {first(VIEWS)[k].of(MAP).tobytes() for k in range(VIEWS)}
    assert len(seen) == VIEWS
    for view in first(VIEWS):
        np.testing.assert_array_equal(view.sign * view.back(view.of(MAP)[np.newaxis])[0], MAP)


@pytest.mark.parametrize("count", COUNTS)
def test_views_of_a_count_are_the_same_from_each_of_them(count: int) -> None:
    def seen(units: np.ndarray) -> set[bytes]:
        return {view.of(units).tobytes() for view in first(count)}

    for view in first(count):
        assert seen(view.of(MAP)) == seen(MAP)


def test_a_pass_is_the_mean_over_its_views(leftward: Path) -> None:
    padded = np.pad(MAP, 1)
    left, right, up, down = padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]
    means = {1: [left], 2: [left, right], 4: [left, right, up, down], 16: [left, right, up, down]}
    for views, wanted in means.items():
        found = denoise(MAP, scale=1.0, views=views, model=leftward, device="cpu")
        np.testing.assert_allclose(found, np.mean(wanted, axis=0), atol=1e-6)


def test_a_network_that_knows_signs_forgets_them() -> None:
    denoiser = Denoiser(device="cpu")
    data = 3 * np.random.default_rng(1).standard_normal((70, 100)).astype(np.float32)
    once, other = denoiser.denoise(np.stack([data, -data]), noise_sigma=1.0)
    assert np.abs(once + other).max() > 1e-2
    once, other = denoiser.denoise(np.stack([data, -data]), noise_sigma=1.0, views=8)
    np.testing.assert_allclose(once, -other, atol=1e-5)
    turned = denoiser.denoise(data.T, noise_sigma=1.0, views=8)
    np.testing.assert_allclose(once, turned.T, atol=1e-5)


def test_tiles_and_threads_change_no_bit(pooled_model: Path) -> None:
    data = np.random.default_rng(2).standard_normal((130, 90)).astype(np.float32)
    data[3, 70:] = np.nan
    results = [
        Denoiser(pooled_model, device="cpu", tile=tile, threads=tile % 3 + 1).denoise(
            data, scale=1.0, views=16, cycles=2
        )
        for tile in (1000, 8)
    ]
    np.testing.assert_array_equal(*results)


def test_later_passes_see_all_views_too(leftward: Path) -> None:
    denoiser = Denoiser(leftward, device="cpu")
    once = denoiser.denoise(MAP, scale=1.0, views=4)
    twice = denoiser.denoise(MAP, scale=1.0, views=4, cycles=2)
    np.testing.assert_allclose(twice, once + denoiser.denoise(MAP - once, scale=1.0, views=4), atol=1e-6)


def test_one_view_costs_one_pass() -> None:
    assert mean_over(1, np.abs) is np.abs


@pytest.mark.parametrize("count", [0, 3, 32, 2.5, True, "all"])
def test_other_counts_are_refused(count: object, blur_model: Path) -> None:
    with pytest.raises(OptionError, match=r"views is .*; give "):
        denoise(MAP, scale=1.0, views=count, model=blur_model)


def test_whole_numbers_of_numpy_are_as_good(tmp_path: Path, blur_model: Path) -> None:
    np.save(tmp_path / "in.npy", np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32))
    one = np.int64(1)
    found = denoise_file(
        tmp_path / "in.npy", tmp_path / "out.npy", model=blur_model, cycles=one, views=2 * one, tile=64 * one
    )
    assert found.parameters == {"cycles": 1, "views": 2}
