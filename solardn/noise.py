"""How strong the noise of a map is, whatever its spectrum and whatever lies in the field.

Power spectra of overlapping windows are taken (`solardn.spectrum`); the windows without signal tell the shape of the noise's spectrum
(`solardn.separation`), and the power where noise rules tells how strong it is, place by place (`solardn.local`). Where signals leave that open, a
small network has its say (`solardn.noisenet`), and both are weighed against each other (`solardn.weighing`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import unmasked
from .errors import InputError
from .local import CALM, LocalNoise, local_noise
from .spectrum import Array, WindowSpectra, rings, window_size, window_spectra
from .sums import bands, sums
from .weighing import Views, views, weigh

Part = tuple[slice | NDArray[np.intp], slice | NDArray[np.intp]]
"""Rows and columns of a map, as slices or their numbers."""

_MANY = 2**22  # pixels that suffice for a median

_SQUARED = 1e100  # values beyond this, or below its inverse, have squares beyond float64

WHOLE: Part = (slice(None), slice(None))

SMALLEST = 16
"""Height and width, in pixels, of the smallest map whose noise can be found."""


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


def noise_sigma(data: ArrayLike, mask: NDArray[np.bool_] | None = None) -> float:
    """Return the rms of the noise of a map.

    Parameters
    ----------
    data : (y, x) array
        The map; pixels that are not finite, and areas of one constant value (fills), do not count.
    mask : (y, x) array of bool, optional
        True where a pixel is to be left out.

    Returns
    -------
    float
        rms of the noise over the map, in the map's units. Where the noise varies over the field this is its quadratic mean.

    Raises
    ------
    InputError
        The map is too small, constant, without noise, or has too few valid pixels.
    """
    return estimate(data, mask).sigma


def noise_map(data: ArrayLike, mask: NDArray[np.bool_] | None = None) -> Array:
    """Return the rms of the noise at every pixel, smooth over the field.

    Parameters
    ----------
    data, mask
        As for `noise_sigma`.

    Returns
    -------
    (y, x) array
        rms of the noise in the map's units, interpolated between windows.

    Raises
    ------
    InputError
        As for `noise_sigma`.
    """
    return spread(estimate(data, mask), np.shape(data))


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


def estimate(data: ArrayLike, mask: NDArray[np.bool_] | None = None) -> NoiseEstimate:
    """Find the noise of a map, and how.

    Parameters
    ----------
    data, mask
        As for `noise_sigma`.

    Raises
    ------
    InputError
        As for `noise_sigma`.
    """
    values, valid, scale = _unit(data, mask)
    spectra, found, level, seen = _look(values, valid)
    coarse = np.sqrt(found.variance)
    if seen is not None:
        level, coarse = weigh(seen)
        coarse = coarse * (level / _over_map(coarse**2, spectra, values.shape))
    ring, sigma = rings(spectra.size), scale * level
    return NoiseEstimate(
        sigma=sigma,
        rms=scale,
        size=spectra.size,
        coarse=scale * coarse,
        rows=_centres(spectra.rows, spectra.size),
        columns=_centres(spectra.columns, spectra.size),
        cutoff=found.cutoff,
        k=ring.k,
        spectrum=found.spectrum * sigma**2,
        area=ring.area,
        quiet=found.quiet,
        method=_words(found, spectra.size, seen is not None),
    )


def both(data: ArrayLike) -> tuple[Views | None, float]:
    """Return what power spectra and the network say of a map, before they are weighed, and the map's rms, which is their unit.

    Raises
    ------
    InputError
        As for `noise_sigma`.
    """
    values, valid, scale = _unit(data, None)
    return _look(values, valid)[-1], scale


def _unit(data: ArrayLike, mask: NDArray[np.bool_] | None) -> tuple[NDArray[Any], NDArray[np.bool_], float]:
    """Return the map in units of its rms about its mean, around its median; where it is valid; and that rms."""
    values, valid = _checked(data, mask)
    peak = max(float(values.max()), -float(values.min()))
    if peak and not 1 / _SQUARED < peak < _SQUARED:
        raise InputError(
            f"the map has values up to {peak:.3g}, whose squares no number holds; multiply or divide the data before"
        )
    scale = sums(valid, values).deviation(0)
    if not scale > 0:
        raise InputError(
            f"the map is constant ({values[valid][0]:g}), so it has no noise to find; give the noise level yourself"
        )
    values -= _middle(values, valid)
    values /= values.dtype.type(scale)
    return values, valid, scale


def _look(values: NDArray[Any], valid: NDArray[np.bool_]) -> tuple[WindowSpectra, LocalNoise, float, Views | None]:
    """Return the spectra of a map's windows, what they tell, the level over the map, and what the network says beside it."""
    size = window_size(values.shape) or SMALLEST
    spectra = window_spectra(values, valid, size)
    if not spectra.used.any():
        raise InputError(
            f"no window of {size}×{size} px of the map is at least half valid; give the noise level yourself, or a map with fewer fills"
        )
    # Beside one value far beyond the others nothing may be left, which is refused below.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = local_noise(spectra)
        if found.quiet < CALM and size > SMALLEST:  # small windows find quiet places between isolated signals
            smaller = window_spectra(values, valid, size // 2)
            there = local_noise(smaller)
            if there.quiet >= CALM:
                spectra, found = smaller, there
    level = _over_map(found.variance, spectra, values.shape)
    if not level > 1e-7:
        raise InputError(
            "the map holds no noise that could be told from its signal; give the noise level yourself, or set bad pixels to NaN"
        )
    return spectra, found, level, views(values, valid, spectra, found, level)


def _checked(data: ArrayLike, mask: NDArray[np.bool_] | None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a copy of the map, 0 where it is not valid, and where it is; in float32 where that holds the values."""
    values = unmasked(data)
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise InputError(
            f"a map of real numbers with two axes (y, x) is needed, not {values.dtype} of shape {values.shape}"
        )
    if min(values.shape) < SMALLEST:
        raise InputError(
            f"a map of {values.shape[0]}×{values.shape[1]} px is too small to find its noise ({SMALLEST}×{SMALLEST} are needed); give the noise level yourself (--noise-sigma, in Python noise_sigma)"
        )
    values = values.astype(np.result_type(values, np.float32))
    valid = np.isfinite(values)
    if mask is not None:
        if np.shape(mask) != values.shape:
            raise InputError(f"the mask has shape {np.shape(mask)}, the map {values.shape}; they must agree")
        valid &= ~np.asarray(mask, dtype=bool)
    if not valid.any():
        raise InputError("the map holds no finite pixel, so it has no noise to find; leave it out, or give other data")
    flat = _constant_areas(values)
    rest = np.greater(valid, flat, out=flat)  # valid and not flat
    if rest.any():  # else the map is constant, which the caller says better
        valid = rest
    if not valid.all():
        values[~valid] = 0
    return values, valid


def _middle(values: NDArray[Any], valid: NDArray[np.bool_]) -> Any:
    """Return the median of the valid pixels; of every n-th row where there are many of them."""
    step = -(-values.size // _MANY)
    some = values[::step][valid[::step]]
    return np.median(some if some.size else values[valid])


def _constant_areas(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a map has the same value over 3 × 3 pixels and more: a fill, not data."""
    flat = np.empty(values.shape, bool)
    for rows in bands(values.shape):  # a band at a time, so that no copies of a large map are made
        first = max(0, rows.start - 2)
        flat[rows] = _constant(values[first : rows.stop + 2])[rows.start - first :][: rows.stop - rows.start]
    return flat


def _constant(values: NDArray[Any]) -> NDArray[np.bool_]:
    if len(values) < 3:
        return np.zeros(values.shape, bool)
    same = np.ones((values.shape[0] - 2, values.shape[1] - 2), bool)
    height, width = same.shape
    middle = values[1:-1, 1:-1]
    for y in range(3):
        for x in range(3):
            same &= values[y : y + height, x : x + width] == middle
    flat = np.zeros(values.shape, bool)
    for y in range(3):
        for x in range(3):
            flat[y : y + height, x : x + width] |= same
    return flat


def _over_map(variance: Array, spectra: WindowSpectra, shape: tuple[int, ...]) -> float:
    """Return the rms over a map of noise with this variance in its windows."""
    parts = [
        _nearest(_centres(first, spectra.size), length)
        for first, length in zip((spectra.rows, spectra.columns), shape, strict=True)
    ]
    return float(np.sqrt(parts[0] @ variance @ parts[1]))


def _centres(first: NDArray[np.intp], size: int) -> Array:
    """Return the centres, in pixels, of windows of a size by their first pixels."""
    return np.asarray(first + (size - 1) / 2, np.float64)


def _nearest(centres: Array, length: int) -> Array:
    """Return which part of a map's pixels each window's centre is the nearest to, along one axis."""
    edges = np.concatenate([[0], (centres[1:] + centres[:-1] + 1) / 2, [length]])
    return np.diff(edges) / length


def _words(found: LocalNoise, size: int, weighed: bool) -> str:
    kind = "white" if not found.cutoff < 0.7 else f"cut-off at {found.cutoff:.2f} cycles/px"
    low, high = found.band
    heard = "; weighed with what a network tells from the windows" if weighed else ""
    return f"power spectra of {size}×{size} px windows, {found.quiet:.0%} of them without signal; noise {kind}, measured at {low:.2f}–{high:.2f} cycles/px{heard}"
