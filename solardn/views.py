"""Ways to look at a map: of either sign, mirrored or not, turned by right angles. To the Sun they are the same, to a network nearly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import Float, whole
from .errors import OptionError

VIEWS = 16
"""How many there are."""

COUNTS = (1, 2, 4, 8, VIEWS)
"""Over how many a mean is taken."""


@dataclass(frozen=True)
class View:
    """One way to look at a map.

    Attributes
    ----------
    sign : {1, -1}
    mirrored : bool
        Whether x runs the other way.
    turns : int
        By how many right angles it is turned after that.
    """

    sign: int
    mirrored: bool
    turns: int

    def of(self, units: Float) -> Float:
        """Return a map (y, x) seen this way."""
        mirrored = units[:, ::-1] if self.mirrored else units
        return np.ascontiguousarray(np.rot90(self.sign * mirrored, self.turns))

    def back(self, layers: Float) -> Float:
        """Return layers (layer, y, x) found in this view as the map lies; their sign stays."""
        turned = np.rot90(layers, -self.turns, axes=(1, 2))
        return turned[:, :, ::-1] if self.mirrored else turned


def first(count: int) -> list[View]:
    """Return the first views. Those of each count in `COUNTS` are a group: seen in any of these ways, a map has the same views.

    So the result of a mean over four does not depend on which axis is called x, over eight on the sign either, and over all 16 on how the
    detector was mounted.
    """
    half_turn, transposed, mirror = View(-1, False, 2), View(1, True, 1), View(1, True, 0)
    found = [View(1, False, 0)]
    for other in (half_turn, transposed, View(-1, False, 0), mirror):
        found += [_after(view, other) for view in found]
    return found[:count]


def _after(view: View, other: View) -> View:
    """Return the view that shows what `view` does of a map seen by `other`."""
    turns = other.turns if not view.mirrored else -other.turns
    return View(view.sign * other.sign, view.mirrored != other.mirrored, (view.turns + turns) % 4)


def checked_views(count: int) -> int:
    """Return over how many views a mean is taken.

    Raises
    ------
    OptionError
        It is none of `COUNTS`.
    """
    count = whole(count, "views", 1)
    if count not in COUNTS:
        raise OptionError(f"views is {count}; give {', '.join(map(str, COUNTS[:-1]))} or {COUNTS[-1]}")
    return count


def mean_over(count: int, once: Callable[[Float], Float]) -> Callable[[Float], Float]:
    """Return a pass over a map (y, x) as the mean of passes over its first views."""
    if count == 1:
        return once

    def mean(units: Float) -> Float:
        total = np.zeros(units.shape, np.float32)
        for view in first(count):
            total += view.sign * view.back(once(view.of(units))[np.newaxis])[0]
        return total / np.float32(count)

    return mean


def over(views: int) -> str:
    """Say over how many views passes are the mean, behind how many passes there are; nothing where there is but one."""
    return f", each the mean over {views} views" if views > 1 else ""
