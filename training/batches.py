"""Noisy patches and their truths, cut from banks: batch number n of a seed is always the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .fields import Field, Rng, log_uniform


class Batch(NamedTuple):
    """Noisy patches and what lies under them.

    Attributes
    ----------
    noisy, truth : ndarray, shape (n, y, x, 1), float32
        In units of the noise rms.
    snr : ndarray, shape (n,)
        Signal rms over noise rms of the map each patch was cut from; 0 for noise alone.
    """

    noisy: Field
    truth: Field
    snr: NDArray[np.float64]


@dataclass(frozen=True)
class Batches:
    """Draws batches from a bank of truths and a bank of noise.

    Attributes
    ----------
    truths, noises : ndarray, shape (count, y, x)
        Banks as `training.bank.bank` returns them, each field of rms 1.
    seed : int
        Seed of the batches.
    count, size : int
        Patches a batch; their height and width in pixels.
    weakest, strongest : float
        Bounds of the signal rms over noise rms; its logarithm is uniform between them.
    """

    truths: Field
    noises: Field
    seed: int
    count: int = 8
    size: int = 160
    weakest: float = 0.08
    strongest: float = 45.0

    def __call__(self, number: int) -> Batch:
        """Return batch ``number``."""
        rng = np.random.default_rng([self.seed, number])
        truth = np.empty((self.count, self.size, self.size, 1), np.float32)
        noisy = np.empty_like(truth)
        snr = np.empty(self.count)
        for i in range(self.count):
            snr[i] = 0.0 if rng.random() < 0.05 else log_uniform(rng, self.weakest, self.strongest)
            field = snr[i] * self._patch(rng, self.truths)
            if rng.random() < 0.2:
                field = field + snr[i] * log_uniform(rng, 0.03, 0.5) * self._patch(rng, self.truths)
            if rng.random() < 0.5:
                field = field + self._veil(rng)
            # The noise level a user states is never exact.
            misjudged = np.exp(rng.normal(0, 0.12))
            truth[i, ..., 0] = field * misjudged
            noisy[i, ..., 0] = (field + self._noise(rng)) * misjudged
        return Batch(noisy, truth, snr)

    def _veil(self, rng: Rng) -> Field:
        """Draw a smooth field far below the noise, as scattered light and weak large-scale signals are: seen only over many pixels."""
        cells = int(rng.integers(1, 7))
        coarse = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
        place = np.linspace(1, cells + 1, self.size, dtype=np.float32) + rng.uniform(0, 1)
        veil = ndimage.map_coordinates(coarse, np.meshgrid(place, place, indexing="ij"), order=3, mode="nearest")
        return np.asarray(log_uniform(rng, 0.03, 1.0) * veil, np.float32)

    def _noise(self, rng: Rng) -> Field:
        noise = self._patch(rng, self.noises)
        if rng.random() < 0.25:
            mixing = rng.uniform(0, np.pi / 2)
            noise = np.cos(mixing) * noise + np.sin(mixing) * self._patch(rng, self.noises)
        return noise

    def _patch(self, rng: Rng, bank: Field) -> Field:
        """Cut a patch from a field of the bank, turned, mirrored and of either sign."""
        field = bank[rng.integers(len(bank))]
        y, x = rng.integers(0, field.shape[0] - self.size + 1, 2)
        patch: Field = np.rot90(field[y : y + self.size, x : x + self.size], int(rng.integers(4)))
        if rng.random() < 0.5:
            patch = patch[:, ::-1]
        return patch if rng.random() < 0.5 else -patch
