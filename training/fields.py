"""Random fields from which truths and noises are composed: all of shape (size, size), float32, drawn from a generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, spatial

Field = NDArray[np.float32]
Rng = np.random.Generator


def frequencies(size: int) -> tuple[Field, Field]:
    """Return the frequencies (cycles/px) along y and x of a real transform, of shapes (size, 1) and (1, size // 2 + 1)."""
    return (
        np.fft.fftfreq(size).astype(np.float32)[:, None],
        np.fft.rfftfreq(size).astype(np.float32)[None, :],
    )


def standard(field: Field) -> Field:
    """Return a field with mean 0 and rms 1 (a constant field becomes 0)."""
    field = field - field.mean()
    return (field / max(float(field.std()), 1e-12)).astype(np.float32)


def sigmoid(x: Field) -> Field:
    """Return the logistic function of a field, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), np.float32)


def coloured(rng: Rng, size: int, amplitude: Field) -> Field:
    """Return Gaussian noise whose Fourier amplitudes follow ``amplitude``, of shape (size, size // 2 + 1)."""
    white = fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    return np.asarray(fft.irfft2(white * amplitude, s=(size, size)), np.float32)


def random_field(rng: Rng, size: int, slope: float, outer: float | None = None, inner: float = 0.0) -> Field:
    """Return a Gaussian random field with power falling as k**-slope.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    size : int
        Height and width in pixels.
    slope : float
        Exponent of the power spectrum.
    outer : float, optional
        Scale in pixels above which the spectrum is flat; the map's size when not given.
    inner : float
        Scale in pixels below which the spectrum is cut with a Gaussian; 0 for none.
    """
    ky, kx = frequencies(size)
    k2 = ky**2 + kx**2
    amplitude = (k2 + 1.0 / (outer or size) ** 2) ** (-slope / 4)
    if inner:
        amplitude *= np.exp(-0.5 * k2 * inner**2)
    return standard(coloured(rng, size, amplitude))


def smooth(rng: Rng, size: int, scale: float) -> Field:
    """Return a smooth random field of one typical scale in pixels."""
    return random_field(rng, size, 0.0, inner=scale * 2)


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform between the two bounds."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def warped(rng: Rng, field: Field, strength: float, scale: float) -> Field:
    """Return the field with its coordinates displaced by a smooth random flow of ``strength`` pixels rms."""
    size = field.shape[0]
    y, x = np.mgrid[:size, :size].astype(np.float32)
    y += strength * smooth(rng, size, scale)
    x += strength * smooth(rng, size, scale)
    return np.asarray(ndimage.map_coordinates(field, [y, x], order=1, mode="grid-wrap"), np.float32)


def cell_distances(rng: Rng, size: int, cell: float) -> tuple[Field, Field]:
    """Return, for cells of a random Voronoi tessellation of a typical width, the distances to the nearest and next nearest seed."""
    count = max(3, round((size / cell + 2) ** 2))
    seeds = rng.uniform(-cell, size + cell, (count, 2))
    y, x = np.mgrid[:size, :size].astype(np.float32)
    bend = log_uniform(rng, 0.02, 0.3) * cell
    y += bend * smooth(rng, size, cell / 2)
    x += bend * smooth(rng, size, cell / 2)
    distance, _ = spatial.cKDTree(seeds).query(np.stack([y.ravel(), x.ravel()], axis=1), k=2)
    first, second = (distance[:, i].reshape(size, size).astype(np.float32) for i in range(2))
    return first, second


def oriented(rng: Rng, size: int, width: float, length: float) -> Field:
    """Return a texture of parallel threads, ``width`` px across and ``length`` px along, at a random angle, bent by a smooth flow."""
    ky, kx = frequencies(size)
    angle = rng.uniform(0, np.pi)
    along = ky * np.sin(angle) + kx * np.cos(angle)
    across = ky * np.cos(angle) - kx * np.sin(angle)
    amplitude = np.exp(-((along * length) ** 2) - (across * width) ** 2)
    amplitude *= (across**2 + (0.25 / length) ** 2) ** rng.uniform(-0.5, 0.25)
    threads = standard(coloured(rng, size, amplitude.astype(np.float32)))
    return warped(rng, threads, strength=rng.uniform(0, 0.7) * length, scale=length * rng.uniform(1, 3))


def lines(rng: Rng, size: int, scale: float, width: float) -> Field:
    """Return thin winding lines of a given width in pixels: the zero level of a random field."""
    level = random_field(rng, size, 4.0, outer=scale, inner=width)
    slope = np.hypot(*np.gradient(level)) + 1e-4
    return np.asarray(np.exp(-0.5 * (level / slope / width) ** 2), np.float32)


def points(rng: Rng, size: int, count: int, width: tuple[float, float]) -> Field:
    """Return isolated elements: elliptical Gaussians of random width (px), orientation, sign and log-normal strength."""
    field = np.zeros((size, size), np.float32)
    for _ in range(count):
        cy, cx = rng.uniform(0, size, 2)
        major = log_uniform(rng, *width)
        minor = major * rng.uniform(0.5, 1)
        reach = int(4 * major) + 2
        y0, y1, x0, x1 = max(0, int(cy) - reach), int(cy) + reach, max(0, int(cx) - reach), int(cx) + reach
        y, x = np.mgrid[y0 : min(y1, size), x0 : min(x1, size)].astype(np.float32)
        angle = rng.uniform(0, np.pi)
        along = (y - cy) * np.sin(angle) + (x - cx) * np.cos(angle)
        across = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        strength = rng.choice([-1, 1]) * np.exp(rng.normal(0, 0.8))
        field[y0 : min(y1, size), x0 : min(x1, size)] += strength * np.exp(
            -0.5 * ((along / major) ** 2 + (across / minor) ** 2)
        )
    return field
