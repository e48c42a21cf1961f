"""An observation and its result, both open, map by map."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cube import Cube, Index
from .errors import InputError, OptionError
from .io.address import split
from .plan import Plan, look_at
from .samples import Group

SAME = ("DATE-OBS", "DATE-BEG", "TELESCOP", "INSTRUME", "WAVELNTH", "OBJECT", "EXTNAME")
"""Keywords that a result has from its observation, as it has the unit; where they differ, the two do not belong together."""


@dataclass(frozen=True)
class Pair:
    """One map before and after; pixels without value are NaN in both.

    Attributes
    ----------
    index : tuple of int
        Over the axes that are not y and x.
    observation, result : (y, x) arrays
        In the data's units.
    intensity : (y, x) array or None
        Stokes I of the same place, wavelength and time.
    """

    index: Index
    observation: NDArray[np.float32]
    result: NDArray[np.float32]
    intensity: NDArray[np.float32] | None


class Comparison:
    """An observation and its result, both open.

    Parameters
    ----------
    before, after : Plan
        The two files, as `solardn.plan.look_at` understands them.

    Raises
    ------
    InputError
        They do not belong together.
    """

    def __init__(self, before: Plan, after: Plan) -> None:
        apart = f"{after.source.label} is no result of {before.source.label}"
        if before.cube.shape != after.cube.shape:
            raise InputError(
                f"{apart}: the shapes are {after.cube.shape} and {before.cube.shape}; give the two files of one run"
            )
        sources = (before.source, after.source)
        told = {key: [str(source.header.get(key, "")).strip() for source in sources] for key in SAME}
        for key, values in (told | {"the unit": [source.unit for source in sources]}).items():
            if all(values) and values[0] != values[1]:
                raise InputError(
                    f"{apart}: {key} is {values[1]!r} there and {values[0]!r} here; give the two files of one run"
                )
        self.before, self.after = before, after

    def groups(self) -> dict[Group, list[Index]]:
        """Return the maps that were denoised, by Stokes parameter and wavelength."""
        return groups(self.before)

    def pair(self, index: Index) -> Pair | None:
        """Return one map before and after, None where it holds no value."""
        before, after = self.before.read_map(index), self.after.read_map(index)
        missing = self.before.missing(index, before) | ~np.isfinite(after)
        if missing.all():
            return None
        before, after = (np.where(missing, np.float32(np.nan), plane) for plane in (before, after))
        beside = intensity_of(self.before.cube, index)
        return Pair(index, before, after, None if beside is None else self.before.read_map(beside))


def groups(plan: Plan) -> dict[Group, list[Index]]:
    """Return the maps of a file that are denoised, by Stokes parameter and wavelength."""
    found: dict[Group, list[Index]] = {}
    for index in plan.cube.indices():
        if plan.denoises(index):
            found.setdefault(plan.cube.group(index), []).append(index)
    return found


def intensity_of(cube: Cube, index: Index) -> Index | None:
    """Return the index of the map of Stokes I that belongs to a map; None where there is none, or it is that map."""
    place = next((place for place, axis in enumerate(cube.rest) if axis.role == "stokes"), None)
    if place is None or "I" not in cube.letters or cube.letter(index) == "I":
        return None
    return (*index[:place], cube.letters.index("I"), *index[place + 1 :])


@contextmanager
def compare(
    observation: str | os.PathLike[str],
    result: str | os.PathLike[str],
    *,
    result_ext: str | int | None = None,
    **choices: Any,
) -> Iterator[Comparison]:
    """Open an observation and its result.

    Parameters
    ----------
    observation, result : path
    result_ext : str or int, optional
        FITS extension or array of the result; by default the same as that of the observation, or the only one.
    **choices
        Which maps are meant, as for `solardn.plan.look_at`.

    Raises
    ------
    InputError, OptionError
    """
    if choices.get("ext") == "all":
        raise OptionError(
            f"one image of {observation} is compared with its result at a time; name one with --ext (in Python ext)"
        )
    part = split(observation)[1] if choices.get("ext") is None else choices["ext"]
    if result_ext is None and split(result)[1] is None:
        result_ext = part
    with ExitStack() as stack:
        before = stack.enter_context(look_at(observation, **choices))
        other = choices | {"ext": result_ext, "mask_ext": None}
        try:
            after = stack.enter_context(look_at(result, **other))
        except InputError:  # several arrays, perhaps: the result itself, its residual, its uncertainty
            name = getattr(before.source, "name", None)
            if not name or result_ext is not None or split(result)[1] is not None:
                raise
            named = _opened(stack, result, other | {"ext": name})
            if named is None:
                raise
            after = named
        yield Comparison(before, after)


def _opened(stack: ExitStack, path: str | os.PathLike[str], choices: dict[str, Any]) -> Plan | None:
    """Return a file opened, None where it cannot be."""
    try:
        return stack.enter_context(look_at(path, **choices))
    except InputError:
        return None
