"""A trained network becomes one that ships: converted, able to draw its dropout masks, with a complete card, its training kept as a table and a picture."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from export.cards import read_places, save
from export.convert import convert
from export.dropout import add_dropout
from export.source import open_source
from solardn.errors import ModelError

from .begun import read
from .network import stokes
from .recipes import RECIPES, RUNS
from .start import begin, trained_weights

MODELS = Path("models")
RECORDS = Path("docs/training")
_REFERENCE = (
    "solardn; after Díaz Baso, de la Cruz Rodríguez & Danilovic (2019), A&A 629, A99, doi:10.1051/0004-6361/201936069"
)


def publish(name: str, models: Path = MODELS) -> list[Path]:
    """Convert the trained network ``name`` into ``models`` and return what was written; older files are replaced.

    One that was trained with dropout draws masks then, of the kind and the rate of its training; where its recipe says so, its
    mean is published as a network of its own, too.

    Raises
    ------
    ModelError
        The training has not come to its end.
    """
    recipe, run = RECIPES[name], RUNS / name
    if not (run / "final.keras").exists():
        raise ModelError(
            f"{run / 'final.keras'} is not there: the training of {name} has not come to its end; run python -m training train {name} before"
        )
    written = [_convert(name, recipe.description, run / "final.keras", name, models)]
    if recipe.mean:
        mean = stokes()
        begin(mean, trained_weights(run / "final.keras"))
        mean.save(run / "mean.keras")
        written.append(_convert(recipe.mean, recipe.mean_description, run / "mean.keras", name, models))
    _record(name, run)
    return written


def _convert(name: str, description: str, source: Path, trained: str, models: Path) -> Path:
    """Convert a Keras file, made by the training ``trained``, to a network called ``name``."""
    card = {
        "input_sigma": 1.0,
        "description": description,
        "reference": _REFERENCE,
        "licence": "MIT",
        "source": _origin(trained),
    }
    model = convert(open_source(source, None, ("training.network",)), name, card)
    if read_places(model):
        model = add_dropout(model)
    path = models / f"{name}.onnx"
    save(model, path, overwrite=True)
    return path


def _origin(name: str) -> dict[str, object]:
    """Return what made the weights, for the card."""
    run = RUNS / name
    return {
        "command": f"python -m training train {name}",
        **read(run),
        **{one: (run / one).read_text().strip() for one in ("revision", "precision")},
    }


def _record(name: str, run: Path) -> None:
    """Keep the losses of a training as a table and a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    RECORDS.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run / "losses.csv", RECORDS / f"{name}.csv")
    with (run / "losses.csv").open() as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    steps = [row["step"] for row in rows]
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for key in rows[0]:
        if key.startswith("snr"):
            axes.plot(steps, [row[key] for row in rows], label=f"signal {key[3:]} × noise")
    axes.plot(steps, [row["loss"] for row in rows], "k--", label="training loss")
    axes.set(xlabel="step", ylabel="rms error / noise rms (validation)", yscale="log", title=name)
    axes.legend(fontsize="small")
    figure.savefig(RECORDS / f"{name}.png", dpi=110)
    pyplot.close(figure)
