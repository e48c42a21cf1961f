"""The command line. Here, and nowhere else, errors become one sentence on stderr and an exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import signal
import sys
import warnings
from typing import Any

import click

from . import __version__
from .commands import options
from .commands.demo import demo
from .commands.denoise import denoise
from .commands.doctor import doctor
from .commands.info import info
from .commands.inspect import inspect
from .commands.models import models
from .commands.page import page
from .commands.uncertainty import uncertainty
from .errors import SolardnError

INTERRUPTED, TERMINATED = 130, 143


class _Terminated(KeyboardInterrupt):
    """The system or a batch queue ended the process: it cleans up as after Ctrl-C."""


class Commands(click.Group):
    """A group of commands whose errors end in one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command: exit code 1 after an error of solardn's own, 130 after Ctrl-C, 143 after SIGTERM."""
        with contextlib.suppress(ValueError):  # only the main thread can be told of signals
            signal.signal(signal.SIGTERM, _terminate)
        if isinstance(sys.stdout, io.TextIOWrapper):  # as stderr: file names may hold bytes that are no text
            sys.stdout.reconfigure(errors="backslashreplace")
        logging.getLogger("solardn").addHandler(logging.NullHandler())  # what it says comes as warnings too
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except SolardnError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # nobody reads on, as with "| head": click ends quietly
                raise
            click.echo(f"Error: the system says: {error}; check the place and its permissions", err=True)
            ctx.exit(1)
        except KeyboardInterrupt as stop:
            left = ctx.meta.get(options.LEFT, "nothing is left behind")
            click.echo(f"Error: interrupted; {left}, the input is untouched", err=True)
            ctx.exit(TERMINATED if isinstance(stop, _Terminated) else INTERRUPTED)


def _terminate(*_: Any) -> None:
    raise _Terminated


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"Warning: {message}", err=True)


@click.group(
    "solardn",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=options.examples(
        "solardn demo",
        "solardn info observation.fits",
        "solardn denoise observation.fits denoised.fits",
        "solardn inspect observation.fits denoised.fits",
        "solardn uncertainty observation.fits trusted.fits",
    ),
)
@click.version_option(__version__, prog_name="solardn")
def main() -> None:
    """Take the noise out of solar polarimetric maps, and know how far to trust what is left."""


for command in (denoise, uncertainty, info, inspect, page, models, doctor, demo):
    main.add_command(command)
