"""``python -m training``: train the networks that ship, and judge any network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from export.sentences import Sentences
from solardn.commands.options import examples

# The backend whose models convert; quiet about what it found on this machine.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train networks from simulation, and judge them on truths they never saw."""


@main.command(
    epilog=examples("python -m training train stokes-bayes", "python -m training train mine --pairs observation.fits")
)
@click.argument("name")
@click.option("--pairs", multiple=True, metavar="FILE", help="Train from this observation instead (may be repeated).")
@click.option(
    "--partner", metavar="FILE", help="Second observation of the same scene; its maps pair with those of --pairs."
)
@click.option("--along", type=click.Choice(["time", "wavelength"]), help="Axis along which neighbouring maps pair.")
@click.option("--step", type=click.IntRange(1), default=1, show_default=True, help="Distance of maps that pair.")
@click.option("--axes", metavar="TEXT", help="What the axes are, as y=3,x=4,time=0, where a file does not say.")
@click.option("--stokes", metavar="QUV", help="Stokes parameters to train from.")
@click.option(
    "--steps", type=click.IntRange(400), default=6000, show_default=True, help="Steps of training from pairs."
)
@click.option(
    "--start",
    default="stokes",
    show_default=True,
    help="Network that is refined, by name or ONNX file; 'none' for random weights.",
)
def train(name: str, pairs: tuple[str, ...], steps: int, start: str, **options: Any) -> None:
    """Train the network NAME, or go on where its training was interrupted.

    Without --pairs, by its recipe, from simulation. With --pairs, from observations alone: maps that neighbour in time or wavelength
    show the same scene with different noise.
    """
    if pairs:
        from .observed import Asked
        from .pairs import train as run_pairs

        click.echo(run_pairs(name, Asked(pairs, **options), steps, None if start == "none" else start, say=click.echo))
        return
    from .recipes import train as run

    _refuse_unknown(name, ", or give observations with --pairs")
    _refuse_of_pairs(name)
    click.echo(run(name))


def _refuse_unknown(name: str, otherwise: str = "") -> None:
    from .recipes import RECIPES

    if name not in RECIPES:
        raise click.BadParameter(
            f"there is no recipe {name!r}; there are {', '.join(RECIPES)}{otherwise}", param_hint="NAME"
        )


def _refuse_of_pairs(name: str) -> None:
    """Refuse options that only pairs have a use for."""
    context = click.get_current_context()
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"{', '.join(given)} goes with --pairs only; give observations, or leave it out: {name} is trained by its recipe"
        )


@main.command()
@click.argument("name")
def publish(name: str) -> None:
    """Convert the trained network NAME to ONNX, let it draw the dropout masks of its training, put it into models/, and keep the record of its training.

    Example: python -m training publish stokes-bayes
    """
    from .publish import publish as run

    _refuse_unknown(name)
    for path in run(name):
        click.echo(path)


@main.command()
@click.option("--steps", type=click.IntRange(400), default=6000, show_default=True, help="Steps of each training.")
def pairtest(steps: int) -> None:
    """Compare training from noisy pairs with training towards clean targets, on a simulated observation.

    Example: python -m training pairtest
    """
    from .pairtest import compare

    for way, scores in compare(steps).items():
        click.echo(f"{way:>6} " + " ".join(f"{key}:{value:.3f}" for key, value in scores.items()))


@main.command()
@click.argument("network", type=click.Path(path_type=Path))
def calibrate(network: Path) -> None:
    """Make the standard deviations of an ONNX network honest: find their factor on simulated maps, and note it in its card.

    Example: python -m training calibrate models/stokes-bayes.onnx
    """
    from .calibrate import calibrate as run

    click.echo(run(network))


@main.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "--authors",
    type=click.Path(path_type=Path),
    default=Path("runs/evaluation"),
    show_default=True,
    help="Folder of the authors' network authors-sst.onnx; fetched and converted into it when it is not there.",
)
@click.option("--bm3d/--no-bm3d", default=True, help="Compare with BM3D, told the true spectrum of the noise (slow).")
@click.option("--quick", is_flag=True, help="Fewer cases.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("runs/evaluation/report"),
    show_default=True,
    help="Folder for tables and pictures.",
)
@click.option(
    "--views",
    type=int,
    metavar="1|2|4|8|16",
    default=1,
    help="Judge the mean over so many views of each map, too.",
)
def evaluate(models: tuple[str, ...], authors: Path, bm3d: bool, quick: bool, out: Path, views: int) -> None:
    """Judge networks (names or ONNX files) on held-out truths, beside the authors' network, BM3D and smoothing.

    Example: python -m training evaluate stokes --quick
    """
    from .evaluate import evaluate as run

    click.echo(run(models, authors, bm3d, quick, out, views))


@main.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--cases", type=click.IntRange(1), default=48, show_default=True, help="Cases, spread evenly over all.")
def cycles(models: tuple[str, ...], cases: int) -> None:
    """Check that --cycles auto never takes a result farther from the truth than one pass does, on held-out truths; exit code 1 where it does.

    Example: python -m training cycles stokes stokes-best --cases 48
    """
    from .passes import check, say

    words = []
    for model in models:
        words.append(say(model, check(model, cases)))
        click.echo(words[-1])
    if any("  farther" in said for said in words):
        raise SystemExit(1)


@main.command("noise-level")
@click.option("--only-weighing", is_flag=True, help="Train the second only.")
def noise_level(only_weighing: bool) -> None:
    """Train the small networks that help to find the noise level, and put their weights where solardn looks for them.

    The first tells the level from windows of a map; the second weighs that against what power spectra say.

    Example: python -m training noise-level
    """
    import shutil

    from solardn import noisenet, weighing

    from . import noiselevel, noiseweighing
    from .bank import bank
    from .recipes import BANKS, RUNS

    if not only_weighing:
        click.echo(shutil.copyfile(noiselevel.train(), noisenet.FILE))
        noisenet.weights.cache_clear()
    truths = bank(BANKS, "truth", noiselevel.TRUTHS, noiselevel.TRUTH_SEED)
    seen = noiseweighing.draw(truths, noiseweighing.MAPS, noiseweighing.SEED)
    click.echo(shutil.copyfile(noiseweighing.train(seen, RUNS / "noise-weighing.npz"), weighing.FILE))


@main.command()
@click.argument("observation", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "--authors",
    type=click.Path(path_type=Path),
    default=Path("runs/evaluation"),
    help="Folder of the authors' network.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/compare.png"), show_default=True)
def compare(observation: Path, models: tuple[str, ...], authors: Path, out: Path) -> None:
    """Draw what networks and the authors' make of an observed map (.npy), and what each leaves in the residual.

    Example: python -m training compare ../shared/reference/example_sst.npy stokes
    """
    from .sidebyside import compare as run

    click.echo(run(observation, models, authors, out))


@main.command()
def table() -> None:
    """Write the table of the networks that ship, models/README.md, from their cards.

    Example: python -m training table
    """
    from .table import write

    click.echo(write())


if __name__ == "__main__":
    main(prog_name="python -m training")
