"""How the maps of an array are brought to the units of a network: from noise that is estimated, or given, or mapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .arrays import Sigma, as_float32, per_map, positive
from .errors import InputError, OptionError
from .estimates import NoiseEstimate
from .noise import estimate
from .noisemap import CONTRADICTION, NoiseMap, at_every_pixel, given_maps, relative
from .runner import Runner
from .units import Scale


@dataclass(frozen=True)
class Scaling:
    """How a map is brought to the units of a network.

    Attributes
    ----------
    sigma : float
        rms of the noise in the data's own units; where the scale was given outright, the one that it implies.
    scale : float
        Factor from the data's units to the network's.
    how : str
        ``estimated``, ``given``, or ``from the scale given``.
    """

    sigma: float
    scale: float
    how: str


@dataclass(frozen=True)
class Scaled:
    """The maps of an array, and how each is brought to network units.

    Attributes
    ----------
    planes : list of ndarray
        The maps (y, x).
    scales : list of float or ndarray (y, x)
        Factor to network units for each; 1 for those that hold nothing finite.
    sigmas : list of float or ndarray (y, x)
        rms of the noise of each, in the data's units; 1 where nothing is known.
    noises : list of NoiseEstimate or None
        What was found of the noise of each; empty where it was given.
    """

    planes: list[NDArray[Any]]
    scales: Sequence[Scale]
    sigmas: Sequence[Scale]
    noises: Sequence[NoiseEstimate | None] = ()


def scaling(
    plane: NDArray[Any], input_sigma: float, noise_sigma: Literal["auto"] | float = "auto", scale: float | None = None
) -> Scaling:
    """Return how one map is brought to network units.

    Parameters
    ----------
    plane : ndarray
        The map (y, x); looked at only when the noise is to be estimated.
    input_sigma : float
        rms of the noise in network units.
    noise_sigma, scale
        As for `solardn.Denoiser.scaling`.

    Raises
    ------
    InputError, OptionError
        As for `solardn.Denoiser.scaling`.
    """
    if scale is not None:
        if noise_sigma != "auto":
            raise OptionError(f"scale {scale} and noise_sigma {noise_sigma} exclude each other; give one of them")
        factor = positive(scale, "scale")
        return Scaling(input_sigma / factor, factor, "from the scale given")
    if noise_sigma != "auto":
        sigma, how = positive(noise_sigma, "noise_sigma"), "given"
    else:
        sigma, how = estimate(as_float32(plane)).sigma, "estimated"
    return Scaling(sigma, input_sigma / sigma, how)


def scaled(runner: Runner, array: NDArray[Any], noise_sigma: Sigma, scale: float | None, noise_map: NoiseMap) -> Scaled:
    """Return the maps of an array one by one, each with the factor to network units.

    Parameters
    ----------
    runner : Runner
        Of the network; several maps are looked at at once on its threads.
    array : ndarray
        Maps (..., y, x).
    noise_sigma, scale, noise_map
        As for `solardn.Denoiser.denoise`.

    Raises
    ------
    InputError, OptionError
        As for `solardn.Denoiser.denoise`.
    """
    input_sigma = runner.card.input_sigma
    sigmas = per_map(noise_sigma, array.shape[:-2])
    planes = [array[index] for index in np.ndindex(array.shape[:-2])]
    if not isinstance(noise_map, str) or noise_map not in ("auto", "off"):
        if scale is not None or not isinstance(noise_sigma, str):
            raise OptionError(CONTRADICTION)
        given = given_maps(noise_map, array)
        return Scaled(planes, [input_sigma / sigma for sigma in given], given)
    if scale is not None or not isinstance(noise_sigma, str):
        each = zip(planes, sigmas.flat, strict=True)
        scalings = [scaling(plane, input_sigma, sigma, scale) for plane, sigma in each]
        return Scaled(planes, [one.scale for one in scalings], [one.sigma for one in scalings])

    def estimated(number: int, _: int) -> tuple[Scale, NoiseEstimate | None]:
        data = as_float32(planes[number])
        if not np.isfinite(data).any():
            return 1.0, None
        if noise_sigma != "auto":
            return scaling(data, input_sigma, noise_sigma).scale, None  # refuses the word
        try:
            found = estimate(data)
        except InputError as error:
            index = np.unravel_index(number, array.shape[:-2])
            raise InputError(f"map {list(map(int, index))}: {error}" if index else str(error)) from error
        uneven = relative([found], data.shape) if noise_map == "auto" else None
        over = 1.0 if uneven is None else at_every_pixel(uneven, data.shape)
        return input_sigma / (found.sigma * over), found

    found = list(runner.each(estimated, range(len(planes)), runner.engine.threads))
    noises = [noise for _, noise in found]
    return Scaled(planes, [factor for factor, _ in found], [one.sigma if one else 1.0 for one in noises], noises)
