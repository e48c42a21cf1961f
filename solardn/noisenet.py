"""A small network that tells how strong the noise is in each window of a map, and in all of it.

It knows from simulated maps (``python -m training noise-level``) what noise and signals look like in power spectra of small windows, and
needs numpy only. Every window is described by itself, then beside its neighbours and a summary of all windows, twice; in the
summary the windows that tell most about the noise count most.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .spectrum import Array
from .tokens import SIZE, Tokens, tokens

Floats = NDArray[Any]
Weights = dict[str, Floats]

SURE = 0.03
"""Relative error, as the network states it, from which on it counts alone: signals are strong then, and spectra may take them for noise."""

LOST = (0.25, 0.5)
"""The same, from which on it counts for less again, down to a half: random fields that fill a map are better known by their spectra."""

FILLED = (0.05, 0.15)
"""The same for maps in which fewer than `SOME` of the windows hold no signal, and the signal is weaker than `WEAK`: down to a tenth."""

SOME = 0.03
"""Part of the windows."""

WEAK = 4.0
"""rms of a map over that of its noise."""

CALM = (0.6, 0.9)
"""Part of the windows without signal from which on spectra can hardly be wrong, and the network counts for less, down to a half."""

STRONG = (5.0, 8.0)
"""rms of a map over that of its noise from which on spectra are believed in a map where the network is lost only if they say less: signals make both say too much."""

APART = (0.1, 0.4)
"""Logarithm of the level of the spectra over that of the network from which on the network counts for more, up to alone, if its error is `TRUSTED`: spectra take signals for noise, by factors; a network that is sure does not."""

TRUSTED = (0.1, 0.2)
"""Relative error, as the network states it, up to which that is done, and from which on it is not."""

FILE = Path(__file__).with_name("noise-level.npz")
"""Its weights."""

_HEADS = 8


@dataclass(frozen=True)
class Told:
    """What the network says.

    Attributes
    ----------
    sigma : float
        rms of the noise over the map.
    error : float
        How far, relative to its value, it may be wrong: the mean absolute error of such maps in training.
    coarse : (rows, columns) array
        rms of the noise in each window; it means nothing where a window is not used.
    """

    sigma: float
    error: float
    coarse: NDArray[np.float64]


@cache
def weights() -> Weights:
    """Return the weights that ship, by layer and kind."""
    with np.load(FILE) as file:
        return {name: file[name].astype(np.float32) for name in file.files}


def weighed(
    data: NDArray[Any],
    valid: NDArray[np.bool_],
    scale: float,
    sigma: float,
    coarse: Array,
    places: tuple[Array, Array],
    quiet: float,
) -> tuple[float, Array, float]:
    """Return a noise level that power spectra tell, and its windows', weighed with what the network tells.

    Where the network is sure, both are right and their mean is best. The weights were chosen on simulated maps that it was not trained with.

    Parameters
    ----------
    data : (y, x) array
        The map in units of its rms `scale`, finite where `valid`.
    valid : (y, x) array of bool
        Pixels that hold data.
    scale : float
        Unit of `data`, in that of the levels.
    sigma : float
        rms of the noise over the map, from power spectra.
    coarse : (rows, columns) array
        The same in windows.
    places : (array, array)
        Centres of these windows along y and x, pixels.
    quiet : float
        Part of them, 0 to 1, that hold no signal.

    Returns
    -------
    tuple
        The level, the windows' levels, and the network's weight, 0 to 1.
    """
    seen = tokens(data, valid) if min(data.shape) >= SIZE else None
    if seen is None:
        return sigma, coarse, 0.0
    told = tell(seen)
    share = share_of(told.error, 1 / told.sigma, np.log(sigma / (scale * told.sigma)), quiet)  # the map's own rms is 1
    logs = np.log(np.where(seen.used, told.coarse, told.sigma))
    along = np.array([np.interp(places[1], seen.columns + (SIZE - 1) / 2, line) for line in logs])
    windows = np.array([np.interp(places[0], seen.rows + (SIZE - 1) / 2, line) for line in along.T]).T
    mixed = (1 - share) * np.log(coarse) + share * (windows + np.log(scale))
    level = (1 - share) * np.log(sigma) + share * np.log(scale * told.sigma)
    factor = np.exp(level) / np.sqrt(np.mean(np.exp(2 * mixed)))
    return float(np.exp(level)), np.exp(mixed) * factor, share


def share_of(error: float, strength: float, apart: float, quiet: float) -> float:
    """Return the weight of the network, 0 to 1, beside the power spectra.

    Parameters
    ----------
    error : float
        Relative error that the network states.
    strength : float
        rms of the map over that of its noise, as the network tells.
    apart : float
        Logarithm of the level of the spectra over the network's.
    quiet : float
        Part of the windows, 0 to 1, that hold no signal.
    """
    strong = float(np.interp(strength, STRONG, (0, 1)))
    if quiet < SOME and strength < WEAK:
        lost = np.interp(error, FILLED, (0, 0.9))
    else:
        lost = np.interp(error, LOST, (0, 0.5)) * (1 - strong if apart > 0 else 1)
    share = float((np.clip(error / SURE, 0.4, 1) - lost) * np.interp(quiet, CALM, (1, 0.5)))
    return max(share, float(np.interp(apart, APART, (0, 1)) * np.interp(error, TRUSTED, (1, 0))))


def tell(seen: Tokens, by: Weights | None = None) -> Told:
    """Return how strong the noise of a map is from what its windows look like."""
    w = weights() if by is None else by

    def dense(x: Floats, name: str) -> Floats:
        return np.asarray(x @ w[f"{name}.kernel"] + w[f"{name}.bias"])

    def summary(x: Floats, name: str) -> Floats:
        values = dense(x, f"{name}_value")[seen.used]
        scores = dense(x, f"{name}_score")[seen.used]
        share = np.exp(scores - scores.max(axis=0))
        share /= share.sum(axis=0)
        pooled = np.einsum("wh,whv->hv", share, values.reshape(len(values), _HEADS, -1))
        return _relu(dense(pooled.ravel(), f"{name}_context"))

    used = seen.used[..., None].astype(np.float32)
    x = _relu(dense(_relu(dense(seen.features, "in_1")), "in_2"))
    for name in ("round1", "round2"):
        nearby = _around(x * used) / np.maximum(_around(used), 1e-2)
        x = _relu(dense(x, f"{name}_x") + dense(nearby, f"{name}_near") + dense(summary(x, name), f"{name}_all"))
    whole, windows = dense(summary(x, "out"), "map"), dense(x, "window")
    coarse = np.exp(seen.unit + windows[..., 0].astype(np.float64))
    return Told(
        sigma=float(np.sqrt(np.mean(coarse[seen.used] ** 2))),
        error=float(np.exp(np.clip(whole[1], -5, 2))),
        coarse=coarse,
    )


def _relu(x: Floats) -> Floats:
    return np.asarray(np.maximum(x, 0))


def _around(x: Floats) -> Floats:
    """Return the sum over each window and its eight neighbours (rows, columns, values)."""
    for axis in (0, 1):
        edge = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(x, edge)
        n = x.shape[axis]
        x = np.sum([np.take(padded, range(i, i + n), axis=axis) for i in range(3)], axis=0)
    return np.asarray(x)
