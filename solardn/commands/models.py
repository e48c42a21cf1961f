"""``solardn models``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import completion, options, report


@click.group(
    invoke_without_command=True,
    short_help="Networks at hand: list, show, verify, add.",
    epilog=options.examples("solardn models"),
)
@click.pass_context
def models(ctx: click.Context) -> None:
    """Networks at hand: list them, show their cards, check them, add your own."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_models)


@models.command(
    "list", short_help="List the networks that can be named.", epilog=options.examples("solardn models list")
)
def list_models() -> None:
    """List the networks that can be named: bundled, from SOLARDN_MODELS, and your own."""
    from rich.table import Table

    from ..errors import ModelError
    from ..model import available, load, place_of

    table = Table(box=None, pad_edge=False)
    for title in ("name", "from", "smallest map", "halo", "outputs", "description", "file"):
        table.add_column(title, no_wrap=title in ("name", "from"), overflow="fold")
    for name, path in available().items():
        try:
            card = load(path).card
        except ModelError as error:
            table.add_row(name, place_of(path), "–", "–", "–", f"unusable: {error}", str(path))
            continue
        least = f"{card.min_size} × {card.min_size}"
        table.add_row(name, place_of(path), least, str(card.halo), ", ".join(card.outputs), card.description, str(path))
    if table.row_count:
        report.print_table(table)
    else:
        click.echo("no network is at hand; add one with 'solardn models add FILE.onnx'")


@models.command(short_help="Show the card of a network.", epilog=options.examples("solardn models show stokes"))
@click.argument("name", default="stokes", shell_complete=completion.networks)
@click.option("--json", "as_json", is_flag=True, help="Print the card as JSON; its keys are those of the card itself.")
def show(name: str, as_json: bool) -> None:
    """Show the card of the network NAME (or ONNX file): what it is, needs, and comes from."""
    from ..model import load

    network = load(name)
    figures: dict[str, Any] = {"file": str(network.path), "sha256": network.sha256, "bytes": len(network.data)}
    figures |= {key: value for key, value in vars(network.card).items() if key != "check"}
    figures["self-check"] = network.card.check is not None
    if as_json:
        report.print_json(figures)
        return
    for key, value in figures.items():
        click.echo(f"{key:<12} {_words(value)}")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items()) or "–"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if value is None or value == "":
        return "–"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


@models.command(
    short_help="Run the self-check that networks carry.", epilog=options.examples("solardn models verify stokes")
)
@click.argument("names", nargs=-1, shell_complete=completion.networks)
@click.option(
    "--device",
    metavar=options.DEVICES,
    shell_complete=completion.words(*options.KINDS),
    default="cpu",
    show_default=True,
    help="Where to run the check.",
)
def verify(names: tuple[str, ...], device: str) -> None:
    """Run the self-check that a network carries; of all networks at hand when no NAMES are given."""
    from ..errors import ModelError, SolardnError
    from ..model import available, load

    failed: list[str] = []
    for name in names or tuple(available()):
        try:
            difference = load(name).verify(device)
        except SolardnError as error:
            if len(names) == 1:
                raise
            failed.append(name)
            click.echo(f"{name:<16} fails: {error}")
        else:
            click.echo(f"{name:<16} right: largest difference {difference:.2g} of the output's range")
    if failed:
        raise ModelError(f"the self-check of {', '.join(failed)} failed; get the files again, or convert them again")


@models.command(
    short_help="Check a network, and keep it under its name.",
    epilog=options.examples("solardn models add network.onnx --name mine --overwrite"),
)
@click.argument("file", type=options.PATH)
@click.option("--name", metavar="NAME", help="Name to give it.  [default: the file's]")
@click.option("--overwrite", is_flag=True, help="Replace a network of that name that you added before.")
def add(file: Path, name: str | None, overwrite: bool) -> None:
    """Check the ONNX file FILE and keep a copy of it under its name, for --model."""
    from ..collect import add as keep

    path = keep(file, name, overwrite=overwrite)
    click.echo(f"{path.stem} added: {path}")
