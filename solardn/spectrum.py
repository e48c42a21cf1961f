"""Power spectra of windows of a map, in rings of spatial frequency.

Powers are normalised so that white noise of variance 1 has power 1 in every ring; spatial frequencies are in cycles/px.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST_WINDOWS = 1000
"""Windows taken from one map; larger maps are sampled, which costs no accuracy and keeps the time bounded."""

CORRELATION = 3.8
"""How many frequencies of a Hann window's spectrum carry the information of one independent frequency (two dimensions)."""


@dataclass(frozen=True)
class Rings:
    """The rings into which the half-plane of an ``rfft2`` of size (n, n) is cut.

    Attributes
    ----------
    pixels : (pixels,) array of int
        Flat indices into the half-plane, ring after ring.
    starts, counts : (rings,) arrays of int
        Where each ring begins in `pixels`, and how many pixels it has.
    k : (rings,) array
        Mean spatial frequency of each ring, cycles/px.
    area : (rings,) array
        Part of the frequency plane each ring stands for; they sum to 1, so that Σ power·area is a variance.
    """

    pixels: NDArray[np.intp]
    starts: NDArray[np.intp]
    counts: NDArray[np.intp]
    k: Array
    area: Array

    def mean(self, values: Array) -> Array:
        """Return the mean of `values` (…, pixels) over each ring."""
        return np.add.reduceat(values, self.starts, axis=-1) / self.counts


@lru_cache(maxsize=8)
def rings(n: int) -> Rings:
    """Return the rings for windows of n × n pixels.

    The two axes of the frequency plane are left out beyond the lowest frequencies: column and row offsets, and the edges of
    rectangular fills, put their power there.
    """
    row = np.abs(np.round(np.fft.fftfreq(n) * n).astype(int))[:, None]
    col = np.arange(n // 2 + 1)[None]
    radius = np.hypot(row, col)
    lowest = (radius <= 3) & (radius > 0)
    label = np.round(radius / (1.0 if n <= 16 else 1.5)).astype(int)
    pixels = np.flatnonzero(((row > 1) & (col > 1)) | lowest)
    pixels = pixels[np.argsort(label.ravel()[pixels], kind="stable")]
    starts = np.flatnonzero(np.diff(label.ravel()[pixels], prepend=-1))
    counts = np.diff(starts, append=len(pixels))
    while counts[-1] < 6:  # the corner of the plane has rings of a few pixels only
        starts = starts[:-1]
        counts = np.diff(starts, append=len(pixels))
    k = np.add.reduceat(radius.ravel()[pixels] / n, starts) / counts
    fine = np.fft.fftfreq(256)
    plane = np.hypot(fine[:, None], fine[None])
    area = np.histogram(plane, np.concatenate([[0], (k[1:] + k[:-1]) / 2, [1]]))[0] / plane.size
    return Rings(pixels, starts, counts, k, area)


@lru_cache(maxsize=8)
def hann(n: int) -> Array:
    """Return the n × n Hann window with mean square 1."""
    line = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(n) + 0.5) / n)
    line /= np.sqrt(np.mean(line**2))
    return np.outer(line, line)


@dataclass(frozen=True)
class WindowSpectra:
    """Spectra of the windows of one map.

    Attributes
    ----------
    size : int
        Height and width of a window in pixels.
    rows, columns : arrays of int
        First pixels of the windows; they lie on the grid these two span.
    power : (rows, columns, rings) array
        Mean power in each ring.
    robust : (rows, columns, rings) array
        The same, not raised by edges and filaments; for noise alone equal to `power`.
    used : (rows, columns) array of bool
        Windows with enough valid pixels; the power of the others means nothing.
    """

    size: int
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    power: Array
    robust: Array
    used: NDArray[np.bool_]


