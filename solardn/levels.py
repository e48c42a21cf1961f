"""The noise level of each group of maps in a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .api import Denoiser
from .arrays import positive
from .cube import Index
from .errors import InputError, OptionError
from .estimates import NoiseEstimate
from .looks import estimates
from .missing import NO_VALUE
from .noisemap import CONTRADICTION, at_every_pixel, relative
from .plan import Plan
from .samples import FEW, FURTHER, Group, at_most, evenly, sampled, settled

NoiseSigma = float | Literal["auto", "per-map"]
"""rms of the noise: given, or found for each Stokes parameter and wavelength, or for each map."""

Uneven = NDArray[np.float64] | None
"""How the noise of a group varies over the field (see `solardn.noisemap.relative`); None where it is even."""


@dataclass(frozen=True)
class Level:
    """The noise level that a group of maps shares: those of one Stokes parameter and wavelength.

    Attributes
    ----------
    stokes : str
        The Stokes parameter, or empty.
    wavelength : int
        Place along the axis of wavelength, 0 without one.
    noise_sigma : float
        rms of the noise, in the data's units.
    maps : int
        How many maps it was estimated from; 0 where it was given.
    each : dict
        The level of each map that has its own; `noise_sigma` is their median then.
    uneven : array or None
        How the noise varies over the field where that is evened out (see `solardn.noisemap.relative`).
    estimates : dict
        What was found in a few of the maps, for those who look at the same ones again.
    """

    stokes: str
    wavelength: int
    noise_sigma: float
    maps: int
    each: dict[Index, float] = field(default_factory=dict, repr=False)
    uneven: Uneven = field(default=None, repr=False)
    estimates: dict[Index, NoiseEstimate] = field(default_factory=dict, repr=False)

    def of(self, index: Index) -> float:
        """Return the rms of the noise of a map."""
        return self.each.get(index, self.noise_sigma)

    def over_field(self, index: Index, shape: tuple[int, int]) -> NDArray[np.float64] | None:
        """Return the rms of the noise at every pixel of a map (y, x) where it is evened out."""
        return None if self.uneven is None else self.of(index) * at_every_pixel(self.uneven, shape)


def find_levels(
    plan: Plan,
    denoiser: Denoiser,
    noise_sigma: NoiseSigma = "auto",
    scale: float | None = None,
    noise_map: str | os.PathLike[str] | int = "off",
) -> dict[Group, Level]:
    """Return the noise level of each group of maps: estimated, or the one that was given, or that a scale implies.

    An estimate is the median over some maps of the group, spread evenly over it, or over all of them where each map is to have its own:
    over three that agree and show even noise, else over up to nine, and over more where those show no noise, as empty maps do. Where there
    are hundreds of wavelengths, some are estimated and the others interpolated, with their noise as uneven as at the nearest one.

    Parameters
    ----------
    plan, denoiser
        The file, and the network.
    noise_sigma, scale
        As for `solardn.files.denoise_file`.
    noise_map : path, str or int
        As for `solardn.plan.look_at`; with ``auto``, how the noise that is estimated varies over the field is found as well.

    Raises
    ------
    OptionError
        Two of noise level, scale and noise map are given, or one is no positive number.
    InputError
        No map shows any noise: all are constant, too small, or hold no finite value.
    """
    if not isinstance(noise_sigma, str):
        noise_sigma = positive(noise_sigma, "noise_sigma")
    groups = plan.groups()
    per_map = noise_sigma == "per-map"
    if plan.sigma is not None:
        if noise_sigma != "auto" or scale is not None:
            raise OptionError(CONTRADICTION)
        return _from_map(plan, groups)
    if (noise_sigma != "auto" and not per_map) or scale is not None:
        # No map is looked at where the level is given: an empty one will do.
        sigma = denoiser.scaling(np.empty((0, 0)), noise_sigma=noise_sigma, scale=scale).sigma  # type: ignore[arg-type]
        return {group: Level(*group, sigma, 0) for group in groups}
    even = noise_map == "auto"
    found, few, why = _search(plan, denoiser, groups, per_map, even)
    medians = {group: float(np.median([one.sigma for one in maps.values()])) for group, maps in found.items() if maps}
    if not medians:
        raise InputError(f"no noise is found in {plan.source.label}: {why or _lost_digits(plan) or NO_VALUE}")
    uneven = {
        group: relative(list(maps.values()), plan.cube.map_shape) if even else None
        for group, maps in found.items()
        if maps
    }
    return {
        group: Level(
            *group,
            _between(medians, group),
            len(maps),
            each={index: one.sigma for index, one in maps.items()} if per_map else {},
            uneven=_nearest(uneven, group),
            estimates={index: maps[index] for index in few.get(group, ()) if index in maps},
        )
        for group, maps in found.items()
    }


def _search(
    plan: Plan, denoiser: Denoiser, groups: dict[Group, list[Index]], per_map: bool, even: bool
) -> tuple[dict[Group, dict[Index, NoiseEstimate]], dict[Group, list[Index]], str]:
    """Return the noise of some maps of each group, the few that were looked at first, and why a map shows none."""
    most = at_most(len(groups))
    found: dict[Group, dict[Index, NoiseEstimate]] = {group: {} for group in groups}
    seen: set[Index] = set()
    reasons: list[str] = []

    def look(groups_of: dict[Index, Group]) -> None:
        wanted = sorted(groups_of.keys() - seen)
        seen.update(wanted)
        for index, noise, why in estimates(plan, denoiser, wanted):
            if noise is not None:
                found[groups_of[index]][index] = noise
            elif why:
                reasons.append(why)

    def some(of: Iterable[Group], most: int) -> dict[Index, Group]:
        return {index: group for group in of for index in evenly(groups[group], most)}

    if per_map:
        look(some(groups, max(map(len, groups.values()))))
        few = {group: evenly(members, FEW) for group, members in groups.items()}
        return found, few, next(iter(reasons), "")
    looked_at = sampled(groups)
    few = {group: evenly(groups[group], min(FEW, most)) for group in looked_at}
    look(some(looked_at, min(FEW, most)))
    shape = plan.cube.map_shape if even else None
    look(some((group for group in looked_at if not settled([*found[group].values()], shape)), most))
    while blank := [group for group in looked_at if not found[group] and most < len(groups[group])]:
        most *= FURTHER
        look(some(blank, most))
    known = {group[0] for group in groups if found[group]}
    # A Stokes parameter without noise where it was looked at may have some at the wavelengths between.
    look(some((group for group in groups if group[0] not in known), 1))
    return found, few, next(iter(reasons), "")


def _lost_digits(plan: Plan) -> str:
    """Say that the values of the map in the middle differ by less than float32 tells apart, where that is so."""
    given = plan.cube.to_maps(plan.source.read(plan.cube.batch_of(plan.middle).selection))[0]
    given = given[np.isfinite(given)]
    low, high = (given.min(), given.max()) if given.size else (0, 0)
    if not low < high or np.float32(low) != np.float32(high):
        return ""
    return f"its values, from {low:.17g} to {high:.17g}, are one and the same in float32; subtract their mean, or multiply them, before"


def _from_map(plan: Plan, groups: dict[Group, list[Index]]) -> dict[Group, Level]:
    """Return the levels that a noise map tells: the rms over each map's pixels that hold a value."""
    found: dict[Group, dict[Index, float]] = {group: {} for group in groups}
    for group, members in groups.items():
        for index in members:
            absent = plan.missing(index, plan.read_map(index))
            sigma = plan.noise_map(index, absent)
            if sigma is not None and not absent.all():
                found[group][index] = float(np.sqrt(np.mean(sigma[~absent] ** 2)))
    medians = {group: float(np.median(list(each.values()))) for group, each in found.items() if each}
    return {
        group: Level(*group, _between(medians, group) if medians else 1.0, 0, each=each)
        for group, each in found.items()
    }


def _between(medians: dict[Group, float], group: Group) -> float:
    """Return a group's level: its own, or interpolated between wavelengths of its Stokes parameter, or the usual one."""
    if group in medians:
        return medians[group]
    known = sorted((place, sigma) for (letter, place), sigma in medians.items() if letter == group[0])
    if not known:
        return float(np.median(list(medians.values())))
    places, sigmas = zip(*known, strict=True)
    return float(np.interp(group[1], places, sigmas))


def _nearest(uneven: dict[Group, Uneven], group: Group) -> Uneven:
    """Return how a group's noise varies over the field: as found in it, or at the nearest wavelength of its Stokes parameter that was looked at."""
    letter, place = group
    alike = [other for other in uneven if other[0] == letter]
    return uneven[min(alike, key=lambda other: abs(other[1] - place))] if alike else None
