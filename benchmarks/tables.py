"""Results as tables: Markdown for people and JSON for programs, written side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from . import machine

RESULTS, TRIALS = Path("docs/performance"), Path("build/benchmarks")
PAGE = Path("docs/measurements.md")
"""Where tables are shown, each between two marks."""


@dataclass
class Table:
    """A table with a title, the names of its columns, its rows (cells are shown with `str`), and a remark below."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[Any]] = field(default_factory=list)
    remark: str = ""

    def markdown(self) -> str:
        """Return the table in Markdown."""
        lines = [f"**{self.title}**", "", _line(self.columns), _line(["---", *["--:"] * (len(self.columns) - 1)])]
        lines += [_line(row) for row in self.rows]
        return "\n".join([*lines, *(["", self.remark] if self.remark else [])])


@dataclass
class Report:
    """What one benchmark found.

    Attributes
    ----------
    name : str
        Of the benchmark, and of its files.
    command : str
        What was run.
    tables : list of Table
    figures : dict
        Every measurement, as JSON knows it.
    machine : dict
        See `benchmarks.machine.describe`; taken when the benchmark began.
    """

    name: str
    command: str
    tables: list[Table] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=machine.describe)

    def markdown(self) -> str:
        """Return the command, the machine and all tables."""
        head = f"`{self.command}`: {machine.sentence(self.machine)}"
        return "\n\n".join([head, *(table.markdown() for table in self.tables)]) + "\n"

    def write(self, folder: Path) -> None:
        """Write ``NAME.md`` and ``NAME.json`` into a folder, and print the tables."""
        folder.mkdir(parents=True, exist_ok=True)
        markdown = self.markdown()
        values = {"command": self.command, "machine": self.machine, **self.figures}
        (folder / f"{self.name}.md").write_text(markdown, encoding="utf-8")
        (folder / f"{self.name}.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        if folder == RESULTS:
            put_into_page(self.name, markdown)
        click.echo(markdown)
        click.echo(f"written: {folder / self.name}.md and .json", err=True)


def put_into_page(name: str, markdown: str, page: Path = PAGE) -> None:
    """Replace what the page of measurements says between the two marks of a benchmark."""
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    if begin in text and end in text:
        before, rest = text.split(begin, 1)
        page.write_text(before + begin + markdown + end + rest.split(end, 1)[1], encoding="utf-8")


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that all benchmarks have: ``quick`` and ``output``; see `folder`."""
    quick = click.option("--quick", is_flag=True, help="Small sizes and few repetitions, to see that all works.")
    output = click.option(
        "--output",
        type=click.Path(file_okay=False, path_type=Path),
        help=f"Folder of the tables.  [default: {RESULTS}; {TRIALS} with --quick]",
    )
    return quick(output(command))


def folder(output: Path | None, quick: bool) -> Path:
    """Return where the tables go: a trial does not replace results."""
    return output or (TRIALS if quick else RESULTS)


def say(text: str) -> None:
    """Show what is being measured."""
    click.echo(text, err=True)


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"
