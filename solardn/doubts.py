"""What of a map is far from what networks know, in words."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .calling import outside
from .errors import InputError
from .estimates import NoiseEstimate
from .noise import estimate
from .patterns import strange
from .sums import sums

Float = NDArray[np.float32]

OFF = 2.0
"""Factor between the noise stated and the noise found beyond which one is wrong; in training it is 0.7 to 1.4 (training/batches.py)."""

STRONGEST = 45.0
"""Largest rms of a signal in units of the noise in training (training/batches.py)."""

PEDESTAL = 2.0
"""Mean over standard deviation from which a map of one sign is an intensity image."""

NOISELESS = 10.0
"""Standard deviation of an intensity image in units of its noise beyond which there is hardly any noise to take out; where granules fill a map without any, about 11 is found."""

_MAGNETIC = {
    "g",
    "gauss",
    "kg",
    "kilogauss",
    "t",
    "tesla",
    "mt",
    "mx/cm^2",
    "mx/cm2",
    "mx cm-2",
    "mx cm^-2",
    "mx/cm**2",
}


class UnfamiliarData(UserWarning):
    """Data are far from what networks know."""


def forewarn(sentences: Iterable[str]) -> tuple[str, ...]:
    """Warn whoever called this package of what was found, each sentence once, and return the sentences."""
    said = tuple(dict.fromkeys(sentences))
    for sentence in said:
        warnings.warn(sentence, UnfamiliarData, stacklevel=outside())
    return said


def doubts(
    data: Float,
    level: float,
    *,
    given: bool,
    network: str,
    letter: str = "",
    unit: str = "",
    noise: NoiseEstimate | None = None,
) -> list[str]:
    """Return what of a map is far from what a network knows, each as the end of a sentence.

    Parameters
    ----------
    data : (y, x) array
        A map with at least one finite value; NaN where it holds none.
    level : float
        rms of the noise that will be taken, in the data's units.
    given : bool
        Whether the user stated it, outright or by a scale.
    letter : str
        Stokes parameter, or empty.
    unit : str
        Of the data, or empty.
    network : str
        Name of the network.
    noise : NoiseEstimate, optional
        Of the map, where it was found already.
    """
    network = f"network {network!r}"
    valid = np.isfinite(data)
    values = data if valid.all() else data[valid][np.newaxis]
    try:
        noise = noise or estimate(data)
    except InputError:  # too small a map, or none: nothing to compare with
        noise = None
    said = [_magnetogram(values, level, letter, unit, network), _intensity(values, noise, letter, network)]
    if said[1] is None:  # else all that follows is only another way to say so
        rms = sums(None, values).rms(0)
        if noise is not None and given and not 1 / OFF < noise.sigma / level < OFF:
            said.append(
                f"has noise of rms {noise.sigma:.3g} as far as can be seen, {noise.sigma / level:.3g} times the level given ({level:.3g}), where {network} knows 0.7 to 1.4 times: "
                "leave --noise-sigma and --scale out (in Python noise_sigma and scale), or check the units"
            )
        if rms > STRONGEST * level:
            said.append(
                f"has signals of rms {rms / level:.3g} times the noise ({level:.3g}), where {network} knows up to {STRONGEST:g}: check the units and the noise level"
            )
        if noise is not None:
            said += [f"{words} ({network} does not know that)" for words in strange(data, noise.sigma)]
    return [sentence for sentence in said if sentence]


def _magnetogram(values: Any, level: float, letter: str, unit: str, network: str) -> str | None:
    """Return a word on a magnetogram: by its unit or, where it states none, by values that no Stokes map in units of the continuum has."""
    if unit.strip().lower() in _MAGNETIC:
        return f"is a magnetogram (its unit is {unit}), and {network} learned from Stokes maps: judge its residual with 'solardn inspect'"
    largest = float(max(values.max(), -values.min()))
    if not letter and not unit and 1 < largest < 10 and 3e-3 < level < 3e-2 and values.min() < 0 < values.max():
        return (
            f"has values up to {largest:.2g} with noise of {level:.2g} and no unit, as a magnetogram in kG has, and {network} learned from Stokes maps: "
            "check the units, and judge its residual with 'solardn inspect'"
        )
    return None


def _intensity(values: Any, noise: NoiseEstimate | None, letter: str, network: str) -> str | None:
    """Return a word on an image of intensity, with noise or without."""
    found = sums(None, values)
    mean, deviation = float(found.means[0]), found.deviation(0)
    one_sign = values.min() >= 0 or values.max() <= 0
    if letter in ("Q", "U", "V") or not one_sign or not abs(mean) > PEDESTAL * deviation > 0:
        return None
    if noise is None or deviation > NOISELESS * noise.sigma:
        return "looks like an intensity image with hardly any noise, from which only signal can be taken: leave it as it is"
    return f"looks like an intensity image (mean {mean:.3g}, {abs(mean) / noise.sigma:.3g} times its noise), and {network} knows maps around 0: subtract its mean before"
