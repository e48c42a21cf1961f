"""What of a power spectrum is noise, and what is signal.

The noise's power is flat up to a cut-off, sharp or soft; a weak white part may lie below it. A signal is red: its power falls at
least as fast as k^-2, and faster near the telescope's diffraction limit; any mixture of such shapes is a signal. Each shape of the noise
is tried with the mixture of signals that suits it best, and the most likely pair is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .spectrum import CORRELATION, Array, rings

CUTOFFS = np.concatenate([np.arange(0.14, 0.62, 0.02), (0.66, 0.7, 0.75)])
"""Spatial frequencies at which the noise has half its power, cycles/px."""

MODEL_ERROR = 0.07
"""How far, relative to its value, a real spectrum may lie from the best of the shapes."""

LEAST = 1e-3
"""Power that is not worth matching, relative to that at 0.15 cycles/px: it adds nothing to the noise's rms."""

WHITE = 0.03
"""Most power that the white part below band-limited noise may have, relative to it. With more, a signal would pass for noise."""


@dataclass(frozen=True)
class Separation:
    """The noise and the signal in a power spectrum.

    Attributes
    ----------
    noise, signal : (rings,) arrays
        Power of the noise and of the signal in each ring.
    cutoff : float
        Spatial frequency at which the noise has half its power, cycles/px; infinite for white noise.
    """

    noise: Array
    signal: Array
    cutoff: float

    @property
    def share(self) -> Array:
        """Part of the power in each ring that is noise, 0 to 1."""
        return self.noise / (self.noise + self.signal)

    @property
    def ruled(self) -> NDArray[np.bool_]:
        """Which rings the noise rules (array of bool): there its strength can be measured."""
        share = self.share
        band = (share > 0.85) & (self.noise > 0.2 * self.noise.max())
        if band.sum() < 2:
            band = share * self.noise >= np.sort(share * self.noise)[-3]
        return np.asarray(band)


@lru_cache(maxsize=8)
def _shapes(n: int) -> tuple[Array, Array, Array]:
    """Return the cut-offs, the noise shapes and the signal shapes, as rings of windows of n pixels see them."""
    ring = rings(n)
    line = np.fft.fftfreq(n)
    k = np.hypot(line[:, None], line[None])

    def seen(power: Array) -> Array:
        for axis in (0, 1):  # the Hann window spreads power over neighbouring frequencies
            power = 2 / 3 * power + 1 / 6 * (np.roll(power, 1, axis) + np.roll(power, -1, axis))
        return ring.mean(power[:, : n // 2 + 1].ravel()[ring.pixels])

    noise = []
    for cutoff in CUTOFFS:
        soft = [8.0, 64.0] if cutoff < 0.19 else [4.0, 8.0, 64.0] if cutoff < 0.25 else [2.5, 4.0, 8.0, 64.0]
        noise += [(cutoff, seen(2.0 ** -((k / cutoff) ** exponent))) for exponent in soft]
        if cutoff > 0.19:  # softer noise at a lower cut-off could not be told from a signal
            noise.append((cutoff, seen(1 / (1 + np.exp(np.minimum((k / cutoff - 1) / 0.15, 500))))))
    noise.append((np.inf, seen(np.ones_like(k))))

    red = np.maximum(k, 1 / n)
    signal = [
        seen(red**-power * _aperture(k / limit)) for power in (2, 3, 4.5, 6.5) for limit in (0.25, 0.35, 0.5, 0.7, 10)
    ]
    signal += [seen(red**-power * np.exp(-((k / width) ** 2))) for power in (0, 3) for width in (0.06, 0.09)]
    return np.array([c for c, _ in noise]), np.array([s for _, s in noise]), np.array([s / s.max() for s in signal])


def _aperture(x: Array) -> Array:
    """Return the power transfer of a circular aperture at x times its diffraction limit."""
    x = np.clip(x, 0, 1)
    return np.asarray((2 / np.pi * (np.arccos(x) - x * np.sqrt(1 - x * x))) ** 2)


def separate(power: Array, n: int, windows: int, noise: Array | None = None) -> Separation:
    """Separate the noise from the signal in a power spectrum.

    Parameters
    ----------
    power : (rings,) array
        Mean power in each ring of `rings(n)`.
    n : int
        Size of the windows, pixels.
    windows : int
        Number of windows the mean is over.
    noise : (rings,) array, optional
        The shape of the noise where it is known.
    """
    cutoffs, shapes, signals = _shapes(n)
    if noise is not None:
        cutoffs, shapes = np.array([np.nan]), noise[None] / noise.max()
    ring = rings(n)
    least = LEAST * float(np.interp(0.15, ring.k, power)) + np.finfo(float).tiny
    target = power / least + 1
    weight = 1 / (CORRELATION / (ring.counts * windows) + MODEL_ERROR**2)
    weight[ring.k < 1.5 / n] = 0
    flat = 0.7 * np.where(shapes > 0.5, target, np.inf).min(axis=1)  # a little less than fits below the spectrum
    white = WHITE * flat if noise is None else 0 * flat
    red = np.full((len(shapes), len(signals)), target.max() / len(signals))
    model = _Model(target, weight, shapes, signals, flat, white, red)
    model.improve(10, signal_only=True)
    model.improve(40)
    if len(shapes) > 24:
        best = np.argsort(model.misfit())[:24]
        model, cutoffs = model.only(best), cutoffs[best]
    model.improve(60)
    one = int(np.argmin(model.misfit()))
    return Separation(
        noise=(model.flat[one] * model.shapes[one] + model.white[one]) * least,
        signal=model.red[one] @ signals * least,
        cutoff=float(cutoffs[one]),
    )


@dataclass
class _Model:
    """Spectra of many shapes of noise, each with a mixture of signals, and how they come nearer to the target.

    The updates are those of maximum likelihood for exponentially distributed power (multiplicative, so nothing turns negative).
    """

    target: Array
    weight: Array
    shapes: Array
    signals: Array
    flat: Array
    white: Array
    red: Array

    def total(self) -> Array:
        return np.asarray(self.flat[:, None] * self.shapes + self.red @ self.signals + self.white[:, None] + 1)

    def improve(self, times: int, signal_only: bool = False) -> None:
        for _ in range(times):
            total = self.total()
            down = self.weight / total
            up = down * self.target / total
            self.red = self.red * ((up @ self.signals.T) / (down @ self.signals.T))
            if not signal_only:
                self.flat = self.flat * (up * self.shapes).sum(1) / (down * self.shapes).sum(1)
                self.white = np.minimum(self.white * up.sum(1) / down.sum(1), WHITE * self.flat)

    def misfit(self) -> Array:
        ratio = self.target / self.total()
        return np.asarray(((ratio - np.log(ratio) - 1) * self.weight).sum(axis=1))

    def only(self, best: NDArray[np.intp]) -> _Model:
        return _Model(
            self.target,
            self.weight,
            self.shapes[best],
            self.signals,
            self.flat[best],
            self.white[best],
            self.red[best],
        )
