"""Train a network from noisy pairs alone, as Díaz Baso et al. (2019) and Lehtinen et al. (2018) do: the mean of what a partner shows is the truth."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from solardn.errors import OptionError, SolardnError

from .begun import keep
from .network import MULTIPLE, stokes
from .observed import Asked, Stack, read
from .pairbatches import PairBatches, trained_width
from .recipes import RECIPES, RUNS
from .scores import rms
from .start import copy, starting_network
from .train import Plan, Trainer

_STRIPS = 24
"""Pairs that validation looks at."""


class PairTrainer(Trainer):
    """Trains towards noisy partners."""

    def loss(self, noisy: tf.Tensor, truth: tf.Tensor, expected: tf.Tensor, training: bool) -> tf.Tensor:
        """Return the mean square distance to the partners: of all losses the one whose minimum is the mean, hence the truth."""
        mean = ops.cast(self.model(noisy, training=training), "float32")
        square = ops.mean(ops.square(mean - truth), axis=(1, 2, 3))
        return 0.5 * ops.mean(square / ops.square(ops.maximum(expected, 0.15)))


def validation(stacks: list[Stack]) -> Callable[[keras.Model], dict[str, float]]:
    """Return a function that compares results with partners in columns kept from training, in units of the noise rms.

    It gives ``pair``, rms(result − partner), which is 1 for a perfect result where the scene stood still; and ``as_is``, the same of
    the data, √2 there.
    """
    strips = []
    for stack in stacks:
        chosen = np.linspace(0, len(stack.pairs) - 1, max(1, _STRIPS // len(stacks))).round().astype(int)
        height, first = stack.maps.shape[1] // MULTIPLE * MULTIPLE, trained_width(stack)
        width = (stack.maps.shape[2] - first) // MULTIPLE * MULTIPLE
        strips += [
            stack.maps[stack.pairs[n], :height, first : first + width] / stack.sigma[stack.pairs[n, 0]]
            for n in np.unique(chosen)
        ]

    def validate(model: keras.Model) -> dict[str, float]:
        found = [np.asarray(model(a[None, ..., None], training=False), np.float32)[0, ..., 0] for a, _ in strips]
        return {
            "pair": float(np.mean([rms(result - b) for result, (_, b) in zip(found, strips, strict=True)])),
            "as_is": float(np.mean([rms(a - b) for a, b in strips])),
        }

    return validate


def train(
    name: str, asked: Asked, steps: int, start: str | None, runs: Path = RUNS, say: Callable[[str], None] = print
) -> Path:
    """Train a network from pairs, or go on where training was interrupted; return the ONNX file.

    Parameters
    ----------
    name : str
        The network's name.
    asked : Asked
        Where the pairs come from.
    steps : int
        Steps of training, at least 400.
    start : str, optional
        The network to start from, by name or ONNX file, which tells the form, too; random weights when not given.
    runs : Path
        Where trainings are kept.
    say : callable
        Takes what is to be known about the pairs, in words.

    Raises
    ------
    InputError
        The observations cannot be used, see `training.observed.read`.
    OptionError
        The name exists, or an option is nonsense.
    ModelError
        The network to start from cannot be used.
    """
    record = {"name": name, "steps": steps, "start": start, **asdict(asked)}
    begun = None if start is None else starting_network(start)
    folder = claim(runs, name, record)
    try:
        stacks = read(asked, folder / "pairs")
    except SolardnError:
        shutil.rmtree(folder)  # so that the name is free for better data
        raise

    for file, stack in zip(asked.files, stacks, strict=True):
        say(f"{file}: {stack}")

    def build() -> keras.Model:
        return stokes() if begun is None else copy(begun)

    plan = Plan(steps=steps, rate=1.5e-3 if start is None else 3e-4, every=max(1, min(500, steps // 4)))
    final = PairTrainer(folder, build, plan).run(PairBatches(stacks, plan.seed), validation(stacks))
    return _convert(final, record)


def claim(runs: Path, name: str, record: dict[str, Any]) -> Path:
    """Take a folder for a training, or find it begun by the same command; return it.

    Raises
    ------
    OptionError
        The name cannot be used, is taken, or belongs to a training with other options.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise OptionError(f"{name!r} cannot be the name of a network; use letters, digits, '.', '-' and '_'")
    if name in {*RECIPES, *(recipe.mean for recipe in RECIPES.values())}:
        raise OptionError(f"{name} is the name of a network that is trained from simulation; give another name")
    folder = runs / name
    if (folder / f"{name}.onnx").exists():
        raise OptionError(
            f"the network {folder / f'{name}.onnx'} exists; give another name, or remove {folder} to train it anew"
        )
    if folder.exists() and not (folder / "record.json").exists():
        raise OptionError(f"{folder} exists and holds no training from pairs; give another name")
    keep(folder, record, f"go on with the same options, give another name, or remove {folder}")
    return folder


def _without_folders(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record for others to read: where files lie on this machine is no concern of theirs."""
    start, partner = (record[key] and Path(record[key]).name for key in ("start", "partner"))
    return {**record, "files": [Path(file).name for file in record["files"]], "start": start, "partner": partner}


def command(record: dict[str, Any]) -> str:
    """Return the command that trains what a record tells of."""
    words = ["python", "-m", "training", "train", record["name"]]
    words += [word for file in record["files"] for word in ("--pairs", file)]
    options = {**record, "start": record["start"] or "none"}
    for key in ("partner", "along", "step", "axes", "stokes", "steps", "start"):
        if options[key] is not None:
            words += [f"--{key}", str(options[key])]
    return shlex.join(words)


def _convert(final: Path, record: dict[str, Any]) -> Path:
    from export.cards import save
    from export.convert import convert
    from export.source import open_source

    name = record["name"]
    told = _without_folders(record)
    files = ", ".join([*told["files"], *filter(None, [told["partner"]])])
    card = {
        "input_sigma": 1.0,
        "description": f"Trained from noisy pairs of {files}",
        "source": {"command": command(told), "options": told},
    }
    path = final.with_name(f"{name}.onnx")
    save(convert(open_source(final, None, ("training.network",)), name, card), path)
    return path
