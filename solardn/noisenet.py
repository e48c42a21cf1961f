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

from .tokens import Tokens

Floats = NDArray[Any]
Weights = dict[str, Floats]

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
