"""The figures of one map: observation, result and residual; local rms; how far to trust it. `solardn.plots` writes them to files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .coordinates import Frame
from .errors import InputError
from .panels import RANGE, draw_histogram, draw_map, draw_spectra, head, new_figure, verbatim

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Map = NDArray[np.float64]

PIXELS = Frame()


def look(
    observation: ArrayLike,
    result: ArrayLike,
    sigma: float,
    unit: str = "",
    title: str = "",
    frame: Frame = PIXELS,
) -> Figure:
    """Return the figure that `quicklook` writes."""
    before, after = checked(sigma, observation, result)
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
    bar.set_label(_label(unit))
    left, right = below.subplots(1, 2)
    draw_spectra(left, panels, sigma)
    draw_histogram(right, before - after, sigma)
    head(figure, title, _level(sigma, unit))
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
    before, after, own = checked(sigma, observation, mean, deviation)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(after) / own
    wide = before.shape[1] > 2 * before.shape[0]
    figure = new_figure(13.5 if wide else 10.5, 11.0 if wide else 9.6)
    images = figure.subplots(*((4, 1) if wide else (2, 2)), sharex=True, sharey=True)
    label = _label(unit)
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
    head(figure, title, _level(sigma, unit))
    return figure


def _label(unit: str) -> str:
    return verbatim(f"[{unit}]") if unit else "data units"


def _level(sigma: float, unit: str) -> str:
    return f"noise σ = {sigma:.3g} {unit}".strip()


def checked(sigma: float, *maps: ArrayLike) -> list[Map]:
    """Return maps in float64 when they are of one shape, and the noise level is positive."""
    found = [np.asarray(one, dtype=np.float64) for one in maps]
    if found[0].ndim != 2 or any(one.shape != found[0].shape for one in found):
        shapes = " and ".join(str(one.shape) for one in found)
        raise InputError(f"a picture needs maps (y, x) of one shape; observation and result have {shapes}")
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"a picture needs a positive noise level for its colours, not {sigma}")
    return found
