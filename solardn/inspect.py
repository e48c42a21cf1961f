"""Whether what was taken away from a file was noise: the maps of an observation and of its result compared, kind by kind."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .comparison import Comparison, compare
from .cube import Index
from .diagnosis import diagnose
from .errors import InputError
from .inspection import Inspection, Line, line_of
from .levels import Group, evenly, samples
from .noise import estimate

MOST_MAPS = 5
"""Maps of one kind (Stokes parameter and wavelength) that are looked at, spread evenly over it …"""

MOST_IN_ALL = 120
"""… while all kinds together take no more than this, but at least one each."""


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
        rms of the noise in the data's units; found in the observation by default, one value for each kind of map.
    **choices
        As for `solardn.comparison.compare`.

    Raises
    ------
    InputError, OptionError
        The files do not belong together, cannot be read, or show no noise.
    """
    with compare(observation, result, **choices) as files:
        return inspect_pairs(files, noise_sigma)


def inspect_pairs(files: Comparison, noise_sigma: float | None = None) -> Inspection:
    """Do the same with two files that are open."""
    groups = files.groups()
    most = max(1, min(MOST_MAPS, MOST_IN_ALL // max(1, len(groups))))
    sampled = samples(max(1, len(groups)))
    lines = [_line(files, group, members, most, sampled, noise_sigma) for group, members in groups.items()]
    known = tuple(line for line in lines if line)
    before, after = files.before.source, files.after.source
    if not known:
        raise InputError(
            f"{before.label} and {after.label} have no value in common: the maps of one are constant, masked, or not finite; give other files"
        )
    return Inspection(before.label, after.label, before.unit, known)


def _line(
    files: Comparison, group: Group, members: list[Index], most: int, sampled: int, sigma: float | None
) -> Line | None:
    """Diagnose some maps of one kind; without a noise level, with the one that `solardn.levels` finds for it."""
    looked = evenly(members, most)
    wanted = looked if sigma is not None else sorted({*looked, *evenly(members, sampled)})
    noises = {pair.index: estimate(pair.observation) for pair in map(files.pair, wanted) if pair}
    if not noises:
        return None
    if sigma is None:  # as before a run, so that both speak of the same noise
        sigma = float(np.median([noises[index].sigma for index in evenly(members, sampled) if index in noises]))
    found = [
        (pair.index, diagnose(pair.observation, pair.result, sigma, pair.intensity, noises[pair.index]))
        for pair in map(files.pair, looked)
        if pair
    ]
    return line_of(group, found) if found else None
