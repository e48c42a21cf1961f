"""Whether what was taken away from a map was noise: the residual's strength, spectrum, place and shape.

Even the best estimate leaves a residual that correlates with it. Where noise cannot be told from signal, a part of the noise passes into the result, and
what passes is missing in the residual: for the mean of the posterior, ⟨residual · result⟩ is the mean square error of the result, and
⟨residual · observation⟩ is σ². Both are held against what they must be, not against 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Cycles, unmasked
from .bands import Band, bands_of
from .errors import InputError
from .estimates import NoiseEstimate, spread
from .noise import estimate
from .spectrum import Array, rings, window_spectra
from .sums import bands, sums

BEYOND = 5
"""Residuals beyond this many σ are counted."""

LINKED = 0.05
"""Correlation beyond what is expected from which on a residual holds structure."""

ALONE = 3
"""Pixels of a block of 3 × 3 beyond which those far from the noise are no bad pixels, but structure."""

LARGE = 1.15
"""rms of the residual relative to the noise above which σ is too small, where no structure is left."""

SMALL = 0.8
"""rms relative to the noise below which what was taken away is not all the noise."""

SURE = 0.05
"""Relative accuracy of a noise level that was found."""


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
    taken : float
        The part of the noise that was treated as such, √⟨residual · observation⟩ / σ: 1 for the best estimate also where a part of the
        noise passes; more where structure was taken away.
    correlation : float
        Correlation of the residual with the result, −1 to 1; 0 where the result is constant.
    limit : float
        The most that `correlation` may be for the noise that passes, the accuracy of σ, and chance.
    correlation_intensity : float or None
        Correlation of the residual with the intensity, where that was given.
    chance : float
        Correlations up to this, with something that has nothing to do with the residual, come by chance (3 standard deviations).
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
    taken: float
    correlation: float
    limit: float
    correlation_intensity: float | None
    chance: float
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
    def linked(self) -> bool:
        """Whether the residual goes with the result more than noise that passes explains."""
        return self.correlation > self.limit or self.correlation < -(LINKED + self.chance)

    @property
    def louder(self) -> bool:
        """Whether the residual holds more than noise at some scale."""
        return any(band.structured for band in self.bands)

    @property
    def structured(self) -> bool:
        """Whether the residual holds structure that a further pass could find."""
        enough = self.ratio > SMALL or self.taken > SMALL
        return enough and (self.louder or self.linked)


def diagnose(
    observation: ArrayLike,
    result: ArrayLike,
    sigma: float | None = None,
    intensity: ArrayLike | None = None,
    noise: NoiseEstimate | None = None,
    cycles: Cycles = 1,
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
    cycles : int or "auto"
        Passes of the network that made the result, as they were asked for: the verdict advises none that were made.

    Raises
    ------
    InputError
        The two maps do not have one shape, or the noise of the observation cannot be found.
    """
    from .verdict import verdict

    before, after = _real(observation), _real(result)
    if before.ndim != 2 or before.shape != after.shape:
        raise InputError(
            f"observation and result are not of one map: they have the shapes {before.shape} and {after.shape}"
        )
    found = noise or estimate(before)
    if sigma is None:
        sigma = found.sigma
    elif not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"the noise level must be a positive number, not {sigma}")
    with np.errstate(invalid="ignore"):
        residual = before - after
    valid = np.isfinite(residual)
    if not valid.any():
        raise InputError("observation and result have no finite pixel in common, so there is nothing to compare")
    seen = sums(valid, residual, before, after)
    rms = seen.rms(0)
    own = _own_noise(residual, valid) or found
    far = _far(residual, valid, own)
    low, high = _local(residual, valid, found, sigma)
    chance = _chance(own, int(valid.sum()))
    passed = max(0.0, (1 + SURE) ** 2 * sigma**2 - rms**2)  # most variance of noise that may have passed
    product = rms * seen.deviation(2)
    figures = Diagnosis(
        sigma=float(sigma),
        residual_rms=rms,
        ratio=rms / sigma,
        taken=float(np.sqrt(max(0.0, seen.covariance[0, 1]))) / sigma,
        correlation=seen.correlation(0, 2),
        limit=min(1.0, LINKED + chance + (passed / product if product > 0 else 0.0)),
        correlation_intensity=None if intensity is None else _correlation(residual, intensity, valid),
        chance=chance,
        bands=bands_of(residual, valid, own),
        local_low=low,
        local_high=high,
        beyond=int(far.sum()) / int(valid.sum()),
        verdict="",
    )
    inner, core = figures, seen
    if figures.beyond and (figures.louder or figures.ratio > LARGE):  # else it would say the same
        rest = valid & ~_alone(far)
        if rest.any():
            core = sums(rest, residual)
            inner = replace(figures, ratio=core.rms(0) / sigma, bands=bands_of(residual, rest, own))
    return replace(figures, verdict=verdict(figures, inner, before[valid], float(core.means[0]) / sigma, cycles))


