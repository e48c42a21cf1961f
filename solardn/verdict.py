"""What the figures of a residual mean, in plain words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Cycles
from .diagnosis import LARGE, LINKED, SMALL, Diagnosis

SHIFTED = 0.1
"""Mean of the residual in units of its rms, beyond chance, from which on the result is shifted; results of networks have 0.02 at most."""

OUTLYING = 5e-4
"""Part of the pixels beyond 5 σ from which on they are no chance, nor noise whose strength varies."""

UNITS = "values look like counts: check the units"


def verdict(found: Diagnosis, inner: Diagnosis, values: NDArray[Any], mean: float, cycles: Cycles) -> str:
    """Return what the figures of one map say; "flat" when what was taken away was noise.

    Parameters
    ----------
    found : Diagnosis
        All figures but the verdict.
    inner : Diagnosis
        The same without the pixels far beyond the noise that stand alone, as bad ones do.
    values : array
        The finite pixels of the observation, in the data's units.
    mean : float
        Of the residual without them, in units of the noise.
    cycles : int or "auto"
        Passes of the network that made the result: two are advised after one only.
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
    if found.correlation < -(LINKED + found.chance):
        return (
            f"the result holds what the observation does not, as the residual goes against it (correlation {found.correlation:+.2f}): "
            "see that it is a result of this observation, in the same units"
        )
    structured = [band for band in inner.bands if band.structured]
    if structured:
        left = ", ".join(f"{band}" if np.isinf(band.largest) else f"at {band}" for band in structured)
        even = not found.linked and all(band.even for band in structured)  # as noise is that smoothing made red
        return f"structure left {left}{', or data smoothed before' * even}{_further(cycles, ':')}"
    if found.linked:
        return (
            f"structure left: the residual correlates with the result ({found.correlation:+.2f}){_further(cycles, ';')}"
        )
    if abs(mean) > (SHIFTED + found.chance) * inner.ratio:
        return f"the result is shifted: what was taken away has a mean of {mean:+.2f} σ"
    if inner.ratio > LARGE:
        return "residual too large: noise σ under-estimated"
    if found.beyond > OUTLYING or found.louder or found.ratio > LARGE:  # by those few pixels alone
        return (
            f"{100 * found.beyond:.2g} % of the pixels beyond 5 σ were taken away: bad pixels, or small bright signals"
        )
    return "flat"


def _further(cycles: Cycles, mark: str) -> str:
    """Return what is advised where structure is left, behind a mark; where that was done, that it was."""
    return f"{mark} try --cycles 2" if cycles == 1 else f", also with --cycles {cycles}"


def looks_like_counts(values: NDArray[Any]) -> bool:
    """Tell whether values are whole numbers as large as a detector's."""
    return bool(max(values.max(), -values.min()) > 100 and (values == np.round(values)).all())
