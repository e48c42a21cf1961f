"""A network's own word on the noise level: it lowers one that is too high, and leaves one alone that is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scenes import make_noise, make_truth
from solardn import Denoiser
from solardn.bound import bounded
from solardn.noise import NoiseEstimate, estimate
from tests import networks

SHAPE = (256, 256)


@pytest.fixture(scope="module")
def shipped() -> Denoiser:
    """Return the network that is taken by default."""
    return Denoiser(device="cpu")


def told(denoiser: Denoiser, data: np.ndarray, factor: float) -> NoiseEstimate:
    """Return what becomes of a level that is wrong by a factor."""
    found = estimate(data)
    wrong = replace(
        found, sigma=factor * found.sigma, coarse=factor * found.coarse, spectrum=factor**2 * found.spectrum
    )
    return bounded(lambda part, sigma: denoiser.denoise_map(part, denoiser.card.input_sigma / sigma), data, wrong)


@pytest.mark.parametrize("truth", ["plage", "sunspot", "points"])
@pytest.mark.parametrize("noise", ["white", "band 0.3 soft"])
def test_a_level_that_is_too_high_comes_down(shipped: Denoiser, truth: str, noise: str) -> None:
    data = (8 * make_truth(truth, SHAPE, 4) + make_noise(noise, SHAPE, 4)).astype(np.float32)
    lowered = told(shipped, data, 2.5 / estimate(data).sigma)
    assert lowered.sigma == pytest.approx(1, rel=0.15)
    assert np.sqrt(np.mean(lowered.coarse**2)) == pytest.approx(lowered.sigma, rel=0.3)
    assert lowered.spectrum @ lowered.area == pytest.approx(lowered.sigma**2, rel=0.1)
    assert "lowered by" in lowered.method


@pytest.mark.parametrize("truth", ["plage", "sunspot", "granules", "none"])
def test_a_level_that_is_right_stays(shipped: Denoiser, truth: str) -> None:
    data = (2 * make_truth(truth, SHAPE, 4) + make_noise("band 0.3 soft", SHAPE, 4)).astype(np.float32)
    data[:20, :30] = np.nan
    assert shipped.noise(data).sigma == estimate(data).sigma


@pytest.mark.parametrize("network", [networks.identity, networks.blur])
def test_a_network_that_cannot_tell_lowers_nothing(tmp_path: Path, network: object) -> None:
    denoiser = Denoiser(network(tmp_path / "net.onnx"), device="cpu")
    data = (8 * make_truth("filaments", SHAPE, 4) + make_noise("white", SHAPE, 4)).astype(np.float32)
    assert told(denoiser, data, 1.0).sigma == estimate(data).sigma


def test_a_large_map_is_looked_at_in_part(shipped: Denoiser) -> None:
    data = np.tile(make_noise("white", SHAPE, 4), (3, 3)).astype(np.float32)
    seen = []
    run = lambda part, sigma: (seen.append(part.shape), part)[1]  # noqa: E731
    assert bounded(run, data, estimate(data)) is not None
    assert set(seen) == {(512, 512)}
