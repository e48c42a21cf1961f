"""The coordinates of a header, by the number that FITS gives them: what each is called, along which pixel axis it runs, and by which step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

_MOST = 99  # coordinates that FITS can number
_ROUNDED = 1e-5
"""Part of the largest matrix element of a coordinate up to which another one is what rounding left of 0.

Tools write 6e-17 for cos 90°, 4e-8 in single precision and 1e-6 with a π of six digits; a coordinate that in truth changes by so little along an axis
does not move by a pixel of the other in 10 000.
"""


def kind_of(header: Mapping[str, Any], world: int) -> str:
    """Return what a coordinate is (CTYPE) without its projection; Hinode/SP writes ``Stokes component``."""
    kind = str(header.get(f"CTYPE{world}", "")).strip().upper().replace("SOLAR-", "SOLAR_").split("-")[0]
    return "STOKES" if kind == "STOKES COMPONENT" else kind


def number_of(header: Mapping[str, Any], key: str, default: float) -> float:
    """Return a number of a header, NaN where words stand in its place."""
    try:
        return float(header.get(key, default))
    except (TypeError, ValueError):
        return math.nan


def beyond(header: Mapping[str, Any], n: int) -> Iterator[tuple[int, str]]:
    """Yield number and kind of the coordinates that have no axis."""
    last = number_of(header, "WCSAXES", n)
    for world in range(n + 1, 1 + int(min(last, _MOST)) if math.isfinite(last) else n):
        yield world, kind_of(header, world)


def step_of(header: Mapping[str, Any], world: int, pixel: int) -> float:
    """Return how much a coordinate grows from pixel to pixel along an axis: by CDi_j, or CDELTi and PCi_j."""
    whole = f"CD{world}_{pixel}"
    if whole in header:
        return number_of(header, whole, 0)
    return number_of(header, f"CDELT{world}", 1) * number_of(header, f"PC{world}_{pixel}", 1)


def pixel_axes(header: Mapping[str, Any], n: int) -> dict[int, int]:
    """Return which pixel axis each coordinate runs along (FITS numbers): its own, unless its own matrix element is 0 or a rounded one."""

    def element(i: int, j: int) -> float:
        value = header.get(f"PC{i}_{j}", header.get(f"CD{i}_{j}"))
        return float(value) if isinstance(value, (int, float)) else float(i == j and not written)

    along = {}
    for i in range(1, n + 1):
        written = any(f"{name}{i}_{i}" in header for name in ("PC", "CD"))
        row = [abs(element(i, j)) for j in range(1, n + 1)]
        along[i] = i if row[i - 1] > _ROUNDED * max(row) or not any(row) else row.index(max(row)) + 1
    return along if sorted(along.values()) == list(range(1, n + 1)) else {i: i for i in range(1, n + 1)}
