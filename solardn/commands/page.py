"""``solardn report``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import options


@click.command(
    "report",
    short_help="Write one HTML page about a result.",
    epilog=options.examples(
        "solardn denoise observation.fits denoised.fits", "solardn report observation.fits denoised.fits report.html"
    ),
)
@click.argument("observation", type=options.PATH)
@click.argument("result", type=options.PATH)
@click.argument("report", type=options.PLACE, metavar="REPORT.html")
@click.option(
    "--maps", metavar="N", type=int, default=6, show_default=True, help="How many maps to show, one of a kind."
)
@options.comparison_options
@click.option("--overwrite", is_flag=True, help="Replace a page that exists.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and warnings.")
def page(observation: Path, result: Path, report: str, *, noise_sigma: Any, quiet: bool, **choices: Any) -> None:
    """Write one HTML page about RESULT: what its residual says, pictures of some maps to slide and blink, and how it came about.

    The page holds everything in itself: it can be mailed, kept beside the data, and read without a network. Needs the extra 'plot'.
    """
    from ..page import write_report

    found = write_report(
        observation, result, report, noise_sigma=None if noise_sigma == "auto" else noise_sigma, **choices
    )
    if not quiet:
        click.echo(f"{report}  {Path(report).stat().st_size / 1e6:.1f} MB; {found.verdict}")
