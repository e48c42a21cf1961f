"""Progress is shown on stderr where that is a terminal, and nowhere else."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from solardn.commands import progress
from solardn.commands.progress import shown


class Terminal(io.StringIO):
    """A terminal, as far as a program can tell."""

    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in the place of stderr; to be called in the test itself, since pytest sets stderr after fixtures."""
    found = Terminal()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return found


def test_a_terminal_is_told_the_file_and_the_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    with shown(True) as watch:
        update = watch(2, 5, Path("folder/scan.fits"))
        assert update is not None
        for done in (1, 2, 3):
            update(done, 12, done * 1000)
    said = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", screen.getvalue())  # without colours
    assert "scan.fits (2 of 5)" in said
    assert "3/12" in said
    assert "Mpx/s" in said


def test_one_file_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    with shown(True) as watch:
        watch(1, 1, Path("scan.fits"))
    assert "scan.fits" in screen.getvalue()
    assert "1 of 1" not in screen.getvalue()


def test_nothing_is_shown_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    with shown(False) as watch:
        assert watch(1, 1, Path("scan.fits")) is None
    assert screen.getvalue() == ""


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 10, 20, 250, 310, 320, 700, 1300])  # seconds: at the start, of a file, and of each of its maps
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with shown(True) as watch:
        update = watch(2, 5, Path("folder/scan.fits"))
        assert update is not None
        for done in range(1, 7):
            update(done, 12, done * 1_000_000)
    assert sys.stderr.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "scan.fits (2 of 5): 3 of 12 maps, 0.0 Mpx/s, 15 min left",
        "scan.fits (2 of 5): 5 of 12 maps, 0.0 Mpx/s, 16 min left",
        "scan.fits (2 of 5): 6 of 12 maps, 0.0 Mpx/s, 22 min left",
    ]


def test_results_go_where_they_were_sent_while_a_bar_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with shown(True):
        click.echo("done")
    assert sys.stdout.getvalue() == "done\n"  # type: ignore[attr-defined]
    assert "done" not in screen.getvalue()
