"""Progress on stderr: a bar where that is a terminal, now and then a line where it is a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .report import duration

if TYPE_CHECKING:
    from ..many import Watch

EVERY = 300.0
"""Seconds between the lines of a log, at the least: short runs say nothing there."""


@contextmanager
def shown(wanted: bool) -> Iterator[Watch]:
    """Show maps done, speed and time left while the body runs.

    The body gets a function that is told number, total and path of the file that is next, and returns the callback for its maps.

    Parameters
    ----------
    wanted : bool
        Whether to show anything.
    """
    if not wanted:
        yield lambda number, total, path: None
        return
    if not sys.stderr.isatty():
        yield _logged()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("maps, {task.fields[speed]:.1f} Mpx/s,"),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # what is printed meanwhile goes above the bar; into a file it goes as it is
    )
    with bar:
        task = bar.add_task("", total=None, speed=0.0)

        def watch(number: int, total: int, path: Path) -> Callable[[int, int, int], None]:
            bar.reset(task, description=_name(number, total, path), total=None)
            begun = time.perf_counter()

            def update(done: int, maps: int, pixels: int) -> None:
                speed = pixels / max(time.perf_counter() - begun, 1e-9) / 1e6
                bar.update(task, completed=done, total=maps, speed=speed)

            return update

        yield watch


def _logged() -> Watch:
    """Return what writes a line to stderr now and then, so that a log tells whether a run of hours goes on."""
    last = time.monotonic()

    def watch(number: int, total: int, path: Path) -> Callable[[int, int, int], None]:
        begun = time.monotonic()

        def update(done: int, maps: int, pixels: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < EVERY:
                return
            last, taken = now, max(now - begun, 1e-9)
            left = duration(taken * (maps / done - 1)) if done else "unknown"
            click.echo(
                f"{_name(number, total, path)}: {done} of {maps} maps, {pixels / taken / 1e6:.1f} Mpx/s, {left} left",
                err=True,
            )

        return update

    return watch


def _name(number: int, total: int, path: Path) -> str:
    return path.name + (f" ({number} of {total})" if total > 1 else "")
