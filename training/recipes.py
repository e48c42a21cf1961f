"""The networks that ship, and those they start from: what each is built from, and how it is trained."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from solardn.model import load

from .bank import bank
from .batches import Batches
from .begun import keep
from .network import LARGE, stokes
from .start import begin, copy, starting_network, starting_weights
from .train import LEFT, Plan, Trainer, validation

BANKS = Path("runs/banks")
RUNS = Path("runs")


@dataclass(frozen=True)
class Recipe:
    """How to make one network.

    Attributes
    ----------
    build : callable
        Makes the network.
    plan : Plan
        How it is trained.
    description : str
        What it is, for its card.
    start : str, optional
        The published network on from whose weights it trains, where layers bear the same name; without, all weights begin anew.
    teacher : str, optional
        The published network from whose results it learns, in place of the truth.
    mean : str, optional
        Name under which its mean is published, too, without dropout and variance.
    mean_description : str
        What that is, for its card.
    truths, noises : int
        Sizes of the banks.
    bank_seed, held_out_seed : int
        Seeds of the banks for training and for validation.
    """

    build: Callable[[], keras.Model]
    plan: Plan
    description: str
    start: str | None = None
    teacher: str | None = None
    mean: str | None = None
    mean_description: str = ""
    truths: int = 6000
    noises: int = 3000
    bank_seed: int = 1
    held_out_seed: int = 2


_STOKES = "Stokes maps in units of the noise: U-Net at half resolution and below that subtracts the noise it finds"

RECIPES = {
    "stokes-best": Recipe(
        build=lambda: stokes(LARGE),
        plan=Plan(steps=3_000, rate=1e-4, seed=25, every=1000),
        description=f"{_STOKES}; larger and slower, a little better: the teacher of the others",
        start="stokes-best",
        truths=8000,
        bank_seed=3,
    ),
    "stokes-bayes": Recipe(
        build=lambda: stokes(rate=0.1, kind="channel"),
        plan=Plan(steps=7_000, rate=4e-4, seed=24, every=1000),
        description=f"{_STOKES}; with dropout behind the encoder and a log variance, for uncertainty",
        start="stokes-bayes",
        teacher="stokes-best",
        mean="stokes",
        mean_description=_STOKES,
        truths=8000,
        bank_seed=3,
    ),
}


def build(recipe: Recipe) -> keras.Model:
    """Return the network of a recipe, with the weights it starts from."""
    model = recipe.build()
    if recipe.start:
        begin(model, starting_weights(recipe.start))
    return model


def teacher(name: str | None) -> Callable[[], keras.Model] | None:
    """Return what makes a teacher, in the precision of the training."""
    return None if name is None else partial(copy, starting_network(name))


def train(name: str) -> Path:
    """Train a network by its recipe, or go on where it was interrupted; return the path of the final Keras model."""
    recipe = RECIPES[name]
    run = RUNS / name
    keep(run, record(recipe), f"move {run} elsewhere to begin anew, or go on with the same")
    _note_revision(run / "revision")
    trainer = Trainer(run, lambda: build(recipe), recipe.plan, teacher(recipe.teacher))
    batches = Batches(
        bank(BANKS, "truth", recipe.truths, recipe.bank_seed),
        bank(BANKS, "noise", recipe.noises, recipe.bank_seed),
        recipe.plan.seed,
    )
    held_out = (np.array(bank(BANKS, kind, 24, recipe.held_out_seed)) for kind in ("truth", "noise"))
    return trainer.run(batches, validation(*held_out))


def record(recipe: Recipe) -> dict[str, object]:
    """Return what decides the weights that a training ends with, for the folder of the training and for the card of the network."""
    return {
        "start": _which(recipe.start),
        "teacher": _which(recipe.teacher),
        "seed": recipe.plan.seed,
        "steps": recipe.plan.steps,
        "rate": recipe.plan.rate,
        "last_rate": recipe.plan.rate * LEFT,
        "data": f"simulated: {recipe.truths} truths and {recipe.noises} noise fields of 256×256 pixels, seed {recipe.bank_seed}",
    }


def _which(name: str | None) -> str:
    """Return a published network with its weights, so that they can be told from later ones of that name."""
    return "none" if name is None else f"{name}, sha256 {load(name).sha256}"


def _note_revision(path: Path) -> None:
    """Keep the revision of this repository at which a training began, and whether it had uncommitted changes."""
    if not path.exists():
        run = subprocess.run(["git", "describe", "--always", "--abbrev=40", "--dirty"], capture_output=True, text=True)
        path.write_text(run.stdout.strip() or "unknown")
