"""Stored numbers that stand for others by a scale and an offset, in FITS as in HDF5 and zarr."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_PIECE = 1 << 16  # values at once, so that no copy of all in float64 is made

_UNSIGNED = 1 << 63  # offset of unsigned integers of 64 bits, whose small values a sum of floats would lose


def scaled(raw: NDArray[Any], scale: float, offset: float, dtype: np.dtype[Any]) -> NDArray[np.floating]:
    """Return raw × scale + offset, rounded once: in float32 a fill of −9999 × 1e-5 would not be the −0.09999 that a user names."""
    if scale == 1 and offset == _UNSIGNED and raw.dtype.kind == "i" and raw.dtype.itemsize == 8:
        whole = raw.astype(np.int64).view(np.uint64) ^ np.uint64(_UNSIGNED)
        return whole.astype(dtype)
    values = np.empty(raw.shape, dtype)
    stored, found = raw.reshape(-1), values.reshape(-1)
    for start in range(0, stored.size, _PIECE):
        part = slice(start, start + _PIECE)
        found[part] = stored[part].astype(np.float64) * scale + offset
    return values
