"""The numbers behind the masks are as good as random ones: keep rate, spectrum, pairs, rectangles."""

from __future__ import annotations

import numpy as np
import pytest

from export.masks import channel_mask, element_mask, lowbias32, threshold

RATE = 0.1
SIGMA = np.sqrt(RATE * (1 - RATE))


@pytest.fixture(scope="module")
def units() -> np.ndarray:
    """Return a few million centred masks, (seed, channel, y, x), of variance 1."""
    mask = element_mask(range(16), 3, (16, 128, 128), RATE)
    return (mask - (1 - RATE)) / SIGMA


def _z(products: np.ndarray) -> float:
    """Return the mean of products that should vanish on average, in its own standard deviations."""
    return float(abs(products.mean()) / (products.std() / np.sqrt(products.size)))


def test_known_words():
    # From a transcription of the published C code.
    assert lowbias32(np.array([0, 1, 2**32 - 1], np.uint32)).tolist() == [0, 1753845952, 1734902346]


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5, 0.9])
def test_rate_is_kept(rate):
    mask = element_mask(range(8), 1, (16, 100, 100), rate)
    assert abs(mask.mean() - (1 - rate)) <= 4 * np.sqrt(rate * (1 - rate) / mask.size)
    channels = channel_mask(range(500), 1, 64, rate)
    assert abs(channels.mean() - (1 - rate)) <= 4 * np.sqrt(rate * (1 - rate) / channels.size)


def test_single_maps_keep_their_rate(units):
    """No seed, channel, row or column keeps more or less than chance lets it."""
    for axes, count in (((2, 3), 128**2), ((0, 1, 3), 16 * 16 * 128), ((0, 1, 2), 16 * 16 * 128)):
        z = units.mean(axis=axes) * np.sqrt(count)
        assert np.abs(z).max() < 5
        assert 0.8 < z.std() < 1.25


def test_spectrum_is_flat(units):
    power = np.abs(np.fft.fft2(units)) ** 2 / 128**2
    z = (power.mean(axis=(0, 1)) - 1) * np.sqrt(16 * 16)
    z = z[:65].ravel()[1:]
    assert np.abs(z).max() < 7  # the mean of 256 exponentials has a longer tail than a Gaussian
    assert 0.9 < z.std() < 1.15


@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (0, 64), (64, 0), (3, 5)])
def test_pairs_and_rectangles_are_independent(units, shift):
    dy, dx = shift
    here, there = units[:, :, : 128 - dy, : 128 - dx], units[:, :, dy:, dx:]
    assert _z(here * there) < 4.5
    if dy and dx:
        assert _z(here * there * units[:, :, dy:, : 128 - dx] * units[:, :, : 128 - dy, dx:]) < 4.5


def test_seeds_channels_and_layers_are_independent(units):
    assert _z(units[1:] * units[:-1]) < 4.5
    assert _z(units[:, 1:] * units[:, :-1]) < 4.5
    other = (element_mask(range(16), 4, (16, 128, 128), RATE) - (1 - RATE)) / SIGMA
    assert _z(units * other) < 4.5
    assert _z(units * units.swapaxes(2, 3)[..., ::-1]) < 4.5
    far = channel_mask([0, 1, 2**31, 2**32 - 1], 0, 4096, 0.5) * 2.0 - 1
    for a in range(4):
        for b in range(a):
            assert _z(far[a] * far[b]) < 4.5


def test_origin_shifts_the_mask():
    whole = element_mask([7], 2, (3, 40, 50), 0.3)
    part = element_mask([7], 2, (3, 16, 20), 0.3, origin=(12, 8))
    assert np.array_equal(part, whole[:, :, 12:28, 8:28])


def test_more_seeds_change_nothing():
    assert np.array_equal(element_mask(range(9), 0, (2, 8, 8), 0.5)[4:5], element_mask([4], 0, (2, 8, 8), 0.5))


def test_threshold():
    assert threshold(0.0) == 0
    assert threshold(0.5) == 2**31
