"""Commands of development whose expected errors end in one sentence, as those of ``solardn`` do."""

from __future__ import annotations

from typing import Any

import click

from solardn.errors import SolardnError


class Sentences(click.Group):
    """A group of commands in which an expected error ends with its sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SolardnError as error:
            raise click.ClickException(str(error)) from error
