"""How strong the noise of a map is, whatever its spectrum and whatever lies in the field.

Power spectra of overlapping windows are taken (`solardn.spectrum`); the windows without signal tell the shape of the noise's spectrum
(`solardn.separation`), and the power where noise rules tells how strong it is, place by place (`solardn.local`). Where signals leave that open, a
small network has its say (`solardn.noisenet`), and both are weighed against each other (`solardn.weighing`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError
from .estimates import NoiseEstimate, known, spread
from .local import CALM, LocalNoise, local_noise
from .normalised import SMALLEST, normalised
from .spectrum import Array, WindowSpectra, rings, window_size, window_spectra
from .weighing import Views, views, weigh


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
    values, valid, scale = normalised(data, mask)
    spectra, found, level, seen = _look(values, valid)
    coarse = np.sqrt(found.variance)
    if seen is not None:
        level, coarse = weigh(seen)
        coarse = coarse * (level / _over_map(coarse**2, spectra, values.shape))
    ring, sigma = rings(spectra.size), float(known(scale * level))
    return NoiseEstimate(
        sigma=sigma,
        rms=scale,
        size=spectra.size,
        coarse=known(scale * coarse),
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
    values, valid, scale = normalised(data)
    return _look(values, valid)[-1], scale


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
