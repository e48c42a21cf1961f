"""What power spectra and the small network say of a map's noise, weighed against each other by what the map looks like.

Either may be wrong: spectra take signals for noise where signals fill the field, by factors; the network does not see how sharply noise ends. Which
one to believe shows in the mean spectra of the map's windows, so a second, still smaller network learned it from simulated maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .local import LocalNoise
from .noisenet import tell
from .spectrum import Array, WindowSpectra, rings
from .tokens import SIZE, tokens

Weights = dict[str, NDArray[Any]]

FILE = Path(__file__).with_name("noise-weighing.npz")
"""What was learned (``python -m training noise-level``)."""

GRID = np.arange(0.04, 0.49, 0.02)
"""Spatial frequencies at which spectra are looked at, cycles/px."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the windows."""

_DEEPEST = -8.0  # logarithms of power end so far below that of the noise
_WHITE = 0.8  # cycles/px, the cut-off of noise without one


@dataclass(frozen=True)
class Views:
    """What the two say of a map, in units of its rms.

    Attributes
    ----------
    level, told : float
        rms of the noise over the map, as spectra and as the network tell.
    coarse, windows : (rows, columns) arrays
        The same in the windows of the spectra.
    features : (features,) array
        What the map looks like, in numbers that do not change when it is multiplied by a factor.
    """

    level: float
    told: float
    coarse: Array
    windows: Array
    features: NDArray[np.float32]


def views(
    data: NDArray[Any], valid: NDArray[np.bool_], spectra: WindowSpectra, found: LocalNoise, level: float
) -> Views | None:
    """Return what power spectra and the network say of a map; None where it is too small for the network.

    Parameters
    ----------
    data : (y, x) array
        The map in units of its rms, finite where `valid`.
    valid : (y, x) array of bool
        Pixels that hold data.
    spectra : WindowSpectra
        Of its windows.
    found : LocalNoise
        What they tell.
    level : float
        rms of the noise over the map, from `found`.
    """
    seen = tokens(data, valid) if min(data.shape) >= SIZE else None
    if seen is None:
        return None
    told = tell(seen)
    logs = np.log(np.where(seen.used, told.coarse, told.sigma))
    y, x = (first + (spectra.size - 1) / 2 for first in (spectra.rows, spectra.columns))
    along = np.array([np.interp(x, seen.columns + (SIZE - 1) / 2, line) for line in logs])
    windows = np.exp([np.interp(y, seen.rows + (SIZE - 1) / 2, line) for line in along.T]).T
    coarse = np.sqrt(found.variance)
    features = _features(spectra, found, level, told.sigma, told.error, coarse, windows)
    return Views(level, told.sigma, coarse, windows, features)


def weigh(seen: Views, by: Weights | None = None) -> tuple[float, Array]:
    """Return the rms of the noise over the map, and in each window, both in units of the map's rms.

    Parameters
    ----------
    seen : Views
    by : dict, optional
        Weights other than those that ship.
    """
    w = weights() if by is None else by
    x = np.clip((seen.features - w["mean"]) / w["deviation"], -5, 5)[None]
    for layer in ("first", "second", "out"):
        x = (x[:, None] @ w[f"{layer}.kernel"])[:, 0] + w[f"{layer}.bias"]
        x = np.maximum(x, 0) if layer != "out" else x
    share = float(np.mean(1 / (1 + np.exp(-x[:, 0]))))
    level = seen.level * (seen.told / seen.level) ** share
    coarse = np.exp(np.log(seen.coarse) + share * np.log(seen.windows / seen.coarse))
    return level, coarse


@cache
def weights() -> Weights:
    """Return the weights that ship, by layer and kind, of several networks along the first axis."""
    with np.load(FILE) as file:
        return {name: file[name].astype(np.float32) for name in file.files}


def _features(
    spectra: WindowSpectra, found: LocalNoise, level: float, told: float, error: float, coarse: Array, windows: Array
) -> NDArray[np.float32]:
    """Return `Views.features`; `error` is the relative error that the network states, the others are as there."""
    used = spectra.used
    robust = spectra.robust[used]
    quietest = np.argsort(robust @ rings(spectra.size).area)[: max(1, len(robust) // 10)]
    apart = np.log(windows / coarse)[used]
    curves = [
        robust.mean(axis=0),
        np.quantile(robust, 0.1, axis=0),
        np.quantile(robust, 0.5, axis=0),
        robust[quietest].mean(axis=0),
        found.spectrum * level**2,
    ]
    logs = [np.interp(GRID, rings(spectra.size).k, _log(curve / level**2)) for curve in curves]
    single = [
        4 * np.log(told / level),
        10 * error,
        np.log(error),
        np.log(level),
        np.log(told),
        found.quiet,
        np.log(found.quiet + 0.01),
        10 * min(found.cutoff, _WHITE),
        10 * found.band[0],
        10 * found.band[1],
        float(spectra.size == 64),
        float(spectra.size == 16),
        np.log(len(robust)) / 3,
    ]
    spread = [*(4 * np.quantile(apart, QUANTILES)), *(4 * np.quantile(np.log(coarse[used] / level), QUANTILES))]
    spread += [*(4 * np.quantile(np.log(windows[used] / told), QUANTILES))]
    return np.concatenate([*(log / 2 for log in logs), single, spread]).astype(np.float32)


def _log(power: Array) -> Array:
    return np.asarray(np.log(np.maximum(power, np.exp(_DEEPEST))))
