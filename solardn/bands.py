"""The power of a residual held against that of the noise, in bands of scales."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .estimates import NoiseEstimate
from .spectrum import CORRELATION, Array, rings, window_spectra

SCALES = ((20.0, np.inf), (8.0, 20.0), (4.0, 8.0), (1.0, 4.0))
"""Bands of scales, in pixels (1 / spatial frequency), in which the residual's power is held against that of the noise."""

EXCESS = 0.15
"""Power of the residual in a band beyond that of the noise, relative to it, above which there is more than noise on a large map; on a small one chance comes to it."""

LOUD = 0.03
"""Part of the windows that may exceed the noise by far before structure is said to be left."""

_TENTH = 0.195  # standard deviations by which the mean falls without the largest tenth


@dataclass(frozen=True)
class Band:
    """The residual's power in one band of scales.

    Attributes
    ----------
    smallest, largest : float
        Scales, pixels; `largest` may be infinite.
    ratio : float
        Power of the residual over that of the noise, mean over the map.
    limit : float
        The most that `ratio` may be for noise: by `EXCESS`, and by three standard deviations of chance.
    loud : float
        Part of the windows, 0 to 1, in which the residual exceeds the noise by more than chance, and by more than it does at
        the smallest scales; 0 at those.
    even : bool
        Whether what there is beyond noise is the same all over the field: few windows (`LOUD`) exceed the mean over the map by more than chance, and at
        least half of the excess remains without the loudest tenth of them.
    """

    smallest: float
    largest: float
    ratio: float
    limit: float
    loud: float
    even: bool

    @property
    def structured(self) -> bool:
        """Whether the residual holds more than noise at these scales."""
        return self.ratio > self.limit or self.loud > LOUD

    def __str__(self) -> str:
        """Return the scales as people write them."""
        return f"above {self.smallest:g} px" if np.isinf(self.largest) else f"{self.smallest:g}–{self.largest:g} px"


def bands_of(residual: NDArray[Any], valid: NDArray[np.bool_], noise: NoiseEstimate) -> tuple[Band, ...]:
    """Hold a residual's power against that of the noise, band by band, from large to small scales.

    Parameters
    ----------
    residual : (y, x) array
        Observation − result.
    valid : (y, x) array of bool
        Pixels that count.
    noise : NoiseEstimate
        The noise it should be.
    """
    spectra = window_spectra(residual, valid, noise.size)
    ring = rings(noise.size)
    power = spectra.power[spectra.used]
    local = (noise.coarse[spectra.used] / noise.sigma) ** 2
    expected = noise.spectrum
    found: list[Band] = []
    finer = np.ones(len(power))
    for smallest, largest in reversed(SCALES):
        # Where the noise has no power there is nothing to compare with.
        inside = (ring.k > 1 / largest) & (ring.k <= 1 / smallest) & (expected > 1e-2 * expected.max())
        if not inside.any() or not len(power):
            continue
        weight = ring.counts[inside]
        here, there = power[:, inside] @ weight, expected[inside] @ weight * local
        chance = float(np.sqrt(CORRELATION * (expected[inside] ** 2 @ weight)) / (expected[inside] @ weight))
        # A window that is louder at all scales alike holds stronger noise; structure is louder at large scales.
        most = np.maximum(finer, 1) * (1.3 + 5 * chance)
        ratio = float(here.sum() / there.sum())
        loud = here / there > most
        found.append(
            Band(
                smallest,
                largest,
                ratio=ratio,
                limit=1 + math.hypot(EXCESS, 3 * chance / math.sqrt(len(power))),
                loud=float(loud.mean()) if found else 0.0,
                even=_is_even(here / there, ratio, most, chance),
            )
        )
        finer = np.maximum(finer, here / there) if len(found) == 1 else finer
    return tuple(reversed(found))


def _is_even(relative: Array, ratio: float, most: Array, chance: float) -> bool:
    """Tell whether windows exceed the noise alike, given their power relative to it, its mean, how much more is no chance, and one deviation of chance."""
    usual = np.sort(relative)[: math.ceil(0.9 * len(relative))].mean() + _TENTH * chance * ratio
    return bool((relative > ratio * most).mean() <= LOUD and usual - 1 >= 0.5 * (ratio - 1))
