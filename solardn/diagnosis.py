"""Whether what was taken away from a map was noise: the residual's strength, spectrum, place and shape, and a verdict in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError
from .noise import NoiseEstimate, estimate, spread
from .spectrum import CORRELATION, Array, rings, window_spectra

SCALES = ((20.0, np.inf), (8.0, 20.0), (4.0, 8.0), (1.0, 4.0))
"""Bands of scales, in pixels (1 / spatial frequency), in which the residual's power is held against that of the noise."""

EXCESS = 1.15
"""Power of the residual in a band, relative to that of the noise, and rms of the whole, above which there is more than noise."""

LOUD = 0.03
"""Part of the windows that may exceed the noise by far before structure is said to be left."""

LINKED = 0.05
"""Correlation with the result or the intensity from which on a residual holds structure."""

SMALL = 0.8
"""rms of the residual relative to the noise below which it is too small to be all the noise."""

BEYOND = 5
"""Residuals beyond this many σ are counted."""


@dataclass(frozen=True)
class Band:
    """The residual's power in one band of scales.

    Attributes
    ----------
    smallest, largest : float
        Scales, pixels; `largest` may be infinite.
    ratio : float
        Power of the residual over that of the noise, mean over the map.
    loud : float
        Part of the windows, 0 to 1, in which the residual exceeds the noise by more than chance, and by more than it does at
        the smallest scales; 0 at those.
    """

    smallest: float
    largest: float
    ratio: float
    loud: float

    @property
    def structured(self) -> bool:
        """Whether the residual holds more than noise at these scales."""
        return self.ratio > EXCESS or self.loud > LOUD

    def __str__(self) -> str:
        """Return the scales as people write them."""
        return f"above {self.smallest:g} px" if np.isinf(self.largest) else f"{self.smallest:g}–{self.largest:g} px"


@dataclass(frozen=True)
class Diagnosis:
    """What the residual of one map says.

    Attributes
    ----------
    sigma : float
        rms of the noise it is held against, in the data's units.
    residual_rms : float
        rms of observation − result, in the data's units.
    ratio : float
        Their quotient; 1, or a little less, when noise and nothing else was taken away.
    correlation : float
        Correlation of the residual with the result, −1 to 1; 0 where the result is constant.
    correlation_intensity : float or None
        Correlation of the residual with the intensity, where that was given.
    bands : tuple of Band
        From large to small scales.
    local_low, local_high : float
        Local rms of the residual over local σ: 5 % of the windows lie below the first, 5 % above the second.
    beyond : float
        Part of the pixels, 0 to 1, whose residual is beyond 5 local σ (6e-7 for Gaussian noise).
    verdict : str
        In plain words; "flat" when what was taken away was noise.
    """

    sigma: float
    residual_rms: float
    ratio: float
    correlation: float
    correlation_intensity: float | None
    bands: tuple[Band, ...]
    local_low: float
    local_high: float
    beyond: float
    verdict: str

    @property
    def flat(self) -> bool:
        """Whether what was taken away was noise."""
        return self.verdict == "flat"

    @property
    def structured(self) -> bool:
        """Whether the residual holds structure that a further pass could find."""
        return self.ratio > SMALL and (any(band.structured for band in self.bands) or abs(self.correlation) > LINKED)


def diagnose(
    observation: ArrayLike,
    result: ArrayLike,
    sigma: float | None = None,
    intensity: ArrayLike | None = None,
    noise: NoiseEstimate | None = None,
) -> Diagnosis:
    """Say whether what was taken away from a map was noise.

    Parameters
    ----------
    observation, result : (y, x) arrays
        The map before and after, in the same units; pixels that are not finite in either do not count.
    sigma : float, optional
        rms of the noise in the data's units, where it is known; found from the observation otherwise.
    intensity : (y, x) array, optional
        Stokes I of the same field.
    noise : NoiseEstimate, optional
        What `solardn.noise.estimate` found in the observation, where that has been done.

    Raises
    ------
    InputError
        The two maps do not have one shape, or the noise of the observation cannot be found.
    """
    before, after = np.asarray(observation, dtype=np.float64), np.asarray(result, dtype=np.float64)
    if before.ndim != 2 or before.shape != after.shape:
        raise InputError(
            f"observation and result are not of one map: they have the shapes {before.shape} and {after.shape}"
        )
    found = noise or estimate(before)
    if sigma is None:
        sigma = found.sigma
    elif not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"the noise level must be a positive number, not {sigma}")
    residual = before - after
    valid = np.isfinite(residual)
    if not valid.any():
        raise InputError("observation and result have no finite pixel in common, so there is nothing to compare")
    rms = float(np.sqrt(np.mean(residual[valid] ** 2)))
    own = _own_noise(residual, valid) or found
    spectra = window_spectra(np.where(valid, residual, 0.0), valid, found.size)
    power = (spectra.power @ rings(found.size).area)[spectra.used]
    local = np.sqrt(power) * found.sigma / (found.coarse[spectra.used] * sigma)
    low, high = (float(q) for q in np.quantile(local, (0.05, 0.95))) if local.size else (np.nan, np.nan)
    figures = Diagnosis(
        sigma=float(sigma),
        residual_rms=rms,
        ratio=rms / sigma,
        correlation=_correlation(residual, after, valid),
        correlation_intensity=None if intensity is None else _correlation(residual, intensity, valid),
        bands=_bands(residual, valid, own),
        local_low=low,
        local_high=high,
        beyond=float(np.mean(np.abs(residual[valid]) > BEYOND * spread(own, before.shape)[valid])),
        verdict="",
    )
    return replace(figures, verdict=_verdict(figures, before[valid]))


