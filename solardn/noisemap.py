"""Noise whose strength varies over the field: how it is made even before the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import numbers
from .cube import which
from .errors import InputError, OptionError
from .estimates import NoiseEstimate, spread
from .local import CALM
from .spectrum import Array

NoiseMap = Literal["auto", "off"] | ArrayLike

NOISE_MAP: Literal["auto", "off"] = "auto"
"""What is done by default about noise that varies over the field."""

UNEVEN = 1.6
"""Ratio of the strong to the weak noise of a field (95 % and 5 % quantiles of its windows) from which on evening it out lowers the error."""

WEAK = 4.0
"""rms of a map over that of its noise up to which noise is evened out: how it varies under stronger signals is not known well enough."""

CONTRADICTION = (
    "a noise map tells the noise level, so that a noise level or a scale beside it contradicts; give one of them"
)

GRID = 64
"""Most points along each axis at which the noise of a group of maps is kept."""


def given_maps(noise_map: ArrayLike, maps: NDArray[Any]) -> list[Array]:
    """Return the rms of the noise at every pixel for each of some maps (..., y, x), as the user gives it.

    Raises
    ------
    OptionError
        It does not broadcast to the maps, or does not hold numbers.
    InputError
        It is not positive at a pixel with a value.
    """
    given = spread_over(noise_map, maps.shape)
    return [
        checked(given[index], ~np.isfinite(maps[index]), f"noise_map{which(index)}")
        for index in np.ndindex(maps.shape[:-2])
    ]


def spread_over(noise_map: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Return the rms of the noise at every pixel of data of a shape.

    Raises
    ------
    OptionError
        It does not broadcast to the shape, or does not hold numbers.
    """
    instead = "give 'auto', 'off', or the rms of the noise at every pixel"
    rms = numbers(noise_map, "noise_map", instead)
    try:
        return np.broadcast_to(rms, shape)
    except ValueError:
        raise OptionError(f"noise_map of shape {rms.shape} does not fit maps of shape {shape}; {instead}") from None


def checked(sigma: NDArray[Any], absent: NDArray[np.bool_], label: str) -> Array:
    """Return the rms of the noise at every pixel of a map (y, x) when it is positive wherever there are data; its median elsewhere.

    Raises
    ------
    InputError
    """
    sigma = sigma.astype(np.float64)
    good = np.isfinite(sigma) & (sigma > 0)
    wrong = ~good & ~absent
    if wrong.any():
        y, x = np.argwhere(wrong)[0]
        raise InputError(
            f"{label} is {sigma[y, x]:g} at y={y}, x={x} ({wrong.sum()} such pixels), but the rms of the noise must be positive wherever there are data; mask these pixels, or correct it"
        )
    return np.where(good, sigma, np.median(sigma[good])) if good.any() else np.ones(sigma.shape)


def unevenness(sigma: NDArray[np.floating[Any]]) -> float:
    """Return the ratio of strong to weak noise: the 95 % over the 5 % quantile of its rms."""
    low, high = np.quantile(sigma, (0.05, 0.95))
    return float(high / low)


def relative(found: Sequence[NoiseEstimate], shape: tuple[int, int]) -> Array | None:
    """Return how the noise of some maps varies over their field, relative to its rms, on a grid over it.

    Parameters
    ----------
    found : sequence of NoiseEstimate
        Of maps of one shape that share their noise.
    shape : (int, int)
        Height and width of the maps, pixels.

    Returns
    -------
    array or None
        The median over the maps, from the first to the last pixel along both axes; None where the noise varies less than `UNEVEN`,
        too few windows without signal show how it does, or the signal is not `WEAK`.
    """
    if not found or np.median([one.quiet for one in found]) < CALM:
        return None
    if np.median([one.rms / one.sigma for one in found]) > WEAK:
        return None
    places = [np.unique(np.linspace(0, length - 1, min(length, GRID)).round().astype(int)) for length in shape]
    maps = [spread(one, shape, (places[0], places[1])) / one.sigma for one in found]
    middle = np.median(maps, axis=0)
    return middle if unevenness(middle) >= UNEVEN else None


def at_every_pixel(grid: Array, shape: tuple[int, int]) -> Array:
    """Return a map (y, x) of mean square 1 from what `relative` gave for maps of this shape."""
    along = grid
    for axis, length in enumerate(shape):
        points = np.unique(np.linspace(0, length - 1, min(length, GRID)).round().astype(int))
        along = np.apply_along_axis(lambda line: np.interp(np.arange(length), points, line), axis, along)  # noqa: B023
    return np.asarray(along / np.sqrt(np.mean(along**2)))
