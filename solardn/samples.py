"""Which maps of a file are looked at to find the noise of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from .estimates import NoiseEstimate
from .noisemap import relative

Group = tuple[str, int]
"""Stokes parameter, and place along the axis of wavelength."""

Member = TypeVar("Member")

FEW = 3
"""Maps of one group that its noise level is estimated from where they agree …"""

AGREE = 0.05
"""… which they do when they lie within so much of their median."""

_MOST_SAMPLES = 9  # maps of one group that its noise level is estimated from …
_MOST_IN_ALL = 120  # … while all groups together take no more than this, but at least one each …
FURTHER = 4  # … and where none of them shows any noise, among so many times more, and again, until one does
_MOST_GROUPS = (
    240  # … unless there are more groups than this: then some wavelengths are left out, and lie between others
)


def sampled(groups: Iterable[Group]) -> list[Group]:
    """Return the groups to be looked at: all, or every n-th wavelength of each Stokes parameter."""
    ordered = sorted(groups)
    step = -(-len(ordered) // _MOST_GROUPS)
    return [group for group in ordered if group[1] % step == 0] or ordered[:1]


def settled(found: list[NoiseEstimate], shape: tuple[int, int] | None) -> bool:
    """Tell whether some maps of a group say enough of its noise: they agree and, where that matters for maps of a shape, it is even."""
    if len(found) < FEW:
        return False
    sigmas = np.array([one.sigma for one in found])
    agree = np.abs(sigmas / np.median(sigmas) - 1).max() <= AGREE
    return bool(agree) and (shape is None or relative(found, shape) is None)


def at_most(groups: int, most: int = _MOST_SAMPLES) -> int:
    """Return how many maps of a group are looked at, where there are so many groups: at most so many as would be of one alone."""
    return max(1, min(most, _MOST_IN_ALL // groups))


def evenly(members: list[Member], most: int) -> list[Member]:
    """Return so many members, evenly spread: of several the first and the last, too, else the one in the middle."""
    if most == 1:
        return members[(len(members) - 1) // 2 :][:1]
    return [members[place] for place in np.unique(np.linspace(0, len(members) - 1, most).round().astype(int))]


def widening(members: list[Member], most: int) -> Iterator[list[Member]]:
    """Yield so many members, evenly spread, then those between them, more and more, until they were all."""
    seen: set[Member] = set()
    while len(seen) < len(members):
        further = [member for member in evenly(members, most) if member not in seen]
        yield further
        seen.update(further)
        most *= FURTHER
