"""The noise of solar observations, as the networks meet it: rms 1 over a map, of any spectrum and uneven over the field."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .fields import Field, Rng, coloured, frequencies, log_uniform, random_field, sigmoid, smooth


def white(rng: Rng, size: int) -> Field:
    """White noise, as of slit spectrographs and raw frames."""
    return rng.standard_normal((size, size), dtype=np.float32)


def band_limited(rng: Rng, size: int) -> Field:
    """Noise that ends at a cut-off of 0.15 to 0.7 cycles/px, sharply or softly, as image restoration and interpolation leave it.

    The disc is slightly elliptical; inside it the spectrum is flat, or rises or falls a little.
    """
    ky, kx = frequencies(size)
    angle, stretch = rng.uniform(0, np.pi), log_uniform(rng, 0.8, 1.25)
    along = ky * np.sin(angle) + kx * np.cos(angle)
    across = ky * np.cos(angle) - kx * np.sin(angle)
    k = np.hypot(along * stretch, across / stretch)
    relative = k / rng.uniform(0.15, 0.7)
    amplitude = sigmoid((1 - relative) / log_uniform(rng, 0.01, 0.3))
    if rng.random() < 0.4:
        amplitude *= (relative + 0.1) ** rng.uniform(-0.4, 0.7)
    return coloured(rng, size, amplitude)


def blurred(rng: Rng, size: int) -> Field:
    """White noise after a Gaussian kernel or a re-binning, as of smoothed or resampled data."""
    ky, kx = frequencies(size)
    amplitude = np.exp(-2 * (np.pi * np.hypot(ky, kx) * log_uniform(rng, 0.2, 1.2)) ** 2)
    return coloured(rng, size, amplitude)


SPECTRA: dict[Callable[[Rng, int], Field], float] = {white: 0.25, band_limited: 0.65, blurred: 0.1}
"""Kinds of spectrum and how often each is drawn."""


def _rms(field: Field) -> float:
    return max(float(np.sqrt((field**2).mean())), 1e-12)


def uneven(rng: Rng, size: int) -> Field:
    """Return how the amplitude varies over the field: smoothly by factors of up to 3, in blocks of restored patches, or as a few dark structures raise it."""
    kind = rng.random()
    if kind < 0.6:
        return np.asarray(np.exp(rng.uniform(0.05, 0.4) * smooth(rng, size, log_uniform(rng, 15, 100))))
    if kind < 0.8:
        step = int(log_uniform(rng, 24, 96))
        count = size // step + 2
        blocks = np.exp(rng.uniform(0.05, 0.35) * rng.standard_normal((count, count)))
        y0, x0 = rng.integers(0, step, 2)
        return np.kron(blocks, np.ones((step, step)))[y0 : y0 + size, x0 : x0 + size].astype(np.float32)
    # Photon noise of a normalised map grows where the intensity is low.
    dark = sigmoid((random_field(rng, size, 3.5, outer=100) - rng.uniform(0.5, 2)) / log_uniform(rng, 0.05, 0.5))
    return 1 + rng.uniform(0.3, 2) * dark


def blemishes(rng: Rng, size: int) -> Field:
    """Return what instruments add, in units of the noise: weak fringes, column or row offsets, hot pixels."""
    field = np.zeros((size, size), np.float32)
    kind = rng.random()
    if kind < 0.35:
        y, x = np.mgrid[:size, :size].astype(np.float32)
        angle = rng.uniform(0, np.pi)
        phase = 2 * np.pi * (y * np.sin(angle) + x * np.cos(angle)) / log_uniform(rng, 4, 60) + smooth(rng, size, 80)
        field += rng.uniform(0.03, 0.25) * np.sin(phase)
    elif kind < 0.7:
        offsets = rng.uniform(0.03, 0.3) * rng.standard_normal(size).astype(np.float32)
        field += offsets if rng.random() < 0.5 else offsets[:, None]
    else:
        count = int(log_uniform(rng, 1, 30))
        field[tuple(rng.integers(0, size, (2, count)))] = rng.choice([-1, 1], count) * rng.uniform(3, 12, count)
    return field


def parts(rng: Rng, size: int) -> tuple[Field, Field]:
    """Return noise of even strength, and how its amplitude varies over the field (1 where it does not)."""
    kinds = list(SPECTRA)
    field = np.zeros((size, size), np.float32)
    # Now and then a second, weaker spectrum lies under the first: detector noise under a restored one.
    for weight in (1.0, log_uniform(rng, 0.05, 0.5)) if rng.random() < 0.3 else (1.0,):
        part = kinds[rng.choice(len(kinds), p=list(SPECTRA.values()))](rng, size)
        field += weight * part / _rms(part)
    amplitude = uneven(rng, size) if rng.random() < 0.6 else np.ones_like(field)
    return field, amplitude


def draw(rng: Rng, size: int) -> Field:
    """Return one noise field of shape (size, size), float32, rms 1."""
    even, amplitude = parts(rng, size)
    field = even * amplitude
    field /= _rms(field)
    if rng.random() < 0.12:
        field = field + blemishes(rng, size)
        field /= _rms(field)
    return field.astype(np.float32)
