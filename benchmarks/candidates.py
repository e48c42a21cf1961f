"""A network in each of the ways to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from solardn.model import Model
from solardn.tiling import pad

from .networks import AUTHORS, authors, maps
from .peers import Maps, Way, ways


@dataclass(frozen=True)
class Candidate:
    """A network in one of the ways to run it."""

    model: Model
    way: str
    run: Way

    @property
    def network(self) -> str:
        """Name of the network."""
        return self.model.card.name

    @property
    def name(self) -> str:
        """Name in the tables."""
        return f"{self.network}, {self.way}"

    def on(self, number: int, side: int) -> Callable[[], Maps]:
        """Return its run on maps of shape (number, side, side); other ways than solardn get them padded beforehand."""
        given = maps(number, side, self.model)
        if "solardn" not in self.way:
            given = np.stack([pad(plane, self.model.card) for plane in given])[:, np.newaxis]
        return partial(self.run, given)


def candidates(model: Model, way: str | None = None) -> Iterator[Candidate]:
    """Yield a network in all the ways at hand, or in one of them; what the others need is not loaded then."""
    for name, make in ways(model, authors()[1] if model.card.name == AUTHORS else None).items():
        if way in (None, name) and (run := make()):
            yield Candidate(model, name, run)
