"""Progress on stderr, where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..work import Progress


@contextmanager
def shown(wanted: bool, what: str) -> Iterator[Progress | None]:
    """Show maps done, speed and time left while the body runs, through the callback it is given.

    Parameters
    ----------
    wanted : bool
        Whether to show anything.
    what : str
        What is going on, in one word.
    """
    if not (wanted and sys.stderr.isatty()):
        yield None
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
    )
    with bar:
        task = bar.add_task(what, total=None, speed=0.0)
        begun = time.perf_counter()

        def update(done: int, total: int, pixels: int) -> None:
            speed = pixels / max(time.perf_counter() - begun, 1e-9) / 1e6
            bar.update(task, completed=done, total=total, speed=speed)

        yield update
