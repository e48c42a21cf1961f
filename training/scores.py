"""What is measured of one result, and means over many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Case, Maps

Map = NDArray[np.float32]
EDGE = 16
"""Width in pixels of the frame that counts as the map's edge."""
RINGS = np.linspace(0, 0.5, 17)
"""Borders, in cycles/px, of the rings in which power spectra are compared."""


@dataclass(frozen=True)
class Score:
    """How good one result is, in units of the noise rms.

    Attributes
    ----------
    error : float
        rms(result − truth).
    frame, middle : float
        The same in the outermost `EDGE` pixels, and in the rest.
    output : float
        rms(result).
    weak : tuple of float
        Over the pixels where the truth is within ±1: the sum of result · truth, and that of truth².
    leak : float
        Correlation of what was removed with the truth.
    removed, noise : ndarray, shape (rings,)
        Mean power in each of `RINGS` of what was removed, and of the noise.
    """

    error: float
    frame: float
    middle: float
    output: float
    weak: tuple[float, float]
    leak: float
    removed: NDArray[np.float64]
    noise: NDArray[np.float64]


def rms(values: NDArray[np.floating]) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


@lru_cache(maxsize=4)
def frame(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return where the outermost `EDGE` pixels of a map are."""
    inside = np.zeros(shape, bool)
    inside[EDGE:-EDGE, EDGE:-EDGE] = True
    return ~inside


@lru_cache(maxsize=4)
def _labels(shape: tuple[int, int]) -> NDArray[np.intp]:
    k = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    return np.asarray(np.digitize(k, RINGS) - 1)


def ring_power(plane: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean power of a map in each of `RINGS`; 1 for white noise of rms 1."""
    power = np.abs(np.fft.rfft2(plane)) ** 2 / plane.size
    labels = _labels(plane.shape)
    within = labels < len(RINGS) - 1
    counts = np.bincount(labels[within], minlength=len(RINGS) - 1)
    return np.bincount(labels[within], power[within], minlength=len(RINGS) - 1) / counts


def score(maps: Maps, result: Map) -> Score:
    """Return how good a result is."""
    error = result - maps.truth
    outer = frame(maps.truth.shape)
    weak = np.abs(maps.truth) < 1
    removed = maps.noisy - result
    signal = maps.truth - maps.truth.mean()
    spread = rms(removed - removed.mean()) * rms(signal)
    return Score(
        error=rms(error),
        frame=rms(error[outer]),
        middle=rms(error[~outer]),
        output=rms(result),
        weak=(
            float(np.sum((result * maps.truth)[weak], dtype=float)),
            float(np.sum(maps.truth[weak] ** 2, dtype=float)),
        ),
        leak=float(np.mean(removed * signal, dtype=float)) / spread if spread else 0.0,
        removed=ring_power(removed),
        noise=ring_power(maps.noisy - maps.truth),
    )


def geometric(values: Iterable[float]) -> float:
    """Return the geometric mean."""
    return float(np.exp(np.mean(np.log(list(values)))))


def by(scores: dict[Case, Score], what: str) -> dict[str, float]:
    """Return the geometric mean error over the cases with signal for each value of a case's attribute; numbers rise."""
    groups: dict[Any, list[float]] = {}
    for case, one in scores.items():
        if case.snr:
            groups.setdefault(getattr(case, what), []).append(one.error)
    order = sorted(groups) if what == "snr" else list(groups)
    return {f"{key:g}" if what == "snr" else key: geometric(groups[key]) for key in order}
