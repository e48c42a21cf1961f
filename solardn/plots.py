"""Pictures of a result: what was observed, what came out, what was taken away; many maps at once; and how far to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .coordinates import Frame
from .errors import InputError
from .panels import RANGE, check_format, draw_histogram, draw_map, draw_spectra, new_figure, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Map = NDArray[np.float64]

PIXELS = Frame()


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


def look(
    observation: ArrayLike,
    result: ArrayLike,
    sigma: float,
    unit: str = "",
    title: str = "",
    frame: Frame = PIXELS,
) -> Figure:
    """Return the figure that `quicklook` writes."""
    before, after = _checked(sigma, observation, result)
    wide = before.shape[1] > 2 * before.shape[0]  # slit spectra and the like: maps one above the other
    figure = new_figure(13.5, 9.5 if wide else 7.6)
    grid = figure.add_gridspec(2, 1, height_ratios=(1.25, 1))
    above, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    panels = {"observation": before, "result": after, "residual": before - after}
    images = above.subplots(*((3, 1) if wide else (1, 3)), sharex=True, sharey=True)
    for axes, (name, values) in zip(images, panels.items(), strict=True):
        shown = draw_map(axes, values, -RANGE * sigma, RANGE * sigma, frame.extent)
        axes.set_title("residual (observation − result)" if name == "residual" else name)
    above.supxlabel(frame.labels[0], fontsize="medium")
    images[0].set_ylabel(frame.labels[1])
    bar = above.colorbar(shown, ax=images, extend="both", shrink=0.9, pad=0.01)
    bar.set_label(f"[{unit}]" if unit else "data units")
    left, right = below.subplots(1, 2)
    draw_spectra(left, panels, sigma)
    draw_histogram(right, before - after, sigma)
    figure.suptitle(", ".join(filter(None, (title, _level(sigma, unit)))))
    return figure


def local_look(residual: Map, noise: Map, sigma: float, frame: Frame = PIXELS) -> Figure:
    """Return a figure of the local rms of a residual beside the local noise, and their ratio.

    Parameters
    ----------
    residual, noise : (y, x) arrays
        Local rms of the residual, and rms of the noise at every pixel, in the same units.
    sigma : float
        rms of the noise over the map.
    frame : Frame, optional
        The map's edges.
    """
    high, wide = residual.shape
    figure = new_figure(13.5, 7.0 if wide > 2 * high else 4.2)
    images = figure.subplots(*((3, 1) if wide > 2 * high else (1, 3)), sharex=True, sharey=True)
    panels = {
        "local rms of the residual / σ": residual / sigma,
        "local noise / σ": noise / sigma,
        "ratio": residual / noise,
    }
    for axes, (name, values) in zip(images, panels.items(), strict=True):
        shown = draw_map(axes, values, 0, 2, frame.extent, "PuOr_r")
        axes.set_title(name)
    figure.supxlabel(frame.labels[0], fontsize="medium")
    images[0].set_ylabel(frame.labels[1])
    figure.colorbar(shown, ax=images, extend="max", shrink=0.9, pad=0.01)
    return figure


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
            before, after = _checked(tile.sigma, tile.observation, tile.result)
            for line, values in enumerate((before, after, before - after)):
                axes = all_axes[3 * number + line, column]
                axes.set_axis_on()
                axes.set_xticks([])
                axes.set_yticks([])
                draw_map(axes, values, -RANGE * tile.sigma, RANGE * tile.sigma)
                if column == 0:
                    axes.set_ylabel(("observation", "result", "residual")[line], fontsize="small")
                if line == 0:
                    axes.set_title(tile.title, fontsize="small")
    figure.suptitle(", ".join(filter(None, (title, "each map from −3 σ (blue) to +3 σ (red)"))), fontsize="medium")
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


def trust(
    observation: ArrayLike,
    mean: ArrayLike,
    deviation: ArrayLike,
    sigma: float,
    unit: str = "",
    title: str = "",
    frame: Frame = PIXELS,
) -> Figure:
    """Return the figure that `uncertainty_picture` writes."""
    before, after, own = _checked(sigma, observation, mean, deviation)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(after) / own
    wide = before.shape[1] > 2 * before.shape[0]
    figure = new_figure(13.5 if wide else 10.5, 11.0 if wide else 9.6)
    images = figure.subplots(*((4, 1) if wide else (2, 2)), sharex=True, sharey=True)
    label = f"[{unit}]" if unit else "data units"
    finite = own[np.isfinite(own)]
    top = float(np.quantile(finite, 0.995)) if finite.size else sigma
    shown = {
        "observation": (before, -RANGE * sigma, RANGE * sigma, "RdBu_r", label),
        "mean": (after, -RANGE * sigma, RANGE * sigma, "RdBu_r", label),
        "σ of the mean": (own, 0.0, top or sigma, "viridis", label),
        "|mean| / σ, contour at 3": (np.where(np.isinf(ratio), np.nan, ratio), 0.0, 10.0, "viridis", "|mean| / σ"),
    }
    for axes, (name, (values, low, high, colours, words)) in zip(images.flat, shown.items(), strict=True):
        image = draw_map(axes, values, low, high, frame.extent, colours)
        axes.set_title(name)
        axes.label_outer()
        figure.colorbar(image, ax=axes, extend="both" if low < 0 else "max", shrink=0.85).set_label(words)
    if np.nanmin(values, initial=np.inf) < RANGE < np.nanmax(values, initial=-np.inf) and min(values.shape) > 1:
        height, width = (
            values.shape
        )  # without an extent a contour's first pixel would lie from 0 to 1, unlike the map's
        edges = frame.extent or (-0.5, width - 0.5, -0.5, height - 0.5)
        axes.contour(values, [RANGE], colors="tab:red", linewidths=0.8, extent=edges, origin="lower")
    figure.supxlabel(frame.labels[0], fontsize="medium")
    figure.supylabel(frame.labels[1], fontsize="medium")
    figure.suptitle(", ".join(filter(None, (title, _level(sigma, unit)))))
    return figure


def _level(sigma: float, unit: str) -> str:
    return f"noise σ = {sigma:.3g} {unit}".strip()


def _checked(sigma: float, *maps: ArrayLike) -> list[Map]:
    """Return maps in float64 when they are of one shape, and the noise level is positive."""
    found = [np.asarray(one, dtype=np.float64) for one in maps]
    if found[0].ndim != 2 or any(one.shape != found[0].shape for one in found):
        shapes = " and ".join(str(one.shape) for one in found)
        raise InputError(f"a picture needs maps (y, x) of one shape; observation and result have {shapes}")
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"a picture needs a positive noise level for its colours, not {sigma}")
    return found
