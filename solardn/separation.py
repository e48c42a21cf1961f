"""What of a power spectrum is noise, and what is signal.

Noise is flat up to a cut-off, sharp or soft, and may have a white part besides; signals are red: their power falls at least as fast
as k^-2, the faster the nearer the telescope's diffraction limit. The spectrum is matched with every combination of such shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .spectrum import CORRELATION, Array, rings

CUTOFFS = np.concatenate([np.arange(0.14, 0.4, 0.02), np.arange(0.4, 0.76, 0.04)])
"""Spatial frequencies at which the noise has half its power, cycles/px."""

EXPONENTS = (2.5, 5.0, 10.0, 64.0)
"""From soft to sharp: the noise's power is 2^-(k/cutoff)^exponent."""

MODEL_ERROR = 0.05
"""How far, relative to its value, a real spectrum may lie from the best of the shapes."""


@dataclass(frozen=True)
class Separation:
    """The noise and the signal in a power spectrum.

    Attributes
    ----------
    noise, signal : (rings,) arrays
        Power of the noise and of the signal in each ring.
    cutoff : float
        Spatial frequency at which the noise has half its power, cycles/px; infinite for white noise.
    misfit : float
        Mean square deviation of the logarithm of the spectrum in units of what is expected.
    """

    noise: Array
    signal: Array
    cutoff: float
    misfit: float


@lru_cache(maxsize=8)
def _shapes(n: int) -> tuple[Array, Array, Array]:
    """Return the cut-offs, the noise shapes and the signal shapes as rings of windows of n pixels see them."""
    ring = rings(n)
    line = np.fft.fftfreq(n)
    k = np.hypot(line[:, None], line[None])

    def seen(power: Array) -> Array:
        for axis in (0, 1):  # the Hann window spreads power over neighbouring frequencies
            power = 2 / 3 * power + 1 / 6 * (np.roll(power, 1, axis) + np.roll(power, -1, axis))
        return ring.mean(power[:, : n // 2 + 1].ravel()[ring.pixels])

    def aperture(limit: float) -> Array:
        x = np.clip(k / limit, 0, 1)
        transfer = 2 / np.pi * (np.arccos(x) - x * np.sqrt(1 - x * x))
        return np.asarray(transfer**2)

    noise = [(float(c), seen(2.0 ** -((k / c) ** m))) for c in CUTOFFS for m in EXPONENTS] + [
        (np.inf, seen(np.ones_like(k)))
    ]
    red = np.maximum(k, 1 / n)
    signal = [
        seen(red**-p * aperture(limit))
        for p in range(2, 8)
        for limit in (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.2, 10.0)
    ] + [seen(red**-p * np.exp(-((k / width) ** 2))) for p in (0, 2, 4) for width in (0.06, 0.09, 0.12, 0.2)]
    return np.array([c for c, _ in noise]), np.array([s for _, s in noise]), np.array([s / s.mean() for s in signal])


def separate(power: Array, n: int, windows: float) -> Separation:
    """Separate the noise from the signal in a power spectrum.

    Parameters
    ----------
    power : (rings,) array
        Mean power in each ring of `rings(n)`.
    n : int
        Size of the windows, pixels.
    windows : float
        Number of windows the mean is over.
    """
    ring = rings(n)
    cutoffs, noises, signals = _shapes(n)
    # What lies three decades below the middle of the spectrum is not worth matching: it adds nothing to the noise's rms.
    least = 1e-3 * float(np.interp(0.15, ring.k, power)) + np.finfo(float).tiny
    target = power / least + 1
    weight = 1 / (CORRELATION / (ring.counts * max(windows, 1)) + MODEL_ERROR**2)
    weight[ring.k < 1.5 / n] = 0
    weight /= weight.sum()
    first, second = (index.ravel() for index in np.indices((len(noises), len(signals))))
    amplitudes = _amplitudes(target - 1, weight / target**2, noises, signals)
    shapes = np.stack([noises[first], signals[second], np.ones((len(first), len(ring.k)))], axis=1)
    best = np.argsort(_misfit(target, weight, amplitudes, shapes))[:300]
    shapes, amplitudes = shapes[best], np.maximum(amplitudes[best], 1e-9 * target.min())
    for _ in range(60):  # multiplicative updates of maximum likelihood for exponentially distributed power
        model = np.einsum("tc,tcr->tr", amplitudes, shapes) + 1
        amplitudes = amplitudes * np.einsum("tr,tcr->tc", weight * target / model**2, shapes)
        amplitudes /= np.einsum("tr,tcr->tc", weight / model, shapes)
    misfit = _misfit(target, weight, amplitudes, shapes)
    one = int(np.argmin(misfit))
    (flat, red, white), (noise, signal, ones) = amplitudes[one] * least, shapes[one]
    return Separation(flat * noise + white * ones, red * signal, float(cutoffs[first[best[one]]]), float(misfit[one]))


def _misfit(target: Array, weight: Array, amplitudes: Array, shapes: Array) -> Array:
    ratio = target / (np.einsum("tc,tcr->tr", amplitudes, shapes) + 1)
    return np.asarray(2 * ((ratio - np.log(ratio) - 1) * weight).sum(axis=1))


def _amplitudes(target: Array, weight: Array, noises: Array, signals: Array) -> Array:
    """Return the non-negative least-squares amplitudes (noise, signal, white) of every pair of shapes, (pairs, 3)."""
    number = (len(noises), len(signals))
    root = np.sqrt(weight)
    a, b, one, y = noises * root, signals * root, root, target * root
    gram = np.empty((*number, 3, 3))
    gram[..., 0, 0], gram[..., 1, 1], gram[..., 2, 2] = (a**2).sum(1)[:, None], (b**2).sum(1)[None], one @ one
    gram[..., 0, 1] = gram[..., 1, 0] = a @ b.T
    gram[..., 0, 2] = gram[..., 2, 0] = (a @ one)[:, None]
    gram[..., 1, 2] = gram[..., 2, 1] = (b @ one)[None]
    right = np.stack(np.broadcast_arrays((a @ y)[:, None], (b @ y)[None], one @ y), axis=-1)
    scale = np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1))
    gram = gram / (scale[..., :, None] * scale[..., None, :]) + 1e-9 * np.eye(3)
    right = right / scale
    result, best = np.zeros((*number, 3)), np.full(number, np.inf)
    for subset in ([0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):  # the optimum is the best feasible one of these
        part = np.linalg.solve(gram[..., subset, :][..., subset], right[..., subset, None])[..., 0]
        cost = -(part * right[..., subset]).sum(-1)
        better = (part >= 0).all(-1) & (cost < best)
        best[better] = cost[better]
        full = np.zeros((*number, 3))
        full[..., subset] = part
        result[better] = full[better]
    return np.asarray((result / scale).reshape(-1, 3))