def window_grid(shape: tuple[int, ...], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first rows and the first columns of windows that overlap by half; fewer in large maps (`MOST_WINDOWS`)."""
    number = [max(1, int(np.ceil(2 * (length - size) / size)) + 1) for length in shape]
    thin = min(1.0, np.sqrt(MOST_WINDOWS / (number[0] * number[1])))
    rows, columns = (
        np.linspace(0, length - size, max(1, int(count * thin))).round().astype(np.intp)
        for length, count in zip(shape, number, strict=True)
    )
    return rows, columns


def window_spectra(data: NDArray[Any], valid: NDArray[np.bool_], size: int) -> WindowSpectra:
    """Return the power spectra of windows that overlap by half.

    Parameters
    ----------
    data : (y, x) array
        A map, finite where `valid`.
    valid : (y, x) array of bool
        Pixels that hold data.
    size : int
        Height and width of the windows, pixels; at most that of the map.
    """
    rows, columns = window_grid(data.shape, size)
    ring, taper = rings(size), hann(size).astype(data.dtype)  # float32 stays float32: half the work
    power = np.zeros((len(rows), len(columns), len(ring.k)))
    robust = power.copy()
    used = np.zeros((len(rows), len(columns)), bool)
    across = columns[:, None] + np.arange(size)
    for i, row in enumerate(rows):  # a row of windows at a time keeps the memory small
        block = data[row : row + size][:, across].transpose(1, 0, 2)
        good = valid[row : row + size]
        if good.all():
            used[i], weight, share = True, taper, np.ones((1, 1), data.dtype)
            block = block - np.tensordot(block, taper / taper.sum(), 2)[:, None, None]
        else:
            good = good[:, across].transpose(1, 0, 2)
            shares = np.mean((taper * good) ** 2, axis=(1, 2))
            used[i] = shares > 0.5
            if not used[i].any():
                continue
            block, good, share = block[used[i]], good[used[i]], shares[used[i], None]
            weight = taper * good
            block = np.where(good, block, 0)
            block = block - ((block * weight).sum((1, 2)) / weight.sum((1, 2)))[:, None, None]
        unit = float(max(block.max(), -block.min())) or 1.0  # squares of very small values would vanish in float32
        transform = np.fft.rfft2(block * (weight / taper.dtype.type(unit)))
        transform = transform.reshape(len(block), -1)[:, ring.pixels]
        raw = (transform.real**2 + transform.imag**2) / (size**2 * share)
        mean = ring.mean(raw)
        power[i, used[i]] = mean * unit**2
        robust[i, used[i]] = _robust_mean(raw, mean, ring) * unit**2
    return WindowSpectra(size, rows, columns, power, robust, used)


def _robust_mean(raw: Array, plain: Array, ring: Rings, cut: float = 3.0) -> Array:
    """Return means over rings that edges and filaments do not raise: their power lies in few directions.

    The power of noise has an exponential distribution: values beyond `cut` times the mean are left out, and the mean of what is
    left is divided by what it would be for noise.
    """
    kept_mean = 1 - cut * np.exp(-cut) / (1 - np.exp(-cut))
    mean = np.exp(
        ring.mean(np.log(raw + np.finfo(raw.dtype).tiny)) + np.euler_gamma
    )  # the geometric mean, made unbiased
    for _ in range(3):
        keep = raw < np.repeat((cut * mean).astype(raw.dtype), ring.counts, axis=-1)
        mean = ring.mean(raw * keep) / np.maximum(ring.mean(keep.astype(raw.dtype)), 1 / ring.counts) / kept_mean
    return np.minimum(mean, 1.2 * plain)


def window_size(shape: tuple[int, ...]) -> int | None:
    """Return the size of windows, pixels, that suits a map of this shape; None when the map is too small for any."""
    return next((size for least, size in ((192, 64), (48, 32), (16, 16)) if min(shape) >= least), None)


def mean_spectrum(data: Array) -> tuple[Array, Array] | None:
    """Return spatial frequencies, cycles/px, and mean power of a map; None when it is too small or too little of it is finite."""
    size, valid = window_size(data.shape), np.isfinite(data)
    if size is None:
        return None
    spectra = window_spectra(np.where(valid, data, 0), valid, size)
    return (rings(size).k, spectra.power[spectra.used].mean(axis=0)) if spectra.used.any() else None
