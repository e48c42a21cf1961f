"""What a FITS header would say of the axes of a WCS, also of one that is sliced or is no FITS WCS."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_STOKES = "phys.polarization.stokes"

_CTYPES = {
    _STOKES: "STOKES",
    "time": "TIME",
    "em.wl": "WAVE",
    "em.freq": "FREQ",
    "em.energy": "ENER",
    "em.wavenumber": "WAVN",
    "spect.dopplerVeloc": "VELO",
}


def header_of(wcs: Any, n: int) -> dict[str, Any]:
    """Return what a FITS header would say of the axes of a WCS."""
    if wcs is None:
        return {}
    low = getattr(wcs, "low_level_wcs", wcs)
    if hasattr(low, "to_header"):
        return dict(low.to_header(relax=True))
    header: dict[str, Any] = {"WCSNAME": "not FITS"} | whole(_sliced_at(low), n)
    free = list(range(n))  # pixel axes, the fastest first, that no coordinate was given to yet
    for kind, along in sorted(
        zip(low.world_axis_physical_types, low.axis_correlation_matrix, strict=True), key=lambda world: sum(world[1])
    ):
        pixels = [pixel for pixel in free if along[pixel]]
        if pixels:
            free.remove(pixels[0])
            header[f"CTYPE{pixels[0] + 1}"] = _ctype(kind or "")
            if kind == _STOKES:
                header |= _stokes(low, list(low.world_axis_physical_types).index(kind), pixels[0], n)
    return header


def whole(code: float | None, n: int) -> dict[str, Any]:
    """Return the Stokes parameter of a whole image as FITS keywords: a coordinate beyond its axes."""
    return {} if code is None else {"WCSAXES": n + 1, f"CTYPE{n + 1}": "STOKES", f"CRVAL{n + 1}": code}


def _ctype(kind: str) -> str:
    if re.search(r"\b(lon|ra)\b", kind):
        return "HPLN"
    if re.search(r"\b(lat|dec)\b", kind):
        return "HPLT"
    return _CTYPES.get(kind, kind.upper() or "")


def _stokes(low: Any, world: int, pixel: int, n: int) -> dict[str, float]:
    """Return the values along a Stokes axis as FITS keywords."""
    first, second = (
        float(np.atleast_1d(low.pixel_to_world_values(*[place * (axis == pixel) for axis in range(n)])[world])[0])
        for place in (0, 1)
    )
    return {f"CRPIX{pixel + 1}": 1.0, f"CRVAL{pixel + 1}": first, f"CDELT{pixel + 1}": second - first}


def _sliced_at(low: Any) -> float | None:
    """Return the Stokes parameter that slicing left of a whole axis of them, None where it did not."""
    while low is not None:
        dropped = getattr(low, "dropped_world_dimensions", {})
        for kind, value in zip(dropped.get("world_axis_physical_types", ()), dropped.get("value", ()), strict=True):
            if kind == _STOKES:
                return float(np.atleast_1d(value)[0])
        low = getattr(low, "_wcs", None)  # a wrapper around a slice, as ndcube's `rebin` makes it, does not tell itself
    return None
