"""Progress on stderr, where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..many import Watch


@contextmanager
def shown(wanted: bool) -> Iterator[Watch]:
    """Show maps done, speed and time left while the body runs.

    The body gets a function that is told number, total and path of the file that is next, and returns the callback for its maps.

    Parameters
    ----------
    wanted : bool
        Whether to show anything.
    """
    if not (wanted and sys.stderr.isatty()):
        yield lambda number, total, path: None
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
        task = bar.add_task("", total=None, speed=0.0)

        def watch(number: int, total: int, path: Path) -> Callable[[int, int, int], None]:
            which = f" ({number} of {total})" if total > 1 else ""
            bar.reset(task, description=f"{path.name}{which}", total=None)
            begun = time.perf_counter()

            def update(done: int, maps: int, pixels: int) -> None:
                speed = pixels / max(time.perf_counter() - begun, 1e-9) / 1e6
                bar.update(task, completed=done, total=maps, speed=speed)

            return update

        yield watch
