"""Whether what was taken away from a file was noise: the maps of an observation and of its result compared, kind by kind."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .arrays import Cycles, positive
from .comparison import Comparison, compare
from .cube import Index
from .diagnosis import diagnose
from .errors import InputError
from .estimates import NoiseEstimate
from .inspection import FOUND, GIVEN, TAKEN, Inspection, Line, line_of
from .noise import estimate
from .records import last_parameters
from .rows import recorded_levels
from .samples import Group, at_most, evenly, widening

MOST_MAPS = 5
"""Maps of one kind (Stokes parameter and wavelength) that are looked at, spread evenly over it; fewer of many kinds."""


def inspect_files(
    observation: str | os.PathLike[str],
    result: str | os.PathLike[str],
    *,
    noise_sigma: float | None = None,
    **choices: Any,
) -> Inspection:
    """Say of every kind of map whether what was taken away from it was noise.

    Parameters
    ----------
    observation, result : path
        The file before and after.
    noise_sigma : float, optional
        rms of the noise in the data's units; by default what the run took for each map, where the result records that of this image, else
        found in the observation, one value for each kind of map.
    **choices
        As for `solardn.comparison.compare`.

    Raises
    ------
    InputError, OptionError
        The files do not belong together, cannot be read, or show no noise.
    """
    if noise_sigma is not None:
        positive(noise_sigma, "noise_sigma")
    with compare(observation, result, **choices) as files:
        return inspect_pairs(files, noise_sigma)


def inspect_pairs(files: Comparison, noise_sigma: float | None = None) -> Inspection:
    """Do the same with two files that are open."""
    before, after = files.before.source, files.after.source
    groups = files.groups()
    most, sampled = at_most(len(groups), MOST_MAPS), at_most(len(groups))
    recorded, unused = recorded_levels(after, files.after.cube) if noise_sigma is None else ({}, "")
    cycles = last_parameters(after).get("cycles", 1)
    lines: list[Line] = []
    origins: set[str] = set()
    left: dict[Index, str] = {}
    for group, members in groups.items():
        taken = [index for index in members if index in recorded]
        looked = evenly(taken or members, most)
        noises: dict[Index, NoiseEstimate] = {}
        if noise_sigma is not None:
            origin, levels = GIVEN, dict.fromkeys(looked, noise_sigma)
        elif taken:
            origin, levels = TAKEN, recorded
        else:  # as before a run: the median over a sample of the maps
            origin, noises = FOUND, _noises(files, members, sampled, left)
            if not noises:
                continue
            looked = evenly([*noises], most)
            levels = dict.fromkeys(looked, float(np.median([noise.sigma for noise in noises.values()])))
        line = _line(files, group, looked, levels, noises, left, cycles)
        if line:
            lines.append(line)
            origins.add(origin)
    if not lines:
        why = next(
            iter(left.values()), "they have no value in common, as the maps of one are constant, masked, or not finite"
        )
        raise InputError(f"{before.label} and {after.label} have no map to compare: {why}; give other files")
    how = " or ".join(sorted(origins, reverse=True))
    said = (*files.as_recorded, *filter(None, [unused]))
    return Inspection(before.label, after.label, before.unit, how, tuple(lines), left, said)


def _noises(files: Comparison, members: list[Index], most: int, left: dict[Index, str]) -> dict[Index, NoiseEstimate]:
    """Return the noise of some observations of one kind, of more where none of those shows any; maps in which none can be found are noted with the reason."""
    found: dict[Index, NoiseEstimate] = {}
    for looked in widening(members, most):
        for pair in filter(None, map(files.pair, looked)):
            try:
                found[pair.index] = estimate(pair.observation)
            except InputError as error:
                left[pair.index] = _reason(error)
        if found:
            break
    return found


def _line(
    files: Comparison,
    group: Group,
    looked: list[Index],
    levels: Mapping[Index, float],
    noises: Mapping[Index, NoiseEstimate],
    left: dict[Index, str],
    cycles: Cycles,
) -> Line | None:
    """Diagnose some maps of one kind, the noise of some of which was found before; None where none can be.

    Maps that cannot be are noted with the reason.
    """
    found = []
    for pair in filter(None, map(files.pair, looked)):
        index = pair.index
        try:
            noise, sigma = noises.get(index), levels[index]
            found.append((index, diagnose(pair.observation, pair.result, sigma, pair.intensity, noise, cycles)))
        except InputError as error:  # too thinly covered, or too small
            left[index] = _reason(error)
    return line_of(group, found) if found else None


def _reason(error: InputError) -> str:
    """Return why a map cannot be looked at, without the advice to state its noise: its residual would need it found all the same."""
    return str(error).partition("; ")[0]
