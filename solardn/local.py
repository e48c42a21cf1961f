"""The noise in each window of a map, from the windows' power spectra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .separation import separate
from .spectrum import CORRELATION, Array, Rings, WindowSpectra, rings

CALM = 0.03
"""Part of the windows that must be without signal for them to speak for the whole map."""

CLASSES = 4
"""Windows with signal are treated in this many classes, by how much of it they hold."""


@dataclass(frozen=True)
class LocalNoise:
    """The noise in each window of a map.

    Attributes
    ----------
    variance : (rows, columns) array
        Variance of the noise in each window.
    spectrum : (rings,) array
        Power of the noise in each ring, for noise of variance 1.
    cutoff : float
        Spatial frequency at which the noise has half its power, cycles/px; infinite for white noise.
    quiet : float
        Part of the windows, 0 to 1, that hold no signal beyond the noise.
    band : (float, float)
        Spatial frequencies between which noise rules in the quiet windows, cycles/px.
    """

    variance: Array
    spectrum: Array
    cutoff: float
    quiet: float
    band: tuple[float, float]


def local_noise(spectra: WindowSpectra) -> LocalNoise:
    """Find the noise in each window.

    Parameters
    ----------
    spectra : WindowSpectra
        At least one of them used.
    """
    ring = rings(spectra.size)
    power, robust = spectra.power[spectra.used], spectra.robust[spectra.used]
    quiet, redness, level, calm = _quiet_windows(robust, ring, spectra.size)
    mean = power[quiet].sum(axis=0) / level[quiet].sum()
    found = separate(mean, spectra.size, int(quiet.sum()))
    share, band = found.share, found.ruled
    # The noise as measured where it rules, as matched elsewhere; it cannot be more than all there is.
    noise = np.minimum(share**2 * mean + share * found.signal, mean)
    level = (power[:, band] @ (share * ring.counts)[band]) / (noise[band] @ ring.counts[band])
    # Where noise rules each quiet window's own spectrum counts, for that of real noise changes over the field.
    variance = power @ (share**2 * ring.area) + level * ((share * found.signal) @ ring.area)
    heavier = power[quiet][:, band].sum() / robust[quiet][:, band].sum()  # than for Gaussian noise of one strength
    known = quiet.copy()
    freely = variance.copy()
    louder = np.argsort(redness)
    for part in np.array_split(louder[~quiet[louder]], CLASSES):
        if len(part):
            variance[part], known[part] = _under_signal(robust[part] * heavier, ring, spectra.size, noise)
            freely[part], _ = _under_signal(robust[part] * heavier, ring, spectra.size)
    if calm >= CALM:
        # Three views of the noise under a signal: with the spectrum of the quiet windows, with one of its own, as in the
        # nearest quiet windows. Sharp signals pass for noise in part, so it is no stronger than in the noisiest quiet ones.
        nearest = _filled(_placed(variance, spectra.used), _placed(quiet, spectra.used))[spectra.used]
        middle = np.median([variance, freely, nearest], axis=0)
        variance = np.where(quiet, variance, np.minimum(middle, np.quantile(variance[quiet], 0.95)))
        known[:] = True
    # It divides residuals: nowhere nothing, nor where most of a map is empty.
    variance = np.maximum(variance, max(0.01 * float(np.median(variance)), 1e-6 * float(variance.max())))
    return LocalNoise(
        variance=_filled(_placed(variance, spectra.used), _placed(known, spectra.used)),
        spectrum=noise / (noise @ ring.area),
        cutoff=found.cutoff,
        quiet=calm,
        band=(float(ring.k[band][0]), float(ring.k[band][-1])),
    )


def _quiet_windows(power: Array, ring: Rings, size: int) -> tuple[NDArray[np.bool_], Array, Array, float]:
    """Return which windows hold the least signal, the power of each below the noise's band and in it, and how many hold none."""
    least = min(len(power), max(4, len(power) // 10))
    middle, low = (ring.k > 0.1) & (ring.k < 0.19), ring.k < 0.09
    level = power[:, middle] @ ring.counts[middle]
    redness = np.log(power[:, low] @ ring.counts[low]) - 0.7 * np.log(level)
    quiet = redness <= np.sort(redness)[least - 1]
    for _ in range(3):
        found = separate(power[quiet].sum(axis=0) / level[quiet].sum(), size, int(quiet.sum()))
        band = found.ruled
        low = _below(band)
        level = (power[:, band] @ ring.counts[band]) / ((found.noise + found.signal)[band] @ ring.counts[band])
        redness = (power[:, low] @ ring.counts[low]) / (found.noise[low] @ ring.counts[low]) / level
        limit = 1 + 2.5 * np.sqrt(CORRELATION / ring.counts[low].sum() + CORRELATION / ring.counts[band].sum())
        quiet = redness < max(limit, np.sort(redness)[least - 1] * (1 + 1e-9))
    return quiet, redness, level, float(np.mean(redness < limit))


def _below(band: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the rings below a band, the lowest three at least."""
    return np.arange(len(band)) < max(3, int(np.argmax(band)))


def _under_signal(power: Array, ring: Rings, size: int, noise: Array | None = None) -> tuple[Array, bool]:
    """Return the noise's variance in windows with signal, its spectrum given or not, and whether enough of it shows."""
    mean = power.mean(axis=0)
    found = separate(mean, size, len(power), noise)
    noise = found.noise if noise is None else noise
    band = found.ruled
    low = _below(band)
    signal = (power[:, low] @ ring.counts[low]) / (mean[low] @ ring.counts[low])
    level = power[:, band] @ ring.counts[band] - signal * (found.signal[band] @ ring.counts[band])
    variance = np.maximum(level, 0) / (noise[band] @ ring.counts[band]) * (noise @ ring.area)
    return variance, bool(found.share[band].mean() > 0.6)


def _placed(values: NDArray[Any], used: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the values of the windows used on the grid of all windows, zeros elsewhere."""
    grid = np.zeros(used.shape, values.dtype)
    grid[used] = values
    return grid


def _filled(variance: Array, known: NDArray[np.bool_]) -> Array:
    """Return `variance` with what is not known replaced by means of what is, from as near as possible."""
    result, done = np.where(known, variance, 0.0), known.copy()
    width = 0.7
    while not done.all():
        total, weight = result * known, known.astype(float)
        for axis in (0, 1):
            place = np.arange(known.shape[axis])
            kernel = np.exp(-0.5 * ((place[:, None] - place) / width) ** 2)
            total, weight = (np.moveaxis(np.tensordot(kernel, part, (1, axis)), 0, axis) for part in (total, weight))
        near = ~done if width > 2 * max(known.shape) else (weight > 0.3 * width**2) & ~done
        result[near] = total[near] / weight[near]
        done |= near
        width *= 1.6
    return result
