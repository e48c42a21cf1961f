"""Where the time of a run went: a table, and a picture where matplotlib is there."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from ..stages import BESIDE, rows
from ..summary import Summary


def place_of(output: Path) -> Path:
    """Return where the picture of a run with this output goes."""
    return output.with_name(f"{output.name}.profile.png")


def check(output: Path, given: Path, *, overwrite: bool) -> None:
    """See that the picture can be written, before the work is done.

    Raises
    ------
    OutputError
    """
    from ..io.place import check_place

    if find_spec("matplotlib") is not None:
        check_place(place_of(output), [given], overwrite)


def show(summary: Summary, output: Path, *, silent: bool) -> None:
    """Print the time of each stage, unless nothing is to be told, and draw it."""
    found = rows(summary.stages, summary.seconds)
    lines = [
        f"    {name:<26} {seconds:8.2f} s  {part:5.1%}" + ("  beside the others" if name in BESIDE else "")
        for name, seconds, part in found
    ]
    if not silent:
        click.echo("\n".join(["  time by stage", *lines]))
    if find_spec("matplotlib") is None:
        click.echo(
            "    a picture of the time by stage needs matplotlib; install it with: pip install 'solardn[plot]'",
            err=silent,
        )
        return
    _draw(found, f"{summary.denoised} maps, {summary.network} on {summary.device}", place_of(output))
    if not silent:
        click.echo(f"    picture: {place_of(output)}")


def _draw(found: list[tuple[str, float, float]], title: str, path: Path) -> None:
    from ..panels import new_figure, save

    figure = new_figure(7, 0.6 + 0.35 * len(found))
    axes = figure.subplots()
    names = [name for name, _, _ in found]
    colours = ["#b9c3cc" if name in BESIDE else "#1f5a8a" for name in names]
    bars = axes.barh(names, [seconds for _, seconds, _ in found], color=colours)
    axes.bar_label(bars, [f"{seconds:.2f} s, {part:.0%}" for _, seconds, part in found], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.set(title=title, xlabel="seconds; pale: in threads beside the others")
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)
