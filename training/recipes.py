"""The networks that ship, and those they start from: what each is built from, and how it is trained."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from .bank import bank
from .batches import Batches
from .network import FULL, stokes
from .start import begin, starting_weights, trained_weights
from .train import Plan, Trainer, validation

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
        The network whose weights it starts from, where layers bear the same name: as it was trained here, else as it is published.
    teacher : str, optional
        The published network from whose results it learns, in place of the truth.
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
    truths: int = 6000
    noises: int = 3000
    bank_seed: int = 1
    held_out_seed: int = 2


_STOKES = "Stokes maps in units of the noise: U-Net at half resolution and below that subtracts the noise it finds"

RECIPES = {
    "stokes": Recipe(
        build=stokes,
        plan=Plan(steps=15_000, seed=7, every=1000),
        description=_STOKES,
        start="stokes-bayes",
        teacher="stokes-bayes",
        truths=8000,
        bank_seed=3,
    ),
    "stokes-trunk": Recipe(
        build=lambda: stokes(FULL),
        plan=Plan(steps=16_000, rate=1e-3, seed=5, every=1000),
        description=_STOKES,
        start="stokes-bayes",
        truths=8000,
        bank_seed=3,
    ),
    "stokes-bayes": Recipe(
        build=lambda: stokes(FULL, rate=0.1, kind="channel"),
        plan=Plan(steps=4_000, rate=4e-4, seed=6, every=500),
        description=f"{_STOKES}; larger, with dropout behind the encoder and a log variance, for uncertainty",
        start="stokes-trunk",
        truths=8000,
        bank_seed=3,
    ),
}


def build(recipe: Recipe) -> keras.Model:
    """Return the network of a recipe, with the weights it starts from."""
    model = recipe.build()
    if recipe.start:
        trained = RUNS / recipe.start / "final.keras"
        begin(model, trained_weights(trained) if trained.exists() else starting_weights(recipe.start))
    return model


def teacher(recipe: Recipe) -> Callable[[], keras.Model] | None:
    """Return what makes the teacher of a recipe, in the precision of the training."""
    if recipe.teacher is None:
        return None
    weights = starting_weights(recipe.teacher)

    def make() -> keras.Model:
        model = stokes(FULL)
        begin(model, weights)
        return model

    return make


def train(name: str) -> Path:
    """Train a network by its recipe, or go on where it was interrupted; return the path of the final Keras model."""
    recipe = RECIPES[name]
    trainer = Trainer(RUNS / name, lambda: build(recipe), recipe.plan, teacher(recipe))
    _note_revision(RUNS / name / "revision")
    batches = Batches(
        bank(BANKS, "truth", recipe.truths, recipe.bank_seed),
        bank(BANKS, "noise", recipe.noises, recipe.bank_seed),
        recipe.plan.seed,
    )
    held_out = (np.array(bank(BANKS, kind, 24, recipe.held_out_seed)) for kind in ("truth", "noise"))
    return trainer.run(batches, validation(*held_out))


def _note_revision(path: Path) -> None:
    """Keep the revision of this repository at which a training began, and whether it had uncommitted changes."""
    if not path.exists():
        run = subprocess.run(["git", "describe", "--always", "--abbrev=40", "--dirty"], capture_output=True, text=True)
        path.write_text(run.stdout.strip() or "unknown")
