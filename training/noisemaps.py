"""Noisy maps whose noise is known at every pixel: what the two small networks for the noise level learn from."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from . import noise
from .bank import SIZE
from .fields import Field, Rng, coloured, frequencies, log_uniform, sigmoid


def ends(rng: Rng, size: int) -> Field:
    """Return noise that ends at a low cut-off, often sharply: where it looks most like a smooth signal."""
    ky, kx = frequencies(size)
    angle = rng.uniform(0, np.pi)
    stretch = log_uniform(rng, 0.75, 1.33) if rng.random() < 0.4 else 1.0
    along, across = ky * np.sin(angle) + kx * np.cos(angle), ky * np.cos(angle) - kx * np.sin(angle)
    relative = np.hypot(along * stretch, across / stretch) / log_uniform(rng, 0.15, 0.5)
    sharp = rng.random() < 0.5
    amplitude = (relative <= 1) if sharp else sigmoid((1 - relative) / log_uniform(rng, 0.01, 0.15))
    return coloured(rng, size, amplitude.astype(np.float32))


def signal(rng: Rng, truths: Field) -> Field:
    """Return a truth of rms 1; often seen from nearer, so that smooth structure fills the map."""
    field = np.array(truths[rng.integers(len(truths))])
    kind = rng.random()
    if kind < 0.3:
        factor = rng.uniform(1.1, 3)
        part = int(SIZE / factor) + 2
        y, x = rng.integers(0, SIZE - part + 1, 2)
        field = ndimage.zoom(field[y : y + part, x : x + part], factor, order=3)[:SIZE, :SIZE]
        field = np.pad(field, [(0, SIZE - length) for length in field.shape], mode="symmetric")
    elif kind < 0.45:
        field = ndimage.gaussian_filter(field, log_uniform(rng, 0.5, 2.5))
    if rng.random() < 0.2:
        other = truths[rng.integers(len(truths))]
        field = field + log_uniform(rng, 0.03, 0.5) * other
    if rng.random() < 0.5:
        field = field.T
    if rng.random() < 0.5:
        field = field[::-1]
    return np.asarray(field / max(float(np.sqrt((field.astype(float) ** 2).mean())), 1e-9), np.float32)


def example(rng: Rng, truths: Field, least: float = 0.15, most: float = 32) -> tuple[Field, Field, float]:
    """Draw a noisy map.

    Parameters
    ----------
    truths : ndarray, shape (fields, y, x)
        A bank of truths (`training.bank`).
    least, most : float
        Bounds of signal rms over noise rms; one map of 20 holds no signal.

    Returns
    -------
    field, sigma : (y, x) arrays
        The map, and the rms of its noise at every pixel, 1 over the map.
    snr : float
        rms of the signal over that of the noise.
    """
    snr = 0.0 if rng.random() < 0.05 else log_uniform(rng, least, most)
    if rng.random() < 0.45:
        even, amplitude = ends(rng, SIZE), np.ones((SIZE, SIZE), np.float32)
        if rng.random() < 0.35:
            amplitude = noise.uneven(rng, SIZE)
    else:
        even, amplitude = noise.parts(rng, SIZE)
    sigma = amplitude / np.sqrt(np.mean(amplitude**2))
    field = even * amplitude / max(float(np.sqrt(np.mean((even * amplitude) ** 2))), 1e-12)
    if snr:
        field = field + snr * signal(rng, truths)
    if rng.random() < 0.07:
        field = field + noise.blemishes(rng, SIZE)  # what instruments add is no noise
    return field.astype(np.float32), sigma.astype(np.float32), snr
