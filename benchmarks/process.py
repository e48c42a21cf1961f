"""Whole processes, measured: time, processor time and peak of resident memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

_LAUNCHER = Path(__file__).with_name("launch.py")


class Failed(click.ClickException):
    """A process ended otherwise than it should; ``code`` is its exit status, or minus the signal that ended it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Measured:
    """What a process took: seconds on the clock, seconds of processors, most bytes resident at once, and what it printed."""

    seconds: float
    cpu: float
    peak: int
    said: str


def measure(command: Sequence[str | os.PathLike[str]], timeout: float = 600, **environment: str) -> Measured:
    """Run a command and measure it.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    timeout : float
        Seconds after which it is given up.
    **environment : str
        Variables to set for it.

    Raises
    ------
    Failed
        It failed.
    click.ClickException
        It took too long.
    """
    words = [os.fspath(word) for word in command]
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(_LAUNCHER), *words],
            capture_output=True, text=True, timeout=timeout, env={**os.environ, **environment}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise click.ClickException(f"{' '.join(words)} took more than {timeout:.0f} s") from error
    complaint, _, last = done.stderr.strip().rpartition("\n")
    figures = json.loads(last)
    if figures["code"]:
        raise Failed(f"{' '.join(words)} failed: {complaint.strip()[-500:]}", figures["code"])
    return Measured(figures["seconds"], figures["cpu"], figures["peak"], done.stdout)


def python(program: str, *arguments: str, timeout: float = 600, **environment: str) -> Measured:
    """Run a program given as text with this Python and measure it; see `measure`."""
    return measure([sys.executable, "-c", program, *arguments], timeout, **environment)
