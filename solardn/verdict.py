"""What the figures of a residual mean, in plain words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .diagnosis import LINKED, SMALL, Diagnosis

LARGE = 1.15
"""rms of the residual relative to the noise above which σ is too small, where no structure is left."""

OUTLYING = 5e-4
"""Part of the pixels beyond 5 σ from which on they are no chance, nor noise whose strength varies."""

UNITS = "values look like counts: check the units"


def verdict(found: Diagnosis, values: NDArray[Any]) -> str:
    """Return what the figures of one map say; "flat" when what was taken away was noise.

    Parameters
    ----------
    found : Diagnosis
        All figures but the verdict.
    values : array
        The finite pixels of the observation, in the data's units.
    """
    if found.residual_rms == 0:
        return "nothing was taken away: result and observation are the same"
    if looks_like_counts(values):
        return UNITS
    if found.ratio < SMALL and found.taken < SMALL:
        return "residual too small: noise σ over-estimated or data smoothed before"
    with_intensity = found.correlation_intensity
    if with_intensity is not None and abs(with_intensity) > max(LINKED + found.chance, abs(found.correlation)):
        return (
            f"the residual correlates with the intensity ({with_intensity:+.2f}): crosstalk, or noise that goes with it"
        )
    left = [f"{band}" if np.isinf(band.largest) else f"at {band}" for band in found.bands if band.structured]
    if left:
        return f"structure left {', '.join(left)}: try --cycles 2"
    if found.linked:
        return f"structure left: the residual correlates with the result ({found.correlation:+.2f}); try --cycles 2"
    if found.ratio > LARGE:
        return "residual too large: noise σ under-estimated"
    if found.beyond > OUTLYING:
        return f"{found.beyond:.2%} of the pixels beyond 5 σ were taken away: bad pixels, or small bright signals"
    return "flat"


def looks_like_counts(values: NDArray[Any]) -> bool:
    """Tell whether values are whole numbers as large as a detector's."""
    return bool(max(values.max(), -values.min()) > 100 and (values == np.round(values)).all())
