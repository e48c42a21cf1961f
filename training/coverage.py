"""How honest a network's standard deviations are: how often the truth lies within them, and how they follow the error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.floating]
NOMINAL = {1: 0.6827, 2: 0.9545, 3: 0.9973}
"""Part of a Gaussian within so many standard deviations."""
WITHIN = {1: 0.04, 2: 0.02}
"""How far the parts within 1 and 2 σ may be from those of a Gaussian."""
_STEP, _MOST = 0.01, 8.0
_SIGMAS = np.geomspace(0.01, 10, 46)
"""Borders of the bins of σ, in units of the noise rms."""
_PIXELS = ("all", "weak", "strong")


@dataclass(frozen=True)
class Counts:
    """What was counted; of several maps, the sum.

    Attributes
    ----------
    ratios : ndarray, shape (3, bins)
        Pixels by the size of error / σ, in bins of 0.01: all, weak ones (truth within ±1), strong ones (truth beyond ±3).
    pixels, squares, variances : ndarray, shape (bins of σ,)
        For each bin of σ: pixels, sum of squared errors, sum of σ².
    """

    ratios: NDArray[np.float64]
    pixels: NDArray[np.float64]
    squares: NDArray[np.float64]
    variances: NDArray[np.float64]

    def __add__(self, other: Counts) -> Counts:
        """Count both together."""
        return Counts(
            self.ratios + other.ratios,
            self.pixels + other.pixels,
            self.squares + other.squares,
            self.variances + other.variances,
        )


def count(truth: Map, mean: Map, sigma: Map) -> Counts:
    """Count the pixels of a map (y, x), all in units of the noise rms.

    Parameters
    ----------
    truth, mean : ndarray, shape (y, x)
        What is and what was found.
    sigma : ndarray, shape (y, x)
        Standard deviation of what was found.
    """
    error = np.abs(np.asarray(mean, np.float64) - truth)
    ratio = np.minimum(error / sigma, _MOST - _STEP / 2)
    strength = np.abs(truth)
    chosen = (np.ones(truth.shape, bool), strength < 1, strength > 3)
    bins = np.arange(0, _MOST + _STEP / 2, _STEP)
    ratios = np.stack([np.histogram(ratio[pixels], bins)[0] for pixels in chosen]).astype(float)
    place = np.clip(np.digitize(sigma, _SIGMAS) - 1, 0, len(_SIGMAS) - 2).ravel()
    weights = (None, np.square(error).ravel(), np.square(sigma, dtype=np.float64).ravel())
    return Counts(ratios, *(np.bincount(place, w, minlength=len(_SIGMAS) - 1).astype(float) for w in weights))


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sum."""
    return reduce(add, counts)


def within(counts: Counts, k: float, pixels: str = "all") -> float:
    """Return the part of pixels whose truth lies within ``k`` standard deviations; NaN without any pixels.

    Parameters
    ----------
    counts : Counts
    k : float
    pixels : {"all", "weak", "strong"}
    """
    ratios = counts.ratios[_PIXELS.index(pixels)]
    if not ratios.sum():
        return float("nan")
    return float(
        np.interp(k, np.arange(len(ratios) + 1) * _STEP, np.concatenate([[0], np.cumsum(ratios)])) / ratios.sum()
    )


def miss(parts: Mapping[int, Any]) -> Any:
    """Return how far coverage is from that of a Gaussian: the larger miss within 1 and 2 σ, in units of what is allowed.

    Parameters
    ----------
    parts : mapping
        For 1 and 2, the part of the pixels within so many σ; or several such parts.
    """
    return np.max([np.abs(np.asarray(parts[k]) - NOMINAL[k]) / WITHIN[k] for k in WITHIN], axis=0)


def best_factor(part: Callable[[NDArray[np.float64]], Any]) -> float:
    """Return the factor on σ with which the `miss` is least, from 0.25 to 4; ``part`` gives the parts within numbers of σ."""
    candidates = np.geomspace(0.25, 4, 1601)
    return float(candidates[int(np.argmin(miss({k: part(k * candidates) for k in WITHIN})))])


def factor(counts: Counts) -> float:
    """Return the factor that would make σ right, see `best_factor`."""
    return best_factor(lambda sigmas: np.array([within(counts, k) for k in sigmas]))


def reliability(counts: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rms σ and rms error in each bin of σ that holds at least a thousandth of the pixels."""
    used = counts.pixels >= 1e-3 * counts.pixels.sum()
    pixels = counts.pixels[used]
    return np.sqrt(counts.variances[used] / pixels), np.sqrt(counts.squares[used] / pixels)


def report(groups: dict[str, dict[str, Counts]], everything: Counts) -> dict[str, Any]:
    """Return what was counted, as JSON.

    Parameters
    ----------
    groups : dict
        Counts by kind of group (``noise``, ``snr``), then by group.
    everything : Counts
        Their sum.

    Returns
    -------
    dict
        ``within``: part of the pixels within 1, 2 and 3 σ: all, weak, strong (null without any), and by group. ``factor``: what would make it right.
        ``correlation``: of rms σ and rms error over bins of σ. ``reliability``: these bins.
    """

    def three(counts: Counts, pixels: str = "all") -> list[float] | None:
        found = [within(counts, k, pixels) for k in NOMINAL]
        return None if np.isnan(found[0]) else found

    sigma, error = reliability(everything)
    return {
        "within": {
            **{pixels: three(everything, pixels) for pixels in _PIXELS},
            **{kind: {name: three(counts) for name, counts in found.items()} for kind, found in groups.items()},
        },
        "factor": factor(everything),
        "correlation": float(np.corrcoef(sigma, error)[0, 1]) if len(sigma) > 1 else None,
        "reliability": {"sigma": sigma.tolist(), "error": error.tolist()},
    }
