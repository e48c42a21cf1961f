"""Which pixels of a map hold no value: those that are not finite, and fills, which are values put where nothing was observed."""

from __future__ import annotations

import math
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from .errors import OptionError

Mask = NDArray[np.bool_]
FillValue = float | Literal["auto", "none"]

NO_VALUE = "its maps are constant, masked, or hold no finite value; give other data, or look at the fill value and the mask (--fill-value, --mask-ext)"
"""Why a file cannot be worked on."""

_LEAST = 64  # pixels of the smallest region that is taken for a fill …
_LEAST_SHARE = 0.002  # … and as a part of the map
_SOLID = 0.5  # part of its pixels that have only equals around them: clusters in rounded data are ragged
_MOST_VALUES = 4  # different fills in one map
_MOST_SWEEPS = 100  # over the map, to follow a region around its bends


def missing(plane: NDArray[np.floating], fill_value: FillValue = "auto") -> Mask:
    """Return which pixels of a map hold no value, as `find` does."""
    return find(plane, fill_value)[0]


def find(plane: NDArray[np.floating], fill_value: FillValue = "auto") -> tuple[Mask, tuple[float, ...]]:
    """Return which pixels of a map hold no value, and the values of fills among them, the commonest at the edge first.

    Parameters
    ----------
    plane : ndarray
        The map (y, x).
    fill_value : float, "auto" or "none"
        The value that stands for none; ``auto`` finds values that fill a solid region at the map's edge (wedges of zeros left by a
        rotation, the −200 of IRIS, the median around restored cubes).
    """
    absent: Mask = ~np.isfinite(plane)
    if fill_value == "none":
        return absent, ()
    if fill_value != "auto":
        same = plane == plane.dtype.type(fill_value)
        return absent | same, (float(fill_value),) if same.any() else ()
    inner = _among_equals(plane)
    fills = []
    for value in _values_at_the_edge(plane, inner) if inner.any() else ():
        region = _fill(plane == value, inner)
        if region.any():
            absent |= region
            fills.append(float(value))
    return absent, tuple(fills)


def blanked(plane: NDArray[np.float32], absent: Mask) -> NDArray[np.float32]:
    """Return a map with NaN where it holds no value; itself, where it holds one everywhere."""
    return np.where(absent, np.float32(np.nan), plane) if absent.any() else plane


def parse_fill_value(value: float | str) -> FillValue:
    """Return a fill value from a number or its text, ``auto`` or ``none``.

    Raises
    ------
    OptionError
    """
    if value == "auto" or value == "none":
        return cast(FillValue, value)
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise OptionError(f"the fill value {value!r} is no number; give one, or 'auto', or 'none'") from None
    return found if math.isfinite(found) else "none"  # what is not finite holds no value anyway


def _among_equals(plane: NDArray[np.floating]) -> Mask:
    """Return the pixels whose eight neighbours (those inside the map) have the same value."""
    across = np.ones(plane.shape, bool)
    same = plane[:, 1:] == plane[:, :-1]
    across[:, 1:] &= same
    across[:, :-1] &= same
    inner = across.copy()
    same = (plane[1:] == plane[:-1]) & across[1:] & across[:-1]
    inner[1:] &= same
    inner[:-1] &= same
    return inner


def _values_at_the_edge(plane: NDArray[np.floating], inner: Mask) -> NDArray[np.floating]:
    """Return the commonest values among equals along the map's edge."""
    edge = np.concatenate(
        [plane[side][inner[side]] for side in (0, -1)] + [plane[:, side][inner[:, side]] for side in (0, -1)]
    )
    values, counts = np.unique(edge, return_counts=True)
    return np.asarray(values[np.argsort(-counts, kind="stable")][:_MOST_VALUES])


def _fill(same: Mask, inner: Mask) -> Mask:
    """Return the regions of one value that hang together with the edge, if they are solid enough to be a fill."""
    edge = np.zeros(same.shape, bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    region = _connected(same, edge & inner)
    size = int(region.sum())
    solid = size and (region & inner).sum() >= _SOLID * size
    return region if solid and size >= max(_LEAST, _LEAST_SHARE * region.size) else np.zeros_like(region)


def _connected(same: Mask, seeds: Mask) -> Mask:
    """Return the pixels that can be reached from the seeds along rows and columns."""
    reached = seeds & same
    size = -1
    for _ in range(_MOST_SWEEPS):
        if int(reached.sum()) == size:
            break
        size = int(reached.sum())
        reached = _along_rows(same, reached)
        reached = _along_rows(same.T, reached.T).T
    return reached


def _along_rows(same: Mask, reached: Mask) -> Mask:
    """Return all pixels of the runs along rows that were reached in one of theirs."""
    starts = same.copy()
    starts[:, 1:] &= ~same[:, :-1]
    runs = np.cumsum(starts).reshape(same.shape)
    hit = np.zeros(int(runs[-1, -1]) + 1, bool)
    hit[runs[reached]] = True
    return np.asarray(same & hit[runs])
