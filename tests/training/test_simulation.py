"""What networks learn from: truths and noises drawn from seeds, and patches cut from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from training import noise, truth
from training.batches import Batches

SIZE = 128


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def banks() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    truths = np.stack([truth.draw(rng(n), 192) for n in range(4)])
    return truths, np.stack([noise.draw(rng(n), 192) for n in range(4)])


@pytest.mark.parametrize("family", truth.FAMILIES, ids=lambda family: family.__name__)
def test_every_family_draws_maps_that_are_finite_and_follow_from_the_seed(
    family: Callable[..., NDArray[np.float32]],
) -> None:
    drawn = [family(rng(seed), SIZE) for seed in (1, 1, 2)]
    assert all(field.shape == (SIZE, SIZE) and np.isfinite(field).all() and field.std() > 0 for field in drawn)
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_shares_of_the_families_make_a_whole() -> None:
    assert sum(truth.FAMILIES.values()) == pytest.approx(1)


@pytest.mark.parametrize("draw", [truth.draw, noise.draw])
def test_truths_and_noises_have_an_rms_of_one(draw: Callable[..., NDArray[np.float32]]) -> None:
    for seed in range(5):
        assert np.sqrt((draw(rng(seed), SIZE).astype(float) ** 2).mean()) == pytest.approx(1, abs=1e-3)


def test_batches_follow_from_their_number_and_part_into_truth_and_noise_of_the_stated_strength(
    banks: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    batches = Batches(*banks, seed=5, count=16, size=64)
    first, again, second = batches(3), batches(3), batches(4)
    assert np.array_equal(first.noisy, again.noisy)
    assert not np.array_equal(first.noisy, second.noisy)
    removed = first.noisy - first.truth
    assert 0.7 < np.sqrt((removed**2).mean()) < 1.4
    assert first.snr.min() >= 0
    assert first.snr.max() <= batches.strongest


def test_half_of_the_patches_lie_under_a_smooth_veil_below_the_noise(
    banks: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    nothing = np.zeros_like(banks[0])
    fields = np.concatenate([Batches(nothing, banks[1], seed=n)(n).truth[..., 0] for n in range(12)])
    strengths = np.sqrt((fields**2).mean((1, 2)))
    assert 0.3 < (strengths > 0).mean() < 0.7
    assert strengths.max() < 3
    across = np.abs(np.diff(fields, axis=1)).max((1, 2))
    assert (across < 0.2).all()
