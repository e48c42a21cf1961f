"""One page about an observation and its result: HTML that holds its pictures and needs nothing else, neither network nor folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from . import __version__
from .comparison import Comparison, Pair, compare
from .coordinates import Coordinates
from .cube import Index
from .errors import InputError, OptionError
from .inspect import inspect_pairs
from .inspection import Inspection, Line
from .io.place import check_place, write_whole
from .panels import check_matplotlib
from .records import provenance_of
from .rows import table_of
from .samples import evenly
from .sections import section
from .words import LEGEND, row_of

MAPS = 6
"""Maps that a report shows by default."""

MOST_ROWS = 300
"""Rows of the table of maps that are shown; the others stand in the result's own table."""


@dataclass(frozen=True)
class Shown:
    """A map that a report shows: its kind, and the pair."""

    line: Line
    pair: Pair


def write_report(
    observation: str | os.PathLike[str],
    result: str | os.PathLike[str],
    report: str | os.PathLike[str],
    *,
    noise_sigma: float | None = None,
    maps: int = MAPS,
    overwrite: bool = False,
    **choices: Any,
) -> Inspection:
    """Write what the residual says, with pictures of some maps and the result's provenance, as one HTML file.

    Parameters
    ----------
    observation, result : path
        The file before and after.
    report : path
        The page; its name ends in .html.
    noise_sigma : float, optional
        rms of the noise in the data's units; by default as for `solardn.inspect.inspect_files`.
    maps : int
        How many maps are shown: those whose residual is not flat first, the others spread evenly over Stokes parameters and wavelengths.
    overwrite : bool
        Replace a page that exists.
    **choices
        As for `solardn.comparison.compare`.

    Returns
    -------
    Inspection
        What the page says.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    InputError, OptionError, OutputError
    """
    path = Path(report)
    if path.suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"the report {path} is an HTML page; let its name end in .html")
    if maps < 1:
        raise OptionError(f"a report of {maps} maps shows nothing; give a number of at least 1")
    check_matplotlib()
    place = check_place(report, [Path(observation), Path(result)], overwrite)
    with compare(observation, result, **choices) as files:
        found = inspect_pairs(files, noise_sigma)
        page = _page(files, found, _shown(files, found, maps))
    write_whole(place, page.encode(errors="replace"))  # file names may hold bytes that are no text
    return found


def _shown(files: Comparison, found: Inspection, maps: int) -> list[Shown]:
    """Return the maps to show: of the kinds that are not flat first, then of others, each from the middle of its kind."""
    wrong = [line for line in found.lines if not line.figures.flat]
    flat = [line for line in found.lines if line.figures.flat]
    room = max(1, maps // 2) if flat else maps
    chosen = evenly(wrong, min(room, len(wrong))) if wrong else []
    chosen += evenly(flat, min(maps - len(chosen), len(flat))) if flat and maps > len(chosen) else []
    groups = files.groups()
    shown = []
    for line in sorted(chosen, key=found.lines.index):
        members = groups[(line.stokes, line.wavelength)]
        pair = next((pair for pair in map(files.pair, _from_the_middle(members)) if pair), None)
        if pair is not None:
            shown.append(Shown(line, pair))
    if not shown:
        raise InputError(f"{found.observation} and {found.result} have no map with a value in common; give other files")
    return shown


def _from_the_middle(members: Sequence[Index]) -> list[Index]:
    middle = len(members) // 2
    return [members[place] for place in sorted(range(len(members)), key=lambda place: abs(place - middle))]


def _page(files: Comparison, found: Inspection, shown: list[Shown]) -> str:
    from importlib.resources import files as resources

    where, unit = Coordinates(files.before), files.before.source.unit
    cube = files.before.cube
    kinds: dict[str, list[str]] = {}
    for line in found.lines:
        kinds.setdefault(line.words, []).append(line.name)
    facts = {
        "observation": found.observation,
        "result": found.result,
        "unit": unit or "not stated",
        "noise level": found.sigma_from,
        **({"as recorded": "; ".join(found.as_recorded)} if found.as_recorded else {}),
        "axes": " × ".join(f"{axis.role} {axis.length}" for axis in cube.axes) + f"; {cube.how}",
        "this page": f"solardn {__version__}; nothing on it is loaded from elsewhere",
    }
    return Template((resources("solardn") / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{files.before.source.path.name}: what was taken away"),
        state="flat" if found.flat else "",
        verdict=escape(found.verdict),
        facts=_pairs(facts.items()),
        lines=_lines(found),
        verdicts="".join(
            f"<li>{escape(', '.join(filter(None, names)) or 'the map')}: {escape(words)}</li>"
            for words, names in kinds.items()
        )
        + "".join(f"<li>map {list(index)} left out: {escape(why)}</li>" for index, why in found.left_out.items())
        + "".join(
            f"<li>{escape(letter)} along wavelength: residual/σ changes by {change:+.1%}</li>"
            for letter, change in found.across.items()
        ),
        legend="".join(f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>" for name, meaning in LEGEND.items()),
        sample=f"{len(shown)} of {sum(len(members) for members in files.groups().values())} maps, one of a kind: those that are not flat first.",
        sections="\n".join(
            section(one.pair, one.line, unit, where.title(one.pair.index), where.frame(one.pair.index)) for one in shown
        ),
        provenance=_pairs(provenance_of(files.after.source))
        or "<tr><td>the result keeps no record of what was done to it</td></tr>",
        records=_records(*table_of(files.after.source, files.after.cube)),
    )


def _lines(found: Inspection) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in LEGEND) + '<th class="words">verdict</th>'
    rows = []
    for line in found.lines:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row_of(line))
        state = "" if line.figures.flat else ' class="bad"'
        rows.append(f'<tr{state}>{cells}<td class="words">{escape(line.words)}</td></tr>')
    return f"<tr>{head}</tr>" + "".join(rows)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f'<tr><td>{escape(key)}</td><td class="words">{escape(str(value))}</td></tr>' for key, value in pairs
    )


def _records(table: Mapping[str, Sequence[Any]], unused: str) -> str:
    """Return the table of what was done to each map, as the result keeps it, or why it is not used."""
    if not table:
        return f"<p>{escape(unused)}</p>" if unused else ""
    rows = list(zip(*table.values(), strict=True))
    head = "".join(f"<th>{escape(name)}</th>" for name in table)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>" for row in rows[:MOST_ROWS]
    )
    more = f"<p>{len(rows) - MOST_ROWS} more rows stand in the result's own table.</p>" if len(rows) > MOST_ROWS else ""
    return f'<h3>Map by map</h3><div class="wide long"><table><tr>{head}</tr>{body}</table></div>{more}'


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
