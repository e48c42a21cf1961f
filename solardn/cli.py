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
from .errors import SIGNALS, SolardnError, interrupted, way_out


class _Terminated(KeyboardInterrupt):
    """The system, a batch queue or a terminal that was closed ended the process: it cleans up as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        self.number = number


class Commands(click.Group):
    """A group of commands whose errors end in one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command: exit code 1 after an error of solardn's own, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows knows no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as behind nohup
                with contextlib.suppress(ValueError):  # only the main thread can be told of signals
                    signal.signal(number, _terminate)
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
            helps = way_out(error, "check the place and its permissions")
            click.echo(f"Error: the system says: {error}; {helps}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt as stop:
            with contextlib.suppress(OSError):  # the terminal may be gone
                click.echo(interrupted(ctx.meta.get(options.LEFT, "")), err=True)
            ctx.exit(SIGNALS + (stop.number if isinstance(stop, _Terminated) else signal.SIGINT))


def _terminate(number: int, _: Any) -> None:
    raise _Terminated(number)


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
