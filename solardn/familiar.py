"""Files far from what networks know, told before a run: the residual tells it too, but only after hours of work.

And, after it, what only the whole of them tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from .api import Denoiser
from .balance import raised
from .cube import Index
from .doubts import doubts, forewarn
from .levels import Level
from .missing import blanked
from .plan import Plan
from .records import former_step
from .samples import Group
from .summary import MapRecord


def warn(plan: Plan, denoiser: Denoiser, levels: dict[Group, Level]) -> tuple[str, ...]:
    """Warn when a file is a result already, or maps of it, one of each Stokes parameter, are far from what the network knows; return the sentences.

    Parameters
    ----------
    plan : Plan
    denoiser : Denoiser
    levels : dict
        The noise level of each group of maps, as it will be used.
    """
    former = former_step(plan.source)
    if former:  # what else is strange about it comes from that
        return forewarn([f"{plan.source.label} is a result of solardn already ({former}); give the observation"])
    said: list[str] = []
    found_in = {level.stokes for level in levels.values() if level.maps}
    for index in _sample(plan, levels):
        plane = plan.read_map(index)
        absent = plan.missing(index, plane)
        if absent.all():
            continue
        level, letter = levels[plan.cube.group(index)], plan.cube.letter(index)
        found = doubts(
            blanked(plane, absent),
            level.of(index),
            given=not found_in,
            letter=letter,
            unit=plan.source.unit,
            network=denoiser.card.name,
            noise=level.estimates.get(index),
        )
        if found_in and letter not in found_in:
            found.append(
                f"shows no noise in its maps, and takes the level of the others, {level.noise_sigma:.3g}: give the noise level yourself (--noise-sigma, in Python noise_sigma)"
            )
        said += [f"{plan.source.label}{_parameter(plan, index)} {sentence}" for sentence in found]
    return forewarn(said + _out_of_balance(plan, levels))


def _out_of_balance(plan: Plan, levels: dict[Group, Level]) -> list[str]:
    """Say which noise levels that were found stand out from those of the other Stokes parameters and wavelengths."""
    return [
        f"{plan.source.label}, Stokes {one.stokes}: its noise level at {_places(one.wavelengths)} is {one.factor:.3g} times what the others and its own at other wavelengths suggest: "
        "strong signals may have been taken for noise; look at the residual there, or state the level (--noise-sigma, in Python noise_sigma)"
        for one in raised({group: level.noise_sigma for group, level in levels.items() if level.maps})
    ]


def _places(wavelengths: tuple[int, ...]) -> str:
    """Return places along the axis of wavelength in words."""
    if len(wavelengths) > 3:
        return f"{len(wavelengths)} wavelengths (the first is {wavelengths[0]}, counted from 0)"
    return f"wavelength{'s' if len(wavelengths) > 1 else ''} {', '.join(map(str, wavelengths))} (counted from 0)"


def warn_afterwards(plan: Plan, records: Sequence[MapRecord], levels: dict[Group, Level]) -> tuple[str, ...]:
    """Warn of what only a whole run can tell: a fill value that is nowhere, and maps without the level of their own that they should have."""
    said = []
    if not isinstance(plan.fill_value, str) and not any(record.fills for record in records):
        said.append(
            f"{plan.source.label} holds the fill value {plan.fill_value:.9g} nowhere in its maps to denoise: check --fill-value (in Python fill_value), or leave it out, and fills are found"
        )
    own = {index for level in levels.values() for index in level.each}
    without = [record.index for record in records if own and record.cycles and record.index not in own]
    if without:
        said.append(
            f"{plan.source.label}: no noise is found in {len(without)} of its maps (the first is map {without[0]}), which take the median level of their Stokes parameter and wavelength: look at them"
        )
    return forewarn(said)


def _sample(plan: Plan, levels: dict[Group, Level]) -> list[Index]:
    """Return the map in the middle of each Stokes parameter that is denoised; the nearest to it whose noise was looked at, if any was."""
    by_parameter: dict[str, list[Index]] = {}
    for index in plan.cube.indices():
        if plan.denoises(index):
            by_parameter.setdefault(_parameter(plan, index), []).append(index)
    known = {index for level in levels.values() for index in level.estimates}

    def middle(members: list[Index]) -> Index:
        places = [place for place, index in enumerate(members) if index in known] or range(len(members))
        return members[min(places, key=lambda place: abs(place - len(members) // 2))]

    return [middle(members) for members in by_parameter.values()]


def _parameter(plan: Plan, index: Index) -> str:
    """Return which Stokes parameter a map is of, to be said behind a name; where that is not told, its place along axes of four, which may be I, Q, U and V."""
    letter = plan.cube.letter(index)
    if letter:
        return f", Stokes {letter}"
    return "".join(
        f", place {place} along axis {axis.number} (counted from 0; if that is Stokes, say so with --axes, in Python axes)"
        for place, axis in zip(index, plan.cube.rest, strict=True)
        if axis.role == "other" and axis.length == 4
    )
