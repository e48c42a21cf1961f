"""Values for pixels that hold none, so that a network does not carry them into their neighbourhood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def fill(plane: Float, good: NDArray[np.bool_]) -> Float:
    """Return a map whose bad pixels hold smooth values from around them.

    Bad pixels take the mean over the smallest block around them, of 2, 4, 8, … pixels, that holds good ones, interpolated between blocks;
    the work is proportional to the number of pixels, whatever the size of the holes.

    Parameters
    ----------
    plane : ndarray of float32
        The map (y, x).
    good : ndarray of bool
        Which pixels hold values, at least one; the others are replaced.
    """
    values = np.where(good, plane, np.float32(0))
    return _fill(values, good.astype(np.float32))


def _fill(values: Float, weight: Float) -> Float:
    """Fill where `weight` is 0; `values` is 0 there. The weight is the fraction of a pixel that holds values."""
    holes = weight == 0
    if not holes.any():
        return values
    coarse_weight = _halve(weight)
    sums = _halve(values * weight)
    coarse = _fill(np.divide(sums, coarse_weight, out=np.zeros_like(sums), where=coarse_weight > 0), coarse_weight)
    return np.where(holes, _double(coarse, values.shape), values)


def _halve(plane: Float) -> Float:
    """Return the means over 2×2 pixels, pixels beyond the edge counted as 0."""
    for axis in (0, 1):
        if plane.shape[axis] % 2:
            plane = np.pad(plane, [(0, int(a == axis)) for a in (0, 1)])
        halves = plane * np.float32(0.5)  # before they are added, lest the sum overflow
        plane = halves[::2] + halves[1::2] if axis == 0 else halves[:, ::2] + halves[:, 1::2]
    return plane


def _double(plane: Float, shape: tuple[int, ...]) -> Float:
    """Return a map of twice the size, cut to `shape`, interpolated linearly."""
    for axis in (0, 1):
        plane = np.moveaxis(plane, axis, 0)
        before = np.concatenate([plane[:1], plane[:-1]])
        after = np.concatenate([plane[1:], plane[-1:]])
        fine = np.empty((2 * len(plane), *plane.shape[1:]), np.float32)
        fine[::2] = 0.75 * plane + 0.25 * before
        fine[1::2] = 0.75 * plane + 0.25 * after
        plane = np.moveaxis(fine[: shape[axis]], 0, axis)
    return plane