def _correlation(residual: Array, other: ArrayLike, valid: NDArray[np.bool_]) -> float:
    """Return the correlation coefficient over the pixels that are valid in both, 0 where one is constant."""
    other = np.asarray(other, dtype=np.float64)
    if other.shape != residual.shape:
        raise InputError(f"the intensity has the shape {other.shape}, the map {residual.shape}; they must agree")
    both = valid & np.isfinite(other)
    a, b = (values[both] - values[both].mean() if both.any() else values[both] for values in (residual, other))
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else 0.0


def _own_noise(residual: Array, valid: NDArray[np.bool_]) -> NoiseEstimate | None:
    """Return the noise of the residual, in which little but noise is left, so that it shows better than in the observation."""
    try:
        return estimate(residual, ~valid)
    except InputError:  # a residual without noise: nothing, or nearly nothing, was taken away
        return None


def _bands(residual: Array, valid: NDArray[np.bool_], noise: NoiseEstimate) -> tuple[Band, ...]:
    """Hold the residual's power against that of the noise, band by band."""
    spectra = window_spectra(np.where(valid, residual, 0.0), valid, noise.size)
    ring = rings(noise.size)
    power = spectra.power[spectra.used]
    local = (noise.coarse[spectra.used] / noise.sigma) ** 2
    expected = noise.spectrum
    bands: list[Band] = []
    finer = np.ones(len(power))
    for smallest, largest in reversed(SCALES):
        # Where the noise has no power there is nothing to compare with.
        inside = (ring.k > 1 / largest) & (ring.k <= 1 / smallest) & (expected > 1e-2 * expected.max())
        if not inside.any() or not len(power):
            continue
        weight = ring.counts[inside]
        here, there = power[:, inside] @ weight, expected[inside] @ weight * local
        chance = 5 * np.sqrt(CORRELATION * (expected[inside] ** 2 @ weight)) / (expected[inside] @ weight)
        # A window that is louder at all scales alike holds stronger noise; structure is louder at large scales.
        loud = here / there > np.maximum(finer, 1) * (1.3 + chance)
        bands.append(Band(smallest, largest, float(here.sum() / there.sum()), float(loud.mean()) if bands else 0.0))
        finer = np.maximum(finer, here / there) if len(bands) == 1 else finer
    return tuple(reversed(bands))


def _verdict(found: Diagnosis, values: Array) -> str:
    """Return what the figures say, in plain words."""
    if found.residual_rms == 0:
        return "nothing was taken away: result and observation are the same"
    if looks_like_counts(values):
        return "values look like counts: check the units"
    if found.ratio < SMALL:
        return "residual too small: noise σ over-estimated or data smoothed before"
    if found.correlation_intensity is not None and abs(found.correlation_intensity) > max(
        LINKED, abs(found.correlation)
    ):
        return f"the residual correlates with the intensity ({found.correlation_intensity:+.2f}): crosstalk, or noise that goes with it"
    left = [str(band) for band in found.bands if band.structured]
    if left:
        return f"structure left at {', '.join(left)}: try --cycles 2"
    if abs(found.correlation) > LINKED:
        return f"structure left: the residual correlates with the result ({found.correlation:+.2f}); try --cycles 2"
    if found.ratio > EXCESS:
        return "residual too large: noise σ under-estimated"
    return "flat"


def looks_like_counts(values: Array) -> bool:
    """Tell whether values are whole numbers as large as a detector's."""
    return bool(np.abs(values).max() > 100 and (values == np.round(values)).all())
