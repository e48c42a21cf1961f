"""Pictures of a result: what was observed, what came out, what was taken away; many maps at once; and how far to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .coordinates import Frame
from .errors import InputError
from .figures import PIXELS, checked, look, trust
from .panels import RANGE, check_format, draw_map, head, new_figure, save, verbatim


def quicklook(
    path: str | Path,
    observation: ArrayLike,
    result: ArrayLike,
    sigma: float,
    unit: str = "",
    title: str = "",
    frame: Frame = PIXELS,
) -> None:
    """Draw observation, result and residual of one map on one colour scale, with their spectra and the residual's histogram.

    Parameters
    ----------
    path : str or Path
        Where the picture goes; the ending chooses the format (.png, .pdf, .svg). An existing file is replaced.
    observation, result : (y, x) arrays
        The map before and after; pixels that are not finite stay grey.
    sigma : float
        rms of the noise in the map's units. Colours run from −3 σ to +3 σ.
    unit : str
        The map's unit, for the colour bar.
    title : str
        What the map is: file, Stokes parameter, wavelength. The noise level is added.
    frame : Frame, optional
        The map's edges, see `solardn.coordinates`; axes are in pixels without it.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    InputError
        The two maps do not agree, or `sigma` is not a positive number.
    OptionError
        The ending of `path` is none of the known ones.
    OutputError
        The file cannot be written.
    """
    check_format(Path(path))
    save(look(observation, result, sigma, unit, title, frame), Path(path))


@dataclass(frozen=True)
class Tile:
    """One map of a contact sheet: observation and result (y, x), rms of the noise, and what it is called."""

    observation: NDArray[np.floating]
    result: NDArray[np.floating]
    sigma: float
    title: str


def contact_sheet(path: str | Path, rows: Sequence[Sequence[Tile]], title: str = "") -> None:
    """Draw many maps at once: for each row of maps their observations, results and residuals one above the other, each on ±3 σ of its own.

    Parameters
    ----------
    path : str or Path
        As for `quicklook`.
    rows : sequence of sequences of Tile
        For instance one row a Stokes parameter; they may differ in length.
    title : str
        Of the whole.

    Raises
    ------
    MissingExtra, InputError, OptionError, OutputError
        As for `quicklook`.
    """
    check_format(Path(path))
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        raise InputError("a contact sheet needs at least one map, and there is none with a value")
    height, width = rows[0][0].observation.shape
    cell = min(2.2, 18 / columns)
    figure = new_figure(max(5.0, cell * columns + 0.6), (cell * min(2.0, height / width) + 0.12) * 3 * len(rows) + 0.8)
    all_axes = figure.subplots(3 * len(rows), columns, squeeze=False)
    for axes in all_axes.flat:
        axes.set_axis_off()
    for number, row in enumerate(rows):
        for column, tile in enumerate(row):
            before, after = checked(tile.sigma, tile.observation, tile.result)
            for line, values in enumerate((before, after, before - after)):
                axes = all_axes[3 * number + line, column]
                axes.set_axis_on()
                draw_map(axes, values, -RANGE * tile.sigma, RANGE * tile.sigma)
                axes.set_xticks([])
                axes.set_yticks([])
                if column == 0:
                    flat = width > 2 * height  # too low for words along its side
                    axes.set_ylabel(
                        ("observation", "result", "residual")[line],
                        fontsize="small",
                        **({"rotation": 0, "ha": "right", "va": "center"} if flat else {}),
                    )
                if line == 0:
                    axes.set_title(verbatim(tile.title), fontsize="small")
    head(figure, title, f"each map from −{RANGE} σ (blue) to +{RANGE} σ (red)")
    save(figure, Path(path))


def uncertainty_picture(
    path: str | Path,
    observation: ArrayLike,
    mean: ArrayLike,
    deviation: ArrayLike,
    sigma: float,
    unit: str = "",
    title: str = "",
    frame: Frame = PIXELS,
) -> None:
    """Draw observation, mean, its standard deviation, and |mean| over that with the contour at 3.

    Parameters
    ----------
    path : str or Path
        As for `quicklook`.
    observation, mean, deviation : (y, x) arrays
        The map, the denoised one, and the standard deviation (1 σ) of that, in the same units.
    sigma : float
        rms of the noise of the observation. Colours of the first two run from −3 to +3 times this.
    unit, title, frame
        As for `quicklook`.

    Raises
    ------
    MissingExtra, InputError, OptionError, OutputError
        As for `quicklook`.
    """
    check_format(Path(path))
    save(trust(observation, mean, deviation, sigma, unit, title, frame), Path(path))
