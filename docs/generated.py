"""What is made from the code while the documentation is built (a hook of MkDocs): the help of every command, the list of modules, public names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

COMMANDS, MODULES = "<!-- the help of every command -->", "<!-- the modules -->"
NAMES = "<!-- the public names that stand nowhere else on this page -->"
_ROOT = Path(__file__).parents[1]
_PACKAGES = ("solardn", "export", "training", "benchmarks")
_WIDTH = 110


def every_help(command: click.Command, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Yield name and help of a command and of those below it.

    Parameters
    ----------
    command : click.Command
    parent : click.Context, optional
        Of the group that it belongs to.
    """
    settings = {**command.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
    context = command.context_class(command, parent=parent, info_name=command.name, **settings)
    yield context.command_path, command.get_help(context)
    for below in getattr(command, "commands", {}).values():
        yield from every_help(below, context)


def help_page(command: click.Command) -> str:
    """Return a section of Markdown for each command."""
    return "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in every_help(command))


def modules_page() -> str:
    """Return a table of Markdown for each package: its modules, and the first line of what they say of themselves."""
    tables = []
    for package in _PACKAGES:
        rows = [f"### {package}", "", "| module | |", "|---|---|"]
        for path in sorted((_ROOT / package).rglob("*.py"), key=lambda path: (len(path.parts), path)):
            said = ast.get_docstring(ast.parse(path.read_text()))
            if said:
                rows.append(f"| `{path.relative_to(_ROOT / package)}` | {said.splitlines()[0]} |")
        tables.append("\n".join(rows))
    return "\n\n".join(tables)


def names_page(markdown: str) -> str:
    """Return the entries of public names that a page has none of."""
    import solardn
    from solardn import errors  # they have a section of their own

    known = {line.rpartition(".")[2] for line in markdown.splitlines() if line.startswith("::: ")}
    rest = [name for name in solardn.__all__ if name not in known | vars(errors).keys() | {"__version__"}]
    return "\n".join(f"::: solardn.{name}" for name in rest)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put what is generated in the place of its mark."""
    from solardn.cli import main

    makers = {COMMANDS: lambda: help_page(main), MODULES: modules_page, NAMES: lambda: names_page(markdown)}
    for mark, make in makers.items():
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown
