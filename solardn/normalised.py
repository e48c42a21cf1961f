"""A map as its noise is looked for: in units of its rms about its mean, around its median, and only where it holds data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import unmasked
from .errors import InputError
from .sums import bands, sums

SMALLEST = 16
"""Height and width, in pixels, of the smallest map whose noise can be found."""

_MANY = 2**22  # pixels that suffice for a median

_SQUARED = 1e100  # values beyond this, or below its inverse, have squares beyond float64


def normalised(data: ArrayLike, mask: NDArray[np.bool_] | None = None) -> tuple[NDArray[Any], NDArray[np.bool_], float]:
    """Bring a map to units of its rms.

    Parameters
    ----------
    data, mask
        As for `solardn.noise.noise_sigma`; never changed.

    Returns
    -------
    values : (y, x) array
        The map in units of its rms about its mean, around its median; in float32 where that holds the values.
    valid : (y, x) array of bool
        Where it holds data.
    rms : float
        In the map's units.

    Raises
    ------
    InputError
        The map is too small, constant, or has no valid pixel.
    """
    values, valid = _checked(data, mask)
    peak = max(float(values.max()), -float(values.min()))
    if peak and not 1 / _SQUARED < peak < _SQUARED:
        raise InputError(
            f"the map has values up to {peak:.3g}, whose squares no number holds; multiply or divide the data before"
        )
    scale = sums(valid, values).deviation(0)
    if not scale > 0:
        raise InputError(
            f"the map is constant ({values[valid][0]:g}), so it has no noise to find; give the noise level yourself"
        )
    values -= _middle(values, valid)
    values /= values.dtype.type(scale)
    return values, valid, scale


def _checked(data: ArrayLike, mask: NDArray[np.bool_] | None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a copy of the map, 0 where it is not valid, and where it is; in float32 where that holds the values."""
    values = unmasked(data)
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise InputError(
            f"a map of real numbers with two axes (y, x) is needed, not {values.dtype} of shape {values.shape}"
        )
    if min(values.shape) < SMALLEST:
        raise InputError(
            f"a map of {values.shape[0]}×{values.shape[1]} px is too small to find its noise ({SMALLEST}×{SMALLEST} are needed); give the noise level yourself (--noise-sigma, in Python noise_sigma)"
        )
    values = values.astype(np.result_type(values, np.float32))
    valid = np.isfinite(values)
    if mask is not None:
        if np.shape(mask) != values.shape:
            raise InputError(f"the mask has shape {np.shape(mask)}, the map {values.shape}; they must agree")
        valid &= ~np.asarray(mask, dtype=bool)
    if not valid.any():
        raise InputError("the map holds no finite pixel, so it has no noise to find; leave it out, or give other data")
    flat = _constant_areas(values)
    rest = np.greater(valid, flat, out=flat)  # valid and not flat
    if rest.any():  # else the map is constant, which the caller says better
        valid = rest
    if not valid.all():
        values[~valid] = 0
    return values, valid


def _middle(values: NDArray[Any], valid: NDArray[np.bool_]) -> Any:
    """Return the median of the valid pixels; of every n-th row where there are many of them."""
    step = -(-values.size // _MANY)
    some = values[::step][valid[::step]]
    return np.median(some if some.size else values[valid])


def _constant_areas(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a map has the same value over 3 × 3 pixels and more: a fill, not data."""
    flat = np.empty(values.shape, bool)
    for rows in bands(values.shape):  # a band at a time, so that no copies of a large map are made
        first = max(0, rows.start - 2)
        flat[rows] = _constant(values[first : rows.stop + 2])[rows.start - first :][: rows.stop - rows.start]
    return flat


def _constant(values: NDArray[Any]) -> NDArray[np.bool_]:
    if len(values) < 3:
        return np.zeros(values.shape, bool)
    same = np.ones((values.shape[0] - 2, values.shape[1] - 2), bool)
    height, width = same.shape
    middle = values[1:-1, 1:-1]
    for y in range(3):
        for x in range(3):
            same &= values[y : y + height, x : x + width] == middle
    flat = np.zeros(values.shape, bool)
    for y in range(3):
        for x in range(3):
            flat[y : y + height, x : x + width] |= same
    return flat
