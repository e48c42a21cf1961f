"""A simulated observation with known truth, for a first try: Stokes I, Q, U, V of an active region over a spectral line and time.

Made of random fields and a line in the weak-field limit, by nothing but numpy and astropy; it has no part in the training of networks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NOISE = 2e-3
"""rms of the noise, in units of the continuum intensity."""

TIMES = 3
"""Scans of the line, one after the other."""

SIZE = 256  # pixels
CADENCE = 30.0  # seconds
_CUTOFF = 0.3  # cycles a pixel: the telescope's diffraction limit
OFFSETS = np.array([-0.21, -0.105, 0.0, 0.105, 0.21])  # Å from the centre of the line
_WIDTH = 0.12  # Å


def truth(seed: int = 1) -> Array:
    """Return Stokes maps without noise.

    Parameters
    ----------
    seed : int
        Of the random fields.

    Returns
    -------
    ndarray of float64
        Shape (time; stokes I, Q, U, V; wavelength; y, x), in units of the continuum intensity.
    """
    return np.stack([_scan(np.random.default_rng(seed), time) for time in range(TIMES)])


def _scan(rng: np.random.Generator, time: int) -> Array:
    """Return the Stokes maps (stokes, wavelength, y, x) of one scan: fine structure changes with time, and the poles move apart."""

    def evolving(scale: float, steepness: float, pace: float) -> Array:
        now, later = _field(rng, scale, steepness), _field(rng, scale, steepness)
        return np.asarray(np.cos(pace * time) * now + np.sin(pace * time) * later)

    granules = evolving(7, 1.0, 0.4)
    network = np.clip(np.abs(evolving(18, 2.0, 0.05)) - 0.9, 0, None) * np.sign(_field(rng, 60, 2.0))
    fibrils = evolving(3, 1.0, 0.2) * np.clip(_field(rng, 40, 2.0), 0, None)
    apart = 0.002 * time
    field = _monopole(0.42, 0.4 - apart, 24, 1400) + _monopole(
        0.7, 0.66 + apart, 13, -900
    )  # gauss along x, y and the line of sight
    field[2] += 200 * network + 20 * fibrils
    for direction in (0, 1):
        field[direction] += 120 * evolving(10, 1.0, 0.1) * np.abs(network) + 60 * fibrils * _field(rng, 30, 2.0)
    across, angle = np.hypot(field[0], field[1]), np.arctan2(field[1], field[0])
    umbra = np.clip((np.abs(field[2]) - 500) / 900, 0, 1)
    depth = 0.6 + 0.05 * granules
    continuum = 1 + 0.06 * granules * (1 - umbra) - 0.7 * umbra
    shape = np.exp(-((OFFSETS[:, None, None] / _WIDTH) ** 2))
    slope = 2 * OFFSETS[:, None, None] / _WIDTH**2 * shape * depth
    curvature = (4 * OFFSETS[:, None, None] ** 2 / _WIDTH**2 - 2) / _WIDTH**2 * shape * depth
    splitting = 4.4e-5  # Å a gauss, at 6173 Å with a Landé factor of 2.5
    linear = 0.25 * (splitting * across) ** 2 * curvature
    maps = [
        1 - depth * shape,
        linear * np.cos(2 * angle),
        linear * np.sin(2 * angle),
        splitting * field[2] * slope,
    ]
    return _limited(continuum * np.stack(maps))


def noise(shape: tuple[int, ...], seed: int = 2) -> Array:
    """Return noise as restored observations have it: nothing beyond the telescope's limit, and more of it here than there.

    Parameters
    ----------
    shape : tuple of int
        Its last two axes are y and x.
    seed : int
    """
    rng = np.random.default_rng(seed)
    white = _limited(rng.standard_normal(shape))
    level = 1 + 0.25 * _field(rng, 60, 2.0)
    field = white / white.std() * np.clip(level, 0.5, 1.6)
    return np.asarray(NOISE * field / field.std())


def _field(rng: np.random.Generator, scale: float, steepness: float) -> Array:
    """Return a smooth random map of rms 1 with structure of about `scale` pixels."""
    frequency = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.fftfreq(SIZE)[None])
    amplitude = (1 + (frequency * scale) ** 2) ** (-1 - steepness)
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((SIZE, SIZE))) * amplitude).real
    field -= field.mean()
    return np.asarray(field / field.std())


def _limited(maps: Array) -> Array:
    """Return maps without the frequencies that the telescope cannot see."""
    frequency = np.hypot(np.fft.fftfreq(maps.shape[-2])[:, None], np.fft.fftfreq(maps.shape[-1])[None])
    return np.asarray(np.fft.ifft2(np.fft.fft2(maps) * (frequency < _CUTOFF)).real)


def _monopole(y: float, x: float, depth: float, peak: float) -> Array:
    """Return the field of a pole under the surface: (along x, along y, along the line of sight; y; x), in gauss."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    away = np.stack([columns - x * SIZE, rows - y * SIZE, np.full((SIZE, SIZE), depth)])
    return np.asarray(peak * depth**2 * away / (away**2).sum(0) ** 1.5)
