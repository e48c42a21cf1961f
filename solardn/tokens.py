"""What a map's windows look like, in numbers that do not change when the map is multiplied by a factor.

They are what the network of `solardn.noisenet` sees: of each window the power in rings of spatial frequency, as means and as means of
logarithms (edges and filaments raise the first only), and the same in the least and in the mean of smaller windows within it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .spectrum import Array, Rings, hann, rings, window_grid

SIZE = 32
"""Height and width of the windows, pixels."""

PART = 16
"""Height and width of the smaller windows within each, pixels."""

_CORNERS = ((0, 0), (0, 16), (16, 0), (16, 16), (8, 8))
_QUIET = 0.1  # quantile of the windows' variances that is the unit of all powers
_DEEPEST = 9.0  # logarithms of power end so far below that unit
_UNIT = 3.0  # of the logarithms, so that they are of order 1


@dataclass(frozen=True)
class Tokens:
    """Windows of a map as a network sees them.

    Attributes
    ----------
    features : (rows, columns, features) array
        Of each window; zeros where it is not used.
    used : (rows, columns) array of bool
        Windows with enough valid pixels.
    unit : float
        Logarithm of the rms that powers are relative to, in the map's units.
    rows, columns : arrays of int
        First pixels of the windows.
    """

    features: NDArray[np.float32]
    used: NDArray[np.bool_]
    unit: float
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


def tokens(data: NDArray[Any], valid: NDArray[np.bool_]) -> Tokens | None:
    """Return the windows of a map; None where none has enough valid pixels.

    Parameters
    ----------
    data : (y, x) array
        A map, finite where `valid`; at least `SIZE` pixels high and wide.
    valid : (y, x) array of bool
        Pixels that hold data.
    """
    rows, columns = window_grid(data.shape, SIZE)
    ring, finer = rings(SIZE), rings(PART)
    mean = np.zeros((len(rows), len(columns), len(ring.k)))
    low = mean.copy()
    parts = np.zeros((len(rows), len(columns), len(_CORNERS), len(finer.k)))
    used = np.zeros((len(rows), len(columns)), bool)
    across = columns[:, None] + np.arange(SIZE)
    for i, row in enumerate(rows):  # a row of windows at a time keeps the memory small
        block = data[row : row + SIZE][:, across].transpose(1, 0, 2)
        good = None if valid[row : row + SIZE].all() else valid[row : row + SIZE][:, across].transpose(1, 0, 2)
        used[i] = True if good is None else np.mean((hann(SIZE) * good) ** 2, axis=(1, 2)) > 0.5
        if not used[i].any():
            continue
        if good is not None:
            good = good[used[i]]
            block = np.where(good, block[used[i]], 0)
        mean[i, used[i]], low[i, used[i]] = _power(block, good, ring)
        for n, (y, x) in enumerate(_CORNERS):
            part = (slice(None), slice(y, y + PART), slice(x, x + PART))
            parts[i, used[i], n], _ = _power(block[part], None if good is None else good[part], finer)
    if not used.any():
        return None
    unit = float(np.quantile(mean[used] @ ring.area, _QUIET))
    if not unit > 0:
        return None
    least = unit * np.exp(-_DEEPEST)
    logs = [np.log((power / unit) + np.exp(-_DEEPEST)) for power in (mean, parts)]
    features = np.concatenate(
        [logs[0], np.log(np.maximum(low, least) / unit), logs[1].min(axis=2), logs[1].mean(axis=2)], axis=2
    )
    features = np.where(used[..., None], features / _UNIT, 0).astype(np.float32)
    return Tokens(features, used, 0.5 * float(np.log(unit)), rows, columns)


def _power(block: NDArray[Any], good: NDArray[np.bool_] | None, ring: Rings) -> tuple[Array, Array]:
    """Return the power of windows (windows, y, x) in rings: means, and what means of logarithms are for noise of such a mean."""
    size = block.shape[-1]
    taper = hann(size).astype(block.dtype)  # float32 stays float32: half the work
    if good is None:
        weight, share = taper, np.ones((1, 1), block.dtype)
        block = block - np.tensordot(block, taper / taper.sum(), 2)[:, None, None]
    else:
        weight = taper * good
        total = np.maximum(weight.sum((1, 2)), np.finfo(block.dtype).tiny)
        share = np.maximum(np.mean(weight**2, axis=(1, 2)), 0.1)[:, None]
        block = block - ((block * weight).sum((1, 2)) / total)[:, None, None]
    transform = np.fft.rfft2(weight * block).reshape(len(block), -1)[:, ring.pixels]
    power = (transform.real**2 + transform.imag**2) / (size**2 * share)
    return ring.mean(power), np.exp(ring.mean(np.log(power + np.finfo(power.dtype).tiny)) + np.euler_gamma)
