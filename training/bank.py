"""Banks of simulated fields on disk: drawn once from seeds, shared by all trainings."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from rich.progress import track

from . import noise, truth

SIZE = 256
"""Height and width of the fields of a bank, in pixels."""

_KINDS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float32]]] = {
    "truth": truth.draw,
    "noise": noise.draw,
}


@dataclass(frozen=True)
class _Part:
    path: Path
    kind: str
    seed: int
    start: int
    stop: int


def _fill(part: _Part) -> int:
    bank = open_memmap(part.path, mode="r+")
    for i in range(part.start, part.stop):
        # One seed a field: the bank does not depend on how the work was shared out.
        bank[i] = _KINDS[part.kind](np.random.default_rng([part.seed, i, list(_KINDS).index(part.kind)]), SIZE)
    bank.flush()
    return part.stop - part.start


def bank(folder: Path, kind: str, count: int, seed: int) -> NDArray[np.float32]:
    """Return a bank of fields, made when it is not there yet.

    Parameters
    ----------
    folder : Path
        Where banks are kept.
    kind : {"truth", "noise"}
        What to draw; see `truth.draw` and `noise.draw`.
    count : int
        Number of fields.
    seed : int
        Seed of the bank.

    Returns
    -------
    ndarray, shape (count, 256, 256), float32
        Each field of rms 1, mapped from disk.
    """
    path = folder / f"{kind}-{seed}-{count}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npy")
        open_memmap(partial, mode="w+", dtype=np.float32, shape=(count, SIZE, SIZE)).flush()
        step = 50
        parts = [_Part(partial, kind, seed, i, min(i + step, count)) for i in range(0, count, step)]
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            for _ in track(pool.map(_fill, parts), description=f"drawing {count} fields of {kind}", total=len(parts)):
                pass
        partial.rename(path)
    return open_memmap(path, mode="r")
