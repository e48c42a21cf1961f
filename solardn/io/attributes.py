"""What attributes of an array in HDF5 or zarr say about it: its unit, its axes, and how its values are packed (CF conventions)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..axes import role_of
from ..errors import InputError
from ..polarization import UNTOLD
from .scaled import scaled

PACKING = ("scale_factor", "add_offset", "_FillValue", "missing_value")
"""Attributes that no longer hold when the values are floating numbers."""

_UNITS = ("units", "unit", "BUNIT")
_FIRST_STOKES = {4: 1.0, 3: 2.0}  # code of the first parameter along an axis of that length: I, or Q


def header_of(attributes: Mapping[str, Any], names: Sequence[str | None], shape: Sequence[int]) -> dict[str, Any]:
    """Return what a FITS header would say of the axes: keywords among the attributes, else the names of the axes.

    Parameters
    ----------
    attributes : mapping of str to value
    names : sequence of str or None
        Of the axes, slowest first; names that stand for nothing known are left aside.
    shape : sequence of int
    """
    header = {key: _plain(value) for key, value in attributes.items()}
    n = len(shape)
    if any(f"CTYPE{number}" in header for number in range(1, n + 1)):
        return header
    for number, (name, length) in enumerate(zip(names, shape, strict=True)):
        kind = str(name or "").strip().upper().replace("-", "_")
        if role_of(kind, "") in (None, "other"):
            continue
        world = n - number
        header[f"CTYPE{world}"] = kind
        if kind == "STOKES" and length not in _FIRST_STOKES:
            header[f"CTYPE{world}"] = UNTOLD
        elif kind == "STOKES":
            header |= {f"CRPIX{world}": 1.0, f"CRVAL{world}": _FIRST_STOKES[length], f"CDELT{world}": 1.0}
    return header


def unit_of(attributes: Mapping[str, Any]) -> str:
    """Return the unit of an array's values, or an empty text."""
    return next((str(_plain(attributes[key])).strip() for key in _UNITS if key in attributes), "")


class Packing:
    """How stored values turn to those that are meant: scale, offset, and the value of pixels that hold none."""

    def __init__(self, attributes: Mapping[str, Any], where: str) -> None:
        self._scale = _number(attributes, "scale_factor", 1, where)
        self._offset = _number(attributes, "add_offset", 0, where)
        self._fills = [_plain(attributes[key]) for key in ("_FillValue", "missing_value") if key in attributes]
        self._fills = [fill for fill in self._fills if isinstance(fill, int | float) and fill == fill]
        self.words = "" if (self._scale, self._offset) == (1, 0) else f" × {self._scale:g} + {self._offset:g}"

    def unpacked(self, raw: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.floating]:
        """Return the values that stored ones stand for, NaN where there is none."""
        values = scaled(raw, self._scale, self._offset, dtype) if self.words else raw.astype(dtype)
        for fill in self._fills:
            values[raw == fill] = np.nan
        return values


def _number(attributes: Mapping[str, Any], key: str, default: float, where: str) -> float:
    value = _plain(attributes.get(key, default))
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {key} is {value!r}, which is no number; mend the attribute") from error


def _plain(value: Any) -> Any:
    """Return an attribute as Python knows it: the one element of an array, a text for bytes."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, np.generic):
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
