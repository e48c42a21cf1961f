"""Noise levels of the Stokes parameters held against each other: strong signals that were taken for noise stand out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .samples import Group

STANDS_OUT = 1.2
"""Ratio from which a level is told; where it can be checked, levels are within 5 to 10 % (docs/noise.md)."""


@dataclass(frozen=True)
class Raised:
    """A Stokes parameter whose noise level stands out at some wavelengths.

    Attributes
    ----------
    stokes : str
    wavelengths : tuple of int
        Their places.
    factor : float
        By how much the level stands out there, median.
    """

    stokes: str
    wavelengths: tuple[int, ...]
    factor: float


def raised(levels: Mapping[Group, float]) -> list[Raised]:
    """Return the Stokes parameters whose noise level stands out at some wavelengths.

    How the noise of Q, U and V differs follows from how well each is modulated, and from the number of photons: the first is the same at
    all wavelengths of a line, the second for all three. So the ratio of two levels changes along the line only where one of them is wrong.

    Parameters
    ----------
    levels : mapping
        rms of the noise by Stokes parameter and place of the wavelength. Fewer than three Stokes parameters or wavelengths tell nothing.
    """
    letters = sorted({letter for letter, _ in levels})
    places = sorted({place for _, place in levels})
    if len(letters) < 3 or len(places) < 3 or len(levels) < len(letters) * len(places):
        return []
    sigma = np.array([[levels[letter, place] for place in places] for letter in letters])
    found = []
    for row, letter in enumerate(letters):
        # What is wrong is wrong upwards: the quarter of the wavelengths with the least is right, and so is the least of two ratios.
        ratios = sigma[row] / np.delete(sigma, row, axis=0)
        ratio = (ratios / np.quantile(ratios, 0.25, axis=1, method="lower", keepdims=True)).min(axis=0)
        high = np.flatnonzero(ratio > STANDS_OUT)
        if high.size:
            found.append(Raised(letter, tuple(places[place] for place in high), float(np.median(ratio[high]))))
    return found
