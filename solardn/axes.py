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
from .polarization import letters_along
from .worlds import kind_of, pixel_axes

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
    kinds = kinds_of(header, n)
    roles = [role_of(kind, unit) for kind, unit in kinds]
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
    letters, said = letters_along(header, roles, names, shape, where, by_user="stokes" in chosen)
    axes = tuple(
        Axis(number, length, kind, role or "other")
        for number, (length, kind, role) in enumerate(zip(shape, names, roles, strict=True))
    )
    return Cube(axes, letters, "; ".join(part for part in (how, said) if part))


def kinds_of(header: Mapping[str, Any], n: int) -> list[tuple[str, str]]:
    """Return (CTYPE without its projection, CUNIT) of each pixel axis, in numpy's order."""
    along = pixel_axes(header, n)
    kinds = [("", "")] * n
    for world, pixel in along.items():
        kinds[n - pixel] = (kind_of(header, world), str(header.get(f"CUNIT{world}", "")).strip().lower())
    return kinds


def role_of(kind: str, unit: str) -> Role | None:
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
    if len(space) > 2 and sum(shape[number] > 1 for number in space) == 2:  # one of one pixel is no obstacle
        for number in [number for number in space if shape[number] == 1]:
            roles[number] = "other"
            space.remove(number)
    if len(space) > 2:
        raise InputError(
            f"{where} has {len(space)} axes in space ({_listed(space, names)}), a map has two; say which with --axes, for instance --axes y={space[-2]},x={space[-1]}"
        )
    long_ones = [number for number in space if shape[number] > 1]
    if len(space) == 1 or (len(space) == 2 and len(long_ones) < 2 and max(shape) > 1):
        raise InputError(_one_axis(where, shape, names, space, long_ones))
    if len(space) == 2:
        first, second = (names[number] for number in space)
        same = {roles[number] for number in space} != {"y", "x"}
        if first not in _SILENT and second not in _SILENT and (same or _frame(first) != _frame(second)):
            raise InputError(
                f"{where} calls axis {space[0]} {first} and axis {space[1]} {second}, which are not the two coordinates of one frame, so its header contradicts itself; "
                f"say which are space with --axes y={space[0]},x={space[1]}"
            )
        if same:
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


def _frame(kind: str) -> str:
    """Return the frame that a coordinate of the sphere belongs to, such as HP of HPLN; empty for others."""
    return kind[:-2] if len(kind) == 4 and kind.endswith(("LN", "LT")) else ""


def _one_axis(where: str, shape: Sequence[int], names: list[str], space: list[int], long_ones: list[int]) -> str:
    """Return the sentence for a file in which only one axis, or none, extends in space."""
    kept = (long_ones or space)[0]
    others = [number for number, length in enumerate(shape) if number != kept and length > 1] or [
        number for number in range(len(shape)) if number != kept
    ]
    y, x = sorted((kept, others[-1]))
    return (
        f"{where} extends in space along one axis only (axis {kept}, {names[kept] or 'linear'}, of {_text(shape)}), as a spectrograph's slit does; "
        f"to put the steps of its raster together, give all its files with --output-dir, each with its place across the slit in its header; to denoise the planes of axes {y} and {x} as maps all the same, say --axes y={y},x={x}"
    )


def _parse(text: str, n: int) -> dict[Role, int]:
    """Read ``y=3,x=4,stokes=1``."""
    chosen: dict[Role, int] = {}
    for part in str(text).split(","):  # from Python, it may be anything
        match = re.fullmatch(r"\s*([a-z]+)\s*=\s*(-?\d+)\s*", part)
        if match is None or match[1] not in get_args(Role) or match[1] == "other":
            raise OptionError(
                f"--axes {text!r} cannot be read at {part.strip()!r}; write it like y=3,x=4,stokes=1 (also wavelength and time; 0 is the slowest axis)"
            )
        number = int(match[2])
        if not -n <= number < n:
            raise OptionError(f"--axes {text!r} names axis {number}, the data have axes 0 to {n - 1}")
        role: Role = match[1]  # type: ignore[assignment]
        if role in chosen:
            raise OptionError(f"--axes {text!r} names {role} twice; name it once")
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
