"""An observation and its result, both open, map by map."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cube import Cube, Index
from .errors import InputError, OptionError
from .io import Source, open_source
from .io.address import split
from .missing import blanked
from .plan import Plan, plan_of
from .records import recorded_choices
from .samples import Group

SAME = ("DATE-OBS", "DATE-BEG", "TELESCOP", "INSTRUME", "WAVELNTH", "OBJECT", "EXTNAME")
"""Keywords that a result has from its observation, as it has the unit; where they differ, the two do not belong together."""

_WORDS = {"axes": "axes", "stokes": "Stokes", "fill_value": "fill value", "mask_ext": "mask"}


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
    as_recorded : tuple of str
        Which maps and pixels are meant, in words, as far as the result's record tells it.

    Raises
    ------
    InputError
        They do not belong together.
    """

    def __init__(self, before: Plan, after: Plan, as_recorded: tuple[str, ...] = ()) -> None:
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
        self.before, self.after, self.as_recorded = before, after, as_recorded

    def groups(self) -> dict[Group, list[Index]]:
        """Return the maps that were denoised, by Stokes parameter and wavelength."""
        return self.before.groups()

    def pair(self, index: Index) -> Pair | None:
        """Return one map before and after, None where it holds no value."""
        before, after = self.before.read_map(index), self.after.read_map(index)
        missing = self.before.missing(index, before) | ~np.isfinite(after)
        if missing.all():
            return None
        before, after = blanked(before, missing), blanked(after, missing)
        beside = intensity_of(self.before.cube, index)
        return Pair(index, before, after, None if beside is None else self.before.read_map(beside))


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
    ext: str | int | None = None,
    result_ext: str | int | None = None,
    axes: str | None = None,
    stokes: str | None = None,
    fill_value: float | str | None = None,
    mask_ext: str | int | None = None,
) -> Iterator[Comparison]:
    """Open an observation and its result.

    Parameters
    ----------
    observation, result : path
    ext : str or int, optional
        FITS extension or array of the observation.
    result_ext : str or int, optional
        The same of the result; by default the same as that of the observation, or the only one.
    axes, stokes, fill_value, mask_ext
        Which maps and pixels are meant, as for `solardn.plan.look_at`; by default what the run meant, where the result records that.

    Raises
    ------
    InputError, OptionError
    """
    if ext == "all":
        raise OptionError(
            f"one image of {observation} is compared with its result at a time; name one with --ext (in Python ext)"
        )
    file, part = split(observation)
    if result_ext is None and split(result)[1] is None:
        result_ext = part if ext is None else ext
    with ExitStack() as stack:
        before = stack.enter_context(closing(open_source(observation, ext)))
        after = stack.enter_context(closing(_open_result(result, result_ext, getattr(before, "name", None))))
        given: dict[str, Any] = {"axes": axes, "stokes": stokes, "fill_value": fill_value, "mask_ext": mask_ext}
        choices = {key: value for key, value in given.items() if value is not None}
        taken = {key: value for key, value in recorded_choices(after).items() if key not in choices}
        choices |= taken
        said = {key: f"{_WORDS[key]} {value}, as the run that made the result took it" for key, value in taken.items()}
        mask, name = None, choices.pop("mask_ext", None)
        if name is not None:
            try:
                mask = stack.enter_context(closing(open_source(file, name)))
            except InputError:
                if mask_ext is not None:
                    raise
                said["mask_ext"] = (
                    f"mask {name}, which the run took, is not in {file}: its pixels are looked at like others"
                )
        yield Comparison(plan_of(before, mask=mask, **choices), plan_of(after, **choices), tuple(said.values()))


def _open_result(path: str | os.PathLike[str], ext: str | int | None, name: str | None) -> Source:
    """Open a result; of several arrays (itself, its residual, its uncertainty), where none is said, the one that bears the observation's name."""
    try:
        return open_source(path, ext)
    except InputError:
        if name and ext is None and split(path)[1] is None:
            with suppress(InputError):
                return open_source(path, name)
        raise
