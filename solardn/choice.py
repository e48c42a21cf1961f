"""The map of a cube that a user names."""

from __future__ import annotations

from .cube import Cube, Index
from .errors import OptionError


def index_of(text: str, cube: Cube) -> Index:
    """Return the index of the map that a text names.

    Parameters
    ----------
    text : str
        Places over the axes that are not y and x, as ``"0,3,2"``; or some of them by name, as ``"stokes=V,wavelength=3"``, the others in the
        middle.
    cube : Cube

    Raises
    ------
    OptionError
        The text cannot be read, or names a map that is not there.
    """
    roles, lengths = [axis.role for axis in cube.rest], [axis.length for axis in cube.rest]
    if not roles:
        raise OptionError(
            f"--quicklook-map {text} chooses among the maps of a cube, and there is one only; leave it out"
        )
    parts = [part.strip() for part in text.split(",")]
    try:
        if any("=" in part for part in parts):
            index = [length // 2 for length in lengths]
            for name, value in (part.split("=") for part in parts):
                place = roles.index(name.strip())  # type: ignore[arg-type]
                letter = value.strip().upper()
                known = roles[place] == "stokes" and letter in cube.letters
                index[place] = cube.letters.index(letter) if known else int(value)
        else:
            index = [int(part) for part in parts]
        for at, length in zip(index, lengths, strict=True):
            range(length)[at]
    except (ValueError, IndexError):
        axes = ", ".join(f"{role} 0 to {length - 1}" for role, length in zip(roles, lengths, strict=True))
        raise OptionError(
            f"--quicklook-map {text} names no map here; write a place on each axis ({axes}) like {','.join('0' for _ in roles)}, or some by name like {roles[-1]}=0, or sheet"
        ) from None
    return tuple(at % length for at, length in zip(index, lengths, strict=True))
