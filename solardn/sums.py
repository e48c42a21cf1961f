"""Means, variances and covariances of large maps without copies of them: in float64, a band of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PIXELS = 2**18  # of a band


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield the rows of a map in bands of a few MB."""
    rows = max(1, _PIXELS // max(1, shape[1]))
    for start in range(0, shape[0], rows):
        yield slice(start, min(start + rows, shape[0]))


@dataclass(frozen=True)
class Sums:
    """What some maps are on average.

    Attributes
    ----------
    count : int
        Pixels that counted.
    means : (maps,) array
    covariance : (maps, maps) array
        About the means; divided by the count.
    """

    count: int
    means: Array
    covariance: Array

    def deviation(self, number: int) -> float:
        """Return the standard deviation of a map."""
        return float(np.sqrt(self.covariance[number, number]))

    def rms(self, number: int) -> float:
        """Return the root of the mean square of a map."""
        return float(np.sqrt(self.covariance[number, number] + self.means[number] ** 2))

    def correlation(self, one: int, other: int) -> float:
        """Return the correlation coefficient of two maps, 0 where one is constant."""
        norm = float(np.sqrt(self.covariance[one, one] * self.covariance[other, other]))
        return float(self.covariance[one, other]) / norm if norm > 0 else 0.0


def sums(valid: NDArray[np.bool_] | None, *maps: NDArray[Any]) -> Sums:
    """Return means and covariances of maps (y, x) over the pixels that are valid (all of them by default), of which there must be one."""

    def pieces() -> Iterator[Array]:
        for rows in bands(maps[0].shape):
            good = slice(None) if valid is None else valid[rows]
            yield np.stack([one[rows][good].astype(np.float64).ravel() for one in maps])

    total, count = np.zeros(len(maps)), 0
    for piece in pieces():
        total += piece.sum(axis=1)
        count += piece.shape[1]
    means = total / count
    products = np.zeros((len(maps), len(maps)))
    for piece in pieces():
        piece -= means[:, None]
        products += piece @ piece.T
    return Sums(count, means, products / count)
