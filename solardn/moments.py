"""Mean and variance of samples that pass by one at a time, in memory that does not grow with their number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Moments:
    """Running mean and variance of arrays of one shape, by Welford's updates in float64.

    Samples are taken one by one, so that the result does not depend on the batches in which they came.
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean: Array = np.zeros(())
        self._squares: Array = np.zeros(())

    def add(self, sample: NDArray[np.float32]) -> None:
        """Take one sample."""
        self.count += 1
        if self.count == 1:
            self._mean, self._squares = sample.astype(np.float64), np.zeros(sample.shape)
            return
        deviation = sample - self._mean
        step = deviation / self.count
        self._mean += step
        deviation *= sample - self._mean
        self._squares += deviation

    @property
    def mean(self) -> Array:
        """The mean over the samples."""
        return self._mean

    @property
    def variance(self) -> Array:
        """The unbiased variance over the samples, of which there must be two."""
        return self._squares / (self.count - 1)
