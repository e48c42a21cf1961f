"""Compare a network trained from noisy pairs with one trained towards clean targets, on a simulated observation."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from . import noise, truth
from .bank import SIZE, bank
from .batches import Batch
from .fields import log_uniform
from .network import stokes
from .observed import Stack
from .pairbatches import PairBatches
from .pairs import PairTrainer
from .recipes import BANKS, RUNS
from .train import Plan, Trainer, validation

SCENES = 400
"""Scenes of the simulated observation, each seen twice."""
_SEED = 9


@dataclass(frozen=True)
class CleanBatches(PairBatches):
    """Draws the same patches, with the truth in place of the partner.

    Attributes
    ----------
    truths : ndarray, shape (scenes, y, x), float32
        In the data's units; scene n is what maps 2n and 2n + 1 show.
    """

    truths: NDArray[np.float32]

    def partner(self, stack: Stack, first: int, second: int) -> NDArray[np.float32]:
        """Return the truth under a map."""
        field: NDArray[np.float32] = self.truths[first // 2]
        return field


def _scene(number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a truth, and the two observations of it; noise of one spectrum, drawn twice."""
    rng = np.random.default_rng([_SEED, number])
    field = log_uniform(rng, 0.3, 20.0) * truth.draw(rng, SIZE)
    drawn = noise.draw(rng, 2 * SIZE)
    frames = np.stack([field + drawn[:SIZE, :SIZE], field + drawn[SIZE:, SIZE:]])
    return field, frames


def observation(folder: Path) -> tuple[Stack, NDArray[np.float32]]:
    """Return a simulated observation as pairs, and its truths; made when it is not there yet."""
    paths = [folder / "truths.npy", folder / "maps.npy"]
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor() as pool:
            fields, frames = zip(*pool.map(_scene, range(SCENES), chunksize=10), strict=True)
        np.save(paths[0], np.stack(fields))
        np.save(paths[1], np.concatenate(frames))
    truths, maps = (open_memmap(path, mode="r") for path in paths)
    sigma = np.array([np.std(frame - truths[n // 2]) for n, frame in enumerate(maps)])
    return Stack(maps, sigma, np.arange(len(maps)).reshape(-1, 2)), truths


def compare(steps: int, runs: Path = RUNS) -> dict[str, dict[str, float]]:
    """Train both ways, from the same random weights and patches, and return the errors on simulated maps kept from both.

    Parameters
    ----------
    steps : int
        Steps of each training.
    runs : Path
        Where trainings are kept; an interrupted one goes on.

    Returns
    -------
    dict
        ``clean``, ``pairs`` and their ``ratio``: rms error in units of the noise rms by signal-to-noise, and over all; also written to
        ``runs/pairtest/result.json``.
    """
    folder = runs / "pairtest"
    stack, truths = observation(folder)
    plan = Plan(steps=steps)
    validate = validation(*(np.array(bank(BANKS, kind, 24, 2)) for kind in ("truth", "noise")))
    ways: dict[str, tuple[type[Trainer], Callable[[int], Batch]]] = {
        "clean": (Trainer, CleanBatches([stack], plan.seed, truths)),
        "pairs": (PairTrainer, PairBatches([stack], plan.seed)),
    }
    found = {}
    for way, (trainer, batches) in ways.items():
        last: dict[str, float] = {}

        def note(model: object, kept: dict[str, float] = last) -> dict[str, float]:
            kept.update(validate(model))
            return kept

        training = trainer(folder / way, lambda: stokes(), plan)
        training.run(batches, note)
        found[way] = last
    found["ratio"] = {key: found["pairs"][key] / found["clean"][key] for key in found["clean"]}
    (folder / "result.json").write_text(json.dumps({"steps": steps, **found}, indent=1) + "\n")
    return found
