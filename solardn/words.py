"""The table of what residuals say, for people: its columns, what they mean, and a row of it."""

from __future__ import annotations

from .inspection import Line

LEGEND = {
    "map": "Stokes parameter, and place on the axis of wavelength",
    "noise σ": "rms of the noise that the residual is held against, in the data's units",
    "residual/σ": "rms of observation − result over σ: about 1, less where a part of the noise passes with strong signals",
    "corr.": "correlation of the residual with the result; a little above 0 also for the best estimate, as a part of the noise passes",
    "corr. I": "correlation of the residual with Stokes I: crosstalk, or noise that goes with the intensity",
    "local/σ": "local rms of the residual over the local σ: 5 % of the field lies below the first, 5 % above the second",
    "> 5 σ": "part of the pixels whose residual is beyond 5 local σ; 6e-7 for Gaussian noise",
    "drift": "change of the residual's rms from the first map of the kind to the last, relative to its mean",
}
"""Columns, and what they mean."""


def row_of(line: Line) -> tuple[str, ...]:
    """Return the cells of one kind of map, one for each column of `LEGEND`."""
    figures = line.figures
    return (
        line.name,
        f"{figures.sigma:.3g}",
        f"{figures.ratio:.2f}",
        f"{figures.correlation:+.3f}",
        "–" if figures.correlation_intensity is None else f"{figures.correlation_intensity:+.3f}",
        f"{figures.local_low:.2f}…{figures.local_high:.2f}",
        f"{figures.beyond:.0e}" if figures.beyond else "0",
        "–" if line.drift is None else f"{line.drift:+.1%}",
    )
