"""Which Stokes parameters lie along an axis, or are those of the whole image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .cube import Role
from .errors import InputError, OptionError
from .worlds import beyond, number_of, pixel_axes, step_of

UNTOLD = "STOKES?"
"""What stands for the CTYPE of an axis of Stokes parameters in a file that does not tell which they are."""

_CODES = {1: "I", 2: "Q", 3: "U", 4: "V"}
_BY_LENGTH = {3: "QUV", 4: "IQUV"}


def letters_along(
    header: Mapping[str, Any],
    roles: Sequence[Role | None],
    names: list[str],
    shape: Sequence[int],
    where: str,
    by_user: bool,
) -> tuple[tuple[str, ...], str]:
    """Return the Stokes parameters along the Stokes axis, and how they were found."""
    n = len(shape)
    places = [number for number, role in enumerate(roles) if role == "stokes"]
    if len(places) > 1:
        raise InputError(
            f"{where} has {len(places)} Stokes axes (axes {', '.join(map(str, places))}), so its header contradicts itself; say which with --axes stokes={places[0]}"
        )
    if not places:
        if UNTOLD in names:
            place = names.index(UNTOLD)
            return (), f"axis {place} holds Stokes parameters of which it is not told which: every map is denoised"
        code = _of_all(header, n)
        return ((code,), f"all of it Stokes {code}, as the header says") if code else ((), "")
    place = places[0]
    length = shape[place]
    if not (by_user and names[place] != "STOKES"):
        world = next(i for i, pixel in pixel_axes(header, n).items() if n - pixel == place)
        codes = _codes(header, world, n - place, length)
        if codes is not None and all(code in _CODES for code in codes):
            return tuple(_CODES[code] for code in codes), ""
        if not by_user:
            if _in_table(header, world):
                shown = f"not known, as CTYPE{world} = {header[f'CTYPE{world}']!r} is none that FITS knows (a name before -TAB has four letters)"
                mend = f"call it STOKES, with CRVAL{world} and CDELT{world}"
            else:
                shown = "not given" if codes is None else ", ".join(map(str, codes))
                mend = "mend its CRVAL and CDELT"
            raise InputError(
                f"{where} has a Stokes axis (axis {place}) whose values are {shown}, where 1 to 4 stand for I, Q, U, V; "
                f"{mend}, or say --axes stokes={place} to take its {length} places as {_BY_LENGTH.get(length, 'IQUV or QUV (3 or 4 places)')}"
            )
    if length not in _BY_LENGTH:
        raise OptionError(
            f"--axes stokes={place} names an axis of length {length} in {where}; 4 places are taken as I, Q, U, V and 3 as Q, U, V; leave it out to denoise every map"
        )
    return tuple(_BY_LENGTH[length]), f"Stokes axis as --axes says, taken in the order {_BY_LENGTH[length]}"


def _in_table(header: Mapping[str, Any], world: int) -> bool:
    return str(header.get(f"CTYPE{world}", "")).strip().upper().endswith("-TAB")


def _codes(header: Mapping[str, Any], world: int, pixel: int, length: int) -> list[int] | None:
    """Return the FITS codes along a linear Stokes axis, or None where the header does not give whole numbers."""
    if _in_table(header, world):
        return None  # astropy reads no table for so long a name, and counts its pixels instead
    first, reference = number_of(header, f"CRVAL{world}", 0), number_of(header, f"CRPIX{pixel}", 0)
    step = step_of(header, world, pixel)
    if not math.isfinite(first + reference + step):
        return None
    values = [first + (place - reference) * step for place in range(1, length + 1)]
    return [round(value) for value in values] if all(abs(value - round(value)) < 1e-3 for value in values) else None


def _of_all(header: Mapping[str, Any], n: int) -> str:
    """Return the Stokes parameter of the whole image, where the header has a Stokes coordinate without an axis."""
    code = whole_letter(header, n)
    return "" if code is None else _CODES.get(round(code), "")


def whole_letter(header: Mapping[str, Any], n: int) -> float | None:
    """Return the value of a Stokes coordinate that has no axis, None without one."""
    values = (number_of(header, f"CRVAL{world}", 0) for world, kind in beyond(header, n) if kind == "STOKES")
    return next((value for value in values if math.isfinite(value)), None)
