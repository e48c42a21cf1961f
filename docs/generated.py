"""What is made from the code while the documentation is built: the help of every command, and the list of modules (a hook of MkDocs)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

COMMANDS, MODULES = "<!-- the help of every command -->", "<!-- the modules -->"
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


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put what is generated in the place of its mark."""
    from solardn.cli import main

    for mark, page in ((COMMANDS, lambda: help_page(main)), (MODULES, modules_page)):
        if mark in markdown:
            markdown = markdown.replace(mark, page())
    return markdown
