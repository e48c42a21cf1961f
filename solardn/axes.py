"""What each axis of a file means: from the header where it says so, from the user where he does, else the last two are space.

The text of CTYPEn decides (its first part: ``HPLN-TAB`` and ``HPLN-TAN`` are the same axis), so that tables of coordinates need
not be read, and the PCi_j matrix where it says that a coordinate runs along another axis than its own number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from .cube import Axis, Cube, Role
from .errors import InputError, OptionError

_LATITUDE = {
    "HPLT",
    "HGLT",
    "CRLT",
    "HCLT",
    "HRLT",
    "SOLY",
    "SOLAR_Y",
    "SOLARY",
    "DEC",
    "GLAT",
    "ELAT",
    "TLAT",
    "Y",
    "YPOS",
    "LAT",
    "HECR",
}
_LONGITUDE = {
    "HPLN",
    "HGLN",
    "CRLN",
    "HCLN",
    "HRLN",
    "SOLX",
    "SOLAR_X",
    "SOLARX",
    "RA",
    "GLON",
    "ELON",
    "TLON",
    "X",
    "XPOS",
    "LON",
}
_SPECTRAL = {
    "WAVE",
    "AWAV",
    "FREQ",
    "VELO",
    "VRAD",
    "VOPT",
    "ZOPT",
    "ENER",
    "WAVN",
    "BETA",
    "LAMBDA",
    "WAVELENGTH",
    "SPECTRAL",
}
_TIME = {"TIME", "UTC", "TAI", "TT", "TDB", "TCB", "TCG", "ET", "UT1", "GPS", "DATE"}
_SILENT = {"", "LINEAR", "PIXEL", "PIXELS", "PIX"}
_LENGTHS = {"arcsec", "deg", "degree", "degrees", "arcmin", "rad", "m", "km", "mm"}
_CODES = {1: "I", 2: "Q", 3: "U", 4: "V"}
_BY_LENGTH = {3: "QUV", 4: "IQUV"}


def from_header(header: Mapping[str, Any], shape: Sequence[int], where: str, override: str | None = None) -> Cube:
    """Tell what the axes of an image are.

    Parameters
    ----------
    header : mapping of str to value
        FITS keywords; empty for formats that have none.
    shape : sequence of int
        Lengths of the axes, slowest first.
    where : str
        File and extension, for error messages.
    override : str, optional
        The user's word, such as ``"y=3,x=4,stokes=1"``: numpy's numbers, 0 is the slowest axis.

    Returns
    -------
    Cube

    Raises
    ------
    InputError
        Fewer than two axes, only one axis in space, a header that contradicts itself.
    OptionError
        An override that cannot be read or that names axes that are not there.
    """
    n = len(shape)
    if n < 2:
        raise InputError(f"{where} has {n} dimension{'' if n == 1 else 's'}, a map needs two; give an image or a cube")
    if 0 in shape:
        raise InputError(f"{where} has the shape {_text(shape)}, which holds no pixel; give an image or a cube")
    kinds = _kinds(header, n)
    roles = [_role(kind, unit) for kind, unit in kinds]
    chosen = {} if override is None else _parse(override, n)
    names = [kind for kind, _ in kinds]
    if "y" in chosen:
        roles = ["other" if role in ("y", "x") else role for role in roles]
        how = "space as --axes says"
    else:
        for role, number in chosen.items():
            roles[number] = role
        how = _settle_space(roles, names, shape, where, header)
    for role, number in chosen.items():
        roles = ["other" if old == role else old for old in roles]
        roles[number] = role
    letters, said = _letters(header, roles, names, shape, where, by_user="stokes" in chosen)
    axes = tuple(
        Axis(number, length, kind, role or "other")
        for number, (length, kind, role) in enumerate(zip(shape, names, roles, strict=True))
    )
    return Cube(axes, letters, "; ".join(part for part in (how, said) if part))


def _kinds(header: Mapping[str, Any], n: int) -> list[tuple[str, str]]:
    """Return (CTYPE without its projection, CUNIT) of each pixel axis, in numpy's order."""
    along = _pixel_axes(header, n)
    kinds = [("", "")] * n
    for world, pixel in along.items():
        kind = str(header.get(f"CTYPE{world}", "")).strip().upper().replace("SOLAR-", "SOLAR_").split("-")[0]
        kinds[n - pixel] = (kind, str(header.get(f"CUNIT{world}", "")).strip().lower())
    return kinds


def _pixel_axes(header: Mapping[str, Any], n: int) -> dict[int, int]:
    """Return which pixel axis each coordinate runs along (FITS numbers): its own, unless its own matrix element is 0."""

    def element(i: int, j: int) -> float:
        value = header.get(f"PC{i}_{j}", header.get(f"CD{i}_{j}"))
        return float(value) if isinstance(value, (int, float)) else float(i == j and not written)

    along = {}
    for i in range(1, n + 1):
        written = any(f"{name}{i}_{i}" in header for name in ("PC", "CD"))
        row = [abs(element(i, j)) for j in range(1, n + 1)]
        along[i] = i if row[i - 1] or not any(row) else row.index(max(row)) + 1
    return along if sorted(along.values()) == list(range(1, n + 1)) else {i: i for i in range(1, n + 1)}


def _role(kind: str, unit: str) -> Role | None:
    """Return the role a CTYPE stands for; None where the header is silent."""
    for kinds, role in (
        (_LATITUDE, "y"),
        (_LONGITUDE, "x"),
        (_SPECTRAL, "wavelength"),
        (_TIME, "time"),
        ({"STOKES"}, "stokes"),
    ):
        if kind in kinds:
            return role  # type: ignore[return-value]
    if kind in _SILENT:
        return None if unit not in _LENGTHS else "x"
    return "other"


def _settle_space(
    roles: list[Role | None], names: list[str], shape: Sequence[int], where: str, header: Mapping[str, Any]
) -> str:
    """Leave exactly one y and one x among the roles, and say how they were found."""
    space = [number for number, role in enumerate(roles) if role in ("y", "x")]
    silent = [number for number, role in enumerate(roles) if role is None]
    if len(space) > 2:
        raise InputError(
            f"{where} has {len(space)} axes in space ({_listed(space, names)}), a map has two; say which with --axes, for instance --axes y={space[-2]},x={space[-1]}"
        )
    long_ones = [number for number in space if shape[number] > 1]
    if len(space) == 1 or (len(space) == 2 and len(long_ones) < 2 and max(shape) > 1):
        raise InputError(_one_axis(where, shape, names, space, long_ones))
    if len(space) == 2:
        if {roles[number] for number in space} != {"y", "x"}:
            if names[space[0]] == names[space[1]] and names[space[0]] not in _SILENT:
                raise InputError(
                    f"{where} calls both axis {space[0]} and axis {space[1]} {names[space[0]]}, so its header contradicts itself; "
                    f"say which are space with --axes y={space[0]},x={space[1]}"
                )
            roles[space[0]], roles[space[1]] = "y", "x"
        return "space as the header says"
    candidates = [number for number in silent if shape[number] > 1]
    if len(candidates) < 2:
        candidates = silent
    if len(candidates) < 2:
        raise InputError(
            f"{where} has no two axes in space (its axes are {_listed(range(len(shape)), names)}); if two of them are to be denoised as maps, name them with --axes y={len(shape) - 2},x={len(shape) - 1}"
        )
    y, x = candidates[-2:]
    roles[y], roles[x] = "y", "x"
    last = (y, x) == (len(shape) - 2, len(shape) - 1)
    if not header:
        return f"space is {'the last two axes' if last else f'axes {y} and {x}'}, as the format does not say (--axes changes that)"
    return f"the header does not say which axes are space: taking {'the last two' if last else f'axes {y} and {x}'} (--axes changes that)"


def _one_axis(where: str, shape: Sequence[int], names: list[str], space: list[int], long_ones: list[int]) -> str:
    """Return the sentence for a file in which only one axis, or none, extends in space."""
    kept = (long_ones or space)[0]
    others = [number for number, length in enumerate(shape) if number != kept and length > 1] or [
        number for number in range(len(shape)) if number != kept
    ]
    y, x = sorted((kept, others[-1]))
    return (
        f"{where} extends in space along one axis only (axis {kept}, {names[kept] or 'linear'}, of {_text(shape)}), as a spectrograph's slit does; "
        f"to denoise the planes of axes {y} and {x} as maps all the same, say --axes y={y},x={x}"
    )


def _letters(
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
        code = _beyond(header, n)
        return ((code,), f"all of it Stokes {code}, as the header says") if code else ((), "")
    place = places[0]
    length = shape[place]
    if not (by_user and names[place] != "STOKES"):
        world = next(i for i, pixel in _pixel_axes(header, n).items() if n - pixel == place)
        codes = _codes(header, world, length)
        if codes is not None and all(code in _CODES for code in codes):
            return tuple(_CODES[code] for code in codes), ""
        if not by_user:
            shown = "not given" if codes is None else ", ".join(map(str, codes))
            raise InputError(
                f"{where} has a Stokes axis (axis {place}) whose values are {shown}, where 1 to 4 stand for I, Q, U, V; "
                f"mend its CRVAL and CDELT, or say --axes stokes={place} to take its {length} places as {_BY_LENGTH.get(length, 'IQUV or QUV (3 or 4 places)')}"
            )
    if length not in _BY_LENGTH:
        raise OptionError(
            f"--axes stokes={place} names an axis of length {length} in {where}; 4 places are taken as I, Q, U, V and 3 as Q, U, V; leave it out to denoise every map"
        )
    return tuple(_BY_LENGTH[length]), f"Stokes axis as --axes says, taken in the order {_BY_LENGTH[length]}"


def _codes(header: Mapping[str, Any], world: int, length: int) -> list[int] | None:
    """Return the FITS codes along a linear Stokes axis, or None where the header does not give whole numbers."""
    reference, first, step = (
        float(header.get(f"{key}{world}", default)) for key, default in (("CRPIX", 0.0), ("CRVAL", 0.0), ("CDELT", 1.0))
    )
    values = [first + (pixel - reference) * step for pixel in range(1, length + 1)]
    return [round(value) for value in values] if all(abs(value - round(value)) < 1e-3 for value in values) else None


def _beyond(header: Mapping[str, Any], n: int) -> str:
    """Return the Stokes parameter of the whole image, where the header has a Stokes coordinate without an axis."""
    for world in range(n + 1, int(header.get("WCSAXES", n)) + 1):
        if str(header.get(f"CTYPE{world}", "")).strip().upper() == "STOKES":
            return _CODES.get(round(float(header.get(f"CRVAL{world}", 0))), "")
    return ""


def _parse(text: str, n: int) -> dict[Role, int]:
    """Read ``y=3,x=4,stokes=1``."""
    chosen: dict[Role, int] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*([a-z]+)\s*=\s*(-?\d+)\s*", part)
        if match is None or match[1] not in get_args(Role) or match[1] == "other":
            raise OptionError(
                f"--axes {text!r} cannot be read at {part.strip()!r}; write it like y=3,x=4,stokes=1 (also wavelength and time; 0 is the slowest axis)"
            )
        number = int(match[2])
        if not -n <= number < n:
            raise OptionError(f"--axes {text!r} names axis {number}, the data have axes 0 to {n - 1}")
        role: Role = match[1]  # type: ignore[assignment]
        chosen[role] = number % n
    if len(set(chosen.values())) < len(chosen):
        raise OptionError(f"--axes {text!r} gives two roles to one axis; name different axes")
    if ("y" in chosen) != ("x" in chosen):
        raise OptionError(f"--axes {text!r} names only one of y and x; name both, or neither")
    return chosen


def _text(shape: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _listed(numbers: Sequence[int], names: list[str]) -> str:
    return ", ".join(f"{number}: {names[number] or 'unnamed'}" for number in numbers)
