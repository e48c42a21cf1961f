"""Windows of simulated maps, and how strong the noise in them is: what the network of `solardn.noisenet` learns from."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from solardn.spectrum import hann
from solardn.tokens import SIZE, tokens

from .bank import SIZE as MAP
from .fields import Field
from .noisemaps import example

CHUNK = 1000
"""Maps in one file of examples."""


class Examples(NamedTuple):
    """Windows of maps.

    Attributes
    ----------
    features : (maps, rows, columns, features) array of float16
    used : (maps, rows, columns) array of bool
    level : (maps, rows, columns) array of float32
        Logarithm of the rms of the noise in each window, relative to the unit of the features.
    snr : (maps,) array of float32
        Signal rms over noise rms.
    """

    features: NDArray[np.float16]
    used: NDArray[np.bool_]
    level: NDArray[np.float32]
    snr: NDArray[np.float32]


def _chunk(seed: int, number: int, truths: Field) -> Examples:
    parts = []
    for i in range(CHUNK):
        rng = np.random.default_rng([seed, number, i])
        field, sigma, snr = example(rng, truths)
        valid = np.ones(field.shape, bool)
        if rng.random() < 0.05:
            y, x = rng.integers(0, MAP, 2)
            valid[y : y + MAP // 2, x : x + MAP // 2] = False
        seen = tokens(field.astype(float), valid)
        if seen is None:
            continue
        level = _in_windows(sigma, seen.rows, seen.columns) - seen.unit
        parts.append((seen.features.astype(np.float16), seen.used, level.astype(np.float32), np.float32(snr)))
    return Examples(*(np.stack(part) for part in zip(*parts, strict=True)))


def _in_windows(sigma: Field, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the logarithm of the rms noise in each window."""
    view = np.lib.stride_tricks.sliding_window_view(sigma.astype(float) ** 2, (SIZE, SIZE))[np.ix_(rows, columns)]
    return np.asarray(0.5 * np.log((view * hann(SIZE) ** 2).mean(axis=(2, 3))))


def examples(folder: Path, truths: Field, count: int, seed: int) -> Examples:
    """Return windows of `count` thousand maps, made where they are not there yet.

    Parameters
    ----------
    folder : Path
        Where they are kept.
    truths : ndarray, shape (fields, y, x)
        A bank of truths (`training.bank`).
    count : int
        Number of files of `CHUNK` maps.
    seed : int
        Of the noise and of what else is drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in track(range(count), description="drawing windows"):
        path = folder / f"{seed}-{number}.npz"
        if not path.exists():
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, **_chunk(seed, number, truths)._asdict())
            partial.rename(path)
    loaded = [np.load(folder / f"{seed}-{number}.npz") for number in range(count)]
    return Examples(*(np.concatenate([one[name] for one in loaded]) for name in Examples._fields))
