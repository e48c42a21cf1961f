"""What is found of the noise of a map: its strength in windows and so at every pixel, its spectrum, and maps of noise alike."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .spectrum import Array

Part = tuple[slice | NDArray[np.intp], slice | NDArray[np.intp]]
"""Rows and columns of a map, as slices or their numbers."""

WHOLE: Part = (slice(None), slice(None))


@dataclass(frozen=True)
class NoiseEstimate:
    """The noise of one map.

    Attributes
    ----------
    sigma : float
        rms of the noise over the map, in the map's units.
    rms : float
        Of the whole map, signal and noise, about its mean.
    size : int
        Height and width of the windows, pixels.
    coarse : (rows, columns) array
        rms of the noise in each window.
    rows, columns : arrays
        Centres of the windows, pixels.
    cutoff : float
        Spatial frequency at which the noise has half its power, cycles/px; infinite for white noise.
    k, spectrum, area : (rings,) arrays
        Spatial frequencies, cycles/px; the power of the noise there (white noise of rms σ has σ² everywhere); the part of the
        frequency plane each stands for.
    quiet : float
        Part of the windows, 0 to 1, that hold no signal beyond the noise.
    method : str
        How the value was found, for people.
    """

    sigma: float
    rms: float
    size: int
    coarse: Array = field(repr=False)
    rows: Array = field(repr=False)
    columns: Array = field(repr=False)
    cutoff: float
    k: Array = field(repr=False)
    spectrum: Array = field(repr=False)
    area: Array = field(repr=False)
    quiet: float
    method: str


def known(values: ArrayLike) -> Array:
    """Return levels of noise without the digits that depend on how many processors a library adds on.

    20 bits are left, one part in a million: the level is known to some per cent. A factor that is a power of two stays exact.
    """
    mantissa, exponent = np.frexp(np.asarray(values, np.float64))
    return np.asarray(np.ldexp(np.round(np.ldexp(mantissa, 20)), exponent - 20))


def spread(found: NoiseEstimate, shape: tuple[int, ...], part: Part = WHOLE) -> Array:
    """Return the noise of the windows at every pixel of a map of this shape, or of a part of it, interpolated between their centres."""
    y, x = (np.arange(length)[one] for length, one in zip(shape, part, strict=True))
    along_x = np.array([np.interp(x, found.columns, line) for line in found.coarse])
    lower = np.clip(np.searchsorted(found.rows, y, side="right") - 1, 0, max(0, len(found.rows) - 2))
    upper = np.minimum(lower + 1, len(found.rows) - 1)
    share = np.clip((y - found.rows[lower]) / np.maximum(found.rows[upper] - found.rows[lower], 1), 0, 1)[:, None]
    return np.asarray((1 - share) * along_x[lower] + share * along_x[upper])


def sample(found: NoiseEstimate, shape: tuple[int, int], seed: int) -> Array:
    """Return a map of Gaussian noise with the spectrum, and the strength at every pixel, that were found.

    Parameters
    ----------
    found : NoiseEstimate
        Of a map.
    shape : (int, int)
        Height and width of that map, pixels.
    seed : int
        The same seed gives the same noise.
    """
    k = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    transfer = np.sqrt(np.interp(k, found.k, found.spectrum))
    white = np.random.default_rng(seed).standard_normal(shape)
    shaped = np.fft.irfft2(np.fft.rfft2(white) * transfer, s=shape)
    return np.asarray(shaped / shaped.std() * spread(found, shape))
