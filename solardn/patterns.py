"""Patterns of a map's power spectrum that no simulated noise has: an end at low frequencies, fringes, stripes along an axis.

All from one Fourier transform of the map, tapered (Hann) and normalised so that white noise of variance 1 has power 1 everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .spectrum import Array
from .sums import sums

LARGEST = 1024
"""Pixels along a side of the part in the middle of a map that is looked at."""

LOWEST_END = 0.14
"""Spatial frequency, cycles/px, below which noise in training does not end."""

LEFT = 1e-6
"""Part of a map's variance beyond that frequency from which on it holds noise there: signals of 45 times the noise leave 6e-5."""

STRONG = 0.5
"""Amplitude of fringes, or rms of offsets of rows or columns, in units of the noise, that training does not reach (0.25 and 0.3)."""

WEAK = 10.0
"""rms of a map in units of its noise up to which its axes tell offsets: the edges of stronger signals lie there too."""

_COARSE = 0.06  # cycles/px, below which signals make peaks of their own


def power_of(data: NDArray[np.floating]) -> Array | None:
    """Return the power of the middle of a map as of ``fft2``; None where it is small or holds pixels without value."""
    height, width = (min(length, LARGEST) for length in data.shape)
    top, left = ((whole - part) // 2 for whole, part in zip(data.shape, (height, width), strict=True))
    part = data[top : top + height, left : left + width].astype(np.float64)
    if min(part.shape) < 64 or not np.isfinite(part).all():
        return None
    taper = np.outer(np.hanning(height), np.hanning(width))
    part = (part - (part * taper).sum() / taper.sum()) * taper
    return np.asarray(np.abs(np.fft.fft2(part)) ** 2 / (taper**2).sum())


def strange(data: NDArray[np.floating], sigma: float) -> list[str]:
    """Return what is unlike training in the power spectrum of a map, in words.

    Parameters
    ----------
    data : (y, x) array
    sigma : float
        rms of its noise.
    """
    power = power_of(data)
    if power is None or not power.any():
        return []
    ky, kx = np.fft.fftfreq(power.shape[0])[:, None], np.fft.fftfreq(power.shape[1])[None]
    k = np.hypot(ky, kx)
    if power[k > LOWEST_END].sum() < LEFT * power.sum():
        return [
            f"has no power beyond {LOWEST_END} cycles/px, so its pixels are finer than what it resolves (re-bin it), or it holds no noise at all"
        ]
    found = []
    amplitude, period = _fringe(power, k, sigma)
    if amplitude > STRONG:
        found.append(
            f"holds fringes of {amplitude:.1f} σ every {period:.1f} px, stronger than any in training; take them out before"
        )
    weak = sums(np.isfinite(data), data).deviation(0) < WEAK * sigma
    for name, line in (("rows", power[:, 0]), ("columns", power[0])):
        offsets = _offsets(line, power, k)
        if weak and offsets > STRONG * sigma:
            found.append(
                f"holds {name} offset by {offsets / sigma:.1f} σ, more than any in training; take the offsets out before"
            )
    return found


def _fringe(power: Array, k: Array, sigma: float) -> tuple[float, float]:
    """Return amplitude in units of the noise, and period in pixels, of the strongest peak that stands alone; 0 and 0 without one."""
    inside = np.where(k > _COARSE, power, 0.0)
    inside[:2], inside[-1:], inside[:, :2], inside[:, -1:] = 0, 0, 0, 0  # the axes hold offsets of rows and columns
    y, x = np.unravel_index(int(np.argmax(inside)), power.shape)
    around = power[np.ix_(np.arange(y - 5, y + 6) % power.shape[0], np.arange(x - 5, x + 6) % power.shape[1])].copy()
    peak = float(around[3:8, 3:8].sum())
    around[3:8, 3:8] = 0
    if peak < 10 * around.sum():
        return 0.0, 0.0
    return 2 * float(np.sqrt(peak / power.size)) / sigma, 1 / float(k[y, x])


def _offsets(line: Array, power: Array, k: Array) -> float:
    """Return the rms of offsets along an axis of the frequency plane: what lies on it beyond what lies beside it."""
    frequency = np.fft.fftfreq(len(line))
    fine = np.abs(frequency) > 2 * _COARSE
    beside = np.median(power[k > 2 * _COARSE]) / np.log(2)  # the mean of an exponential distribution
    excess = np.median(line[fine]) / np.log(2) - beside
    return float(np.sqrt(max(0.0, excess) * len(line) / power.size))
