"""``solardn inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, report

if TYPE_CHECKING:
    from ..inspection import Inspection

KEYS = {
    "observation, result": "the files, and which parts of them",
    "unit": "unit of the data, or empty",
    "sigma_from": "where the noise level comes from: taken by the run, as the result records it; found in the observation; given",
    "as_recorded": "which maps and pixels are meant (Stokes, axes, fill value, mask), in words, where that was not given and the run that made the result took others than the usual; why the table of maps is not used, where it does not fit",
    "flat": "true when what was taken away is noise in every kind of map",
    "verdict": "the whole in one sentence",
    "wavelength_drift": "for each Stokes parameter: relative change of ratio from the first wavelength to the last",
    "left_out": "maps that could not be looked at: map (its indices, counted from 0, over the axes that are not y and x, in the data's order), why",
    "lines": "for each kind of map:",
    "  stokes, wavelength": "Stokes parameter, and place on the axis of wavelength",
    "  maps": "how many maps were looked at; the figures are medians over them",
    "  sigma": "rms of the noise, in the data's units",
    "  residual_rms, ratio": "rms of observation − result, in the data's units and in units of sigma",
    "  taken": "√⟨residual·observation⟩ in units of sigma: 1 for the best estimate, more where structure was taken away",
    "  correlation, limit": "of the residual with the result, −1 to 1; the most it may be, as a part of the noise passes",
    "  correlation_intensity": "of the residual with Stokes I; null without I",
    "  chance": "correlations up to this come by chance",
    "  bands.ratio, bands.limit": "for bands of scales (smallest, largest, in pixels; null: no end): power of the residual over that of noise; the most it may be",
    "  bands.loud, bands.even": "part of the field, 0 to 1, in which it is far beyond that of noise; whether it is alike all over the field",
    "  local_low, local_high": "local rms of the residual over local sigma: 5 % of the field lies below, 5 % above",
    "  beyond": "part of the pixels beyond 5 local sigma, 0 to 1",
    "  drift": "relative change of the residual's rms over the maps of the line; null with less than three",
    "  verdict": "in plain words",
}


@click.command(
    short_help="Tell whether what was taken away was noise.",
    epilog=options.examples(
        "solardn denoise observation.fits denoised.fits",
        "solardn inspect observation.fits denoised.fits",
        "solardn inspect observation.fits denoised.fits --json",
    )
    + report.keys_help(KEYS),
)
@click.argument("observation", type=options.PATH)
@click.argument("result", type=options.PATH)
@options.comparison_options
@click.option("--strict", is_flag=True, help="End with exit code 1 when a residual is not flat.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON; its keys stand below.")
@click.pass_context
def inspect(
    context: click.Context,
    /,
    observation: Path,
    result: Path,
    *,
    noise_sigma: Any,
    strict: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Tell whether what was taken away from OBSERVATION to give RESULT was noise, and nothing else."""
    from ..inspect import inspect_files

    found = inspect_files(observation, result, noise_sigma=None if noise_sigma == "auto" else noise_sigma, **choices)
    if as_json:
        report.print_json(found.as_dict())
    else:
        say(found)
    if strict and not found.flat:
        context.exit(1)


def say(found: Inspection) -> None:
    """Print a table with a line for each kind of map, and the verdicts."""
    from rich.table import Table

    from ..words import LEGEND, row_of

    table = Table(box=None, pad_edge=False)
    for title in LEGEND:
        table.add_column(title, justify="left" if title == "map" else "right", no_wrap=True)
    verdicts: dict[str, list[str]] = {}
    for line in found.lines:
        table.add_row(*row_of(line))
        verdicts.setdefault(line.words, []).append(line.name)
    unit = f" (in {found.unit})" if found.unit else ""
    click.echo(f"{found.observation} − {found.result}{unit}")
    report.print_table(table)
    click.echo(f"noise level (σ): {found.sigma_from}")
    for words in found.as_recorded:
        click.echo(words)
    for index, why in found.left_out.items():
        click.echo(f"map {list(index)} left out: {why}")
    for verdict, names in verdicts.items():
        click.echo(f"{', '.join(names)}: {verdict}")
    for letter, change in found.across.items():
        click.echo(f"{letter} along wavelength: residual/σ changes by {change:+.1%}".strip())
    if len(found.lines) > 1:
        click.echo(found.verdict)
