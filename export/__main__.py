"""``python -m export``: Keras networks become the ONNX files that solardn runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from solardn.commands.options import examples
from solardn.errors import OptionError

from .framework import prepare
from .sentences import Sentences

FILE = click.Path(path_type=Path)
_GIVEN: dict[str, tuple[type | tuple[type, ...], str]] = {
    "description": (str, "text"),
    "reference": (str, "text"),
    "licence": (str, "text"),
    "calibration": (dict, "an object"),
    "source": (dict, 'an object, as {"data": "…"}'),
    "input_sigma": ((int, float), "a number"),
}
"""What a card may be given, its type in Python and in words."""


def network_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that say what a file of weights is."""
    layers = click.option(
        "--layers",
        "modules",
        multiple=True,
        metavar="MODULE",
        help="Python module that registers the network's own layers.",
    )
    architecture = click.option(
        "--architecture",
        metavar="unet|bayes",
        help="What the weights belong to; without it the file is a whole Keras model.",
    )
    return architecture(layers(command))


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """Turn trained Keras networks into the ONNX files that solardn runs.

    A development tool: users of solardn need none of it, nor TensorFlow.
    """


@main.command(
    epilog=examples(
        "python -m export convert sst_bayes_weights.hdf5 --architecture bayes -o sst-bayes.onnx",
        "python -m export convert stokes.keras --input-sigma 1 -o stokes.onnx",
    )
)
@click.argument("weights", type=FILE)
@network_options
@click.option("-o", "--output", type=FILE, required=True, help="The ONNX file to write.")
@click.option("--name", help="The network's name; that of the output file by default.")
@click.option("--input-sigma", type=float, help="rms of the noise in training, in the network's input units.")
@click.option(
    "--card", type=FILE, help="JSON file with description, reference, licence, calibration, source for the card."
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
def convert(
    weights: Path, architecture: str | None, modules: tuple[str, ...], output: Path, name: str | None,
    input_sigma: float | None, card: Path | None, overwrite: bool,
) -> None:  # fmt: skip
    """Convert legacy HDF5 weights (bare, or in a whole saved model) or a Keras model."""
    prepare()
    from .cards import check_output, save
    from .convert import convert as convert_source
    from .source import open_source

    check_output(output, overwrite)
    given = _read_json(card)
    if input_sigma is not None:
        given["input_sigma"] = input_sigma
    model = convert_source(open_source(weights, architecture, modules), name or output.stem, given)
    save(model, output, overwrite)
    _report(output)


@main.command(epilog=examples("python -m export verify sst-bayes.onnx sst_bayes_weights.hdf5"))
@click.argument("network", type=FILE)
@click.argument("weights", type=FILE)
@network_options
def verify(network: Path, weights: Path, architecture: str | None, modules: tuple[str, ...]) -> None:
    """Compare an ONNX file with the Keras weights it came from, on maps of several sizes.

    Fails where they differ by more than 1e-6 of the output's range.
    """
    prepare()
    from .verify import verify as run

    for one in run(network, weights, architecture, modules):
        size = "×".join(map(str, one.shape))
        click.echo(f"{one.output:>12}  {size:>11} px  {one.difference:.1e} of its range")


@main.command(
    epilog=examples(
        "python -m export dropout stokes.onnx -o stokes-mc.onnx",
        "python -m export dropout sst-bayes.onnx -o sst-mc.onnx --dropout element --rate 0.05",
    )
)
@click.argument("network", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="The ONNX file to write.")
@click.option("--dropout", "kind", metavar="element|channel", help="What is dropped.  [default: as in training]")
@click.option("--rate", type=float, help="Fraction dropped.  [default: as in training]")
@click.option("--name", help="The new network's name.  [default: that of the output file]")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
def dropout(
    network: Path, output: Path, kind: str | None, rate: float | None, name: str | None, overwrite: bool
) -> None:
    """Let a converted network draw dropout masks, for the uncertainty of its results.

    Masks follow from a seed and the place in the map alone. The rate belongs to the training: what a network trained without
    dropout spreads over means nothing.
    """
    from .cards import check_output, load, read_places, save
    from .dropout import add_dropout

    check_output(output, overwrite)
    model = load(network)
    made = add_dropout(model, kind, rate, name or output.stem)
    save(made, output, overwrite)
    _report(output)
    if not read_places(model):
        click.echo(f"note: {network} was trained without dropout, so its spread is no uncertainty", err=True)


@main.command(epilog=examples("python -m export authors ."))
@click.argument("folder", type=FILE)
@click.option(
    "--sdist", type=FILE, help="The .tar.gz of ISPy-solar 0.2.3, if it is at hand; fetched from PyPI otherwise."
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
def authors(folder: Path, sdist: Path | None, overwrite: bool) -> None:
    """Fetch the authors' published SST network from PyPI and convert it to FOLDER/authors-sst.onnx."""
    prepare()
    from .authors import NAME, convert_authors
    from .cards import check_output, save

    output = folder / f"{NAME}.onnx"
    check_output(output, overwrite)
    save(convert_authors(sdist), output, overwrite)
    _report(output)


def _read_json(path: Path | None) -> dict[str, Any]:
    """Return the card's values from a JSON file; none without a file."""
    if path is None:
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"the card {path} cannot be read as JSON ({error}); check the file") from error
    unknown = sorted(set(values) - set(_GIVEN)) if isinstance(values, dict) else ["no object"]
    if unknown:
        raise OptionError(f"the card {path} holds {', '.join(unknown)}; it may hold {', '.join(_GIVEN)}")
    for key, value in values.items():
        kind, words = _GIVEN[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise OptionError(f"the card {path} gives {value!r} as {key}; {words} is needed")
    return dict(values)


def _report(path: Path) -> None:
    from .cards import load, read_card

    card = read_card(load(path), str(path))
    click.echo(
        f"{path}: {', '.join(card.outputs)}; halo {card.halo} px, multiple {card.multiple} px, smallest map {card.min_size} px, noise {card.input_sigma:g}"
        + (
            f"; {card.dropout['kind']} dropout of {card.dropout['rate']:g} at {card.dropout['layers']} places"
            if card.dropout
            else ""
        )
    )


if __name__ == "__main__":
    main(prog_name="python -m export")
