"""Progress is shown on stderr where that is a terminal, and nowhere else."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

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


def test_nothing_is_shown_unasked_or_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    with shown(False) as watch:
        assert watch(1, 1, Path("scan.fits")) is None
    assert screen.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with shown(True) as watch:
        assert watch(1, 1, Path("scan.fits")) is None
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]
