"""Commands of development whose expected errors end in one sentence, as those of ``solardn`` do."""

from __future__ import annotations

from typing import Any

import click

from solardn.errors import SolardnError

_EXTRAS = {
    "export": ("h5py", "keras", "onnx", "scipy", "tensorflow", "tf2onnx"),
    "evaluate": ("bm3d", "matplotlib"),
}
"""Extras, and the libraries that they bring."""


class Sentences(click.Group):
    """A group of commands in which an expected error, and a library that is not there, end with a sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SolardnError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            library = str(error.name).partition(".")[0]
            extra = next((extra for extra, libraries in _EXTRAS.items() if library in libraries), None)
            if extra is None:
                raise
            raise click.ClickException(
                f"{library} is not installed, which this command needs: pip install -e '.[{extra}]'"
            ) from error