def _real(values: ArrayLike) -> NDArray[Any]:
    """Return values as real numbers, masked ones as NaN; in float32, in which maps come, without a copy."""
    array = unmasked(values)
    return array.astype(np.result_type(array, np.float32), copy=False)


def _far(residual: NDArray[Any], valid: NDArray[np.bool_], noise: NoiseEstimate) -> NDArray[np.bool_]:
    """Return which pixels have a residual beyond 5 local σ."""
    far = np.empty(residual.shape, bool)
    for rows in bands(residual.shape):
        far[rows] = np.abs(residual[rows]) > BEYOND * spread(noise, residual.shape, (rows, slice(None)))
    return far & valid


def _alone(far: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of some pixels have no more than two others of them around, as bad pixels and hits of particles do."""
    wide = np.pad(far.astype(np.uint8), 1)
    across = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    around: NDArray[np.bool_] = across[:-2] + across[1:-1] + across[2:] <= ALONE
    return far & around


def local_rms(residual: NDArray[Any], valid: NDArray[np.bool_], noise: NoiseEstimate) -> Array:
    """Return the rms of a residual in the windows of its map's noise: shape (rows, columns), NaN where a window holds too few pixels.

    Parameters
    ----------
    residual : (y, x) array
        Observation − result.
    valid : (y, x) array of bool
        Pixels that count.
    noise : NoiseEstimate
        Of the observation, whose windows are taken.
    """
    spectra = window_spectra(residual, valid, noise.size)
    return np.where(spectra.used, np.sqrt(spectra.power @ rings(noise.size).area), np.nan)


def _local(residual: NDArray[Any], valid: NDArray[np.bool_], noise: NoiseEstimate, sigma: float) -> tuple[float, float]:
    """Return the local rms of the residual over the local σ that 5 % of the windows lie below, and that 5 % lie above."""
    local = local_rms(residual, valid, noise) * noise.sigma / (noise.coarse * sigma)
    if not np.isfinite(local).any():
        return float("nan"), float("nan")
    low, high = np.nanquantile(local, (0.05, 0.95))
    return float(low), float(high)


def _chance(noise: NoiseEstimate, pixels: int) -> float:
    """Return 3 standard deviations of the correlation of noise with a map it knows nothing of."""
    independent = pixels * float(noise.spectrum @ noise.area) / float(noise.spectrum.max())
    return 3 / math.sqrt(max(1.0, independent))


def _correlation(residual: NDArray[Any], other: ArrayLike, valid: NDArray[np.bool_]) -> float:
    """Return the correlation coefficient over the pixels that are valid in both, 0 where one is constant."""
    other = _real(other)
    if other.shape != residual.shape:
        raise InputError(f"the intensity has the shape {other.shape}, the map {residual.shape}; they must agree")
    both = valid & np.isfinite(other)
    return sums(both, residual, other).correlation(0, 1) if both.any() else 0.0


def _own_noise(residual: NDArray[Any], valid: NDArray[np.bool_]) -> NoiseEstimate | None:
    """Return the noise of the residual, in which little but noise is left, so that it shows better than in the observation."""
    try:
        return estimate(residual, ~valid)
    except InputError:  # a residual without noise: nothing, or nearly nothing, was taken away
        return None
