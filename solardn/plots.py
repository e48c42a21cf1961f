"""Pictures of a result: what was observed, what came out, what was taken away. The only file that imports matplotlib, when called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError, MissingExtra, OptionError, OutputError
from .spectrum import mean_spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")
"""File formats a picture can be written in."""

RANGE = 3
"""Colours run over ± this many σ."""


def quicklook(
    path: str | Path,
    observation: ArrayLike,
    result: ArrayLike,
    sigma: float,
    unit: str = "",
    title: str = "",
    extent: tuple[float, float, float, float] | None = None,
) -> None:
    """Draw observation, result and residual of one map on one colour scale, with their spectra and the residual's histogram.

    Parameters
    ----------
    path : str or Path
        Where the picture goes; the ending chooses the format (.png, .pdf, .svg). An existing file is replaced.
    observation, result : (y, x) arrays
        The map before and after; pixels that are not finite stay blank.
    sigma : float
        rms of the noise in the map's units. Colours run from −3 σ to +3 σ.
    unit : str
        The map's unit, for the colour bar.
    title : str
        What the map is: file, Stokes parameter, wavelength. The noise level is added.
    extent : (left, right, bottom, top), optional
        The map's edges in arcseconds; axes are in pixels without it.

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
    path = Path(path)
    before, after = np.asarray(observation, dtype=np.float64), np.asarray(result, dtype=np.float64)
    if before.ndim != 2 or before.shape != after.shape:
        raise InputError(
            f"a picture needs two maps (y, x) of one shape; observation and result have {before.shape} and {after.shape}"
        )
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"a picture needs a positive noise level for its colours, not {sigma}")
    wide = before.shape[1] > 2 * before.shape[0]  # slit spectra and the like: maps one above the other
    figure = _figure(path, (13.5, 9.5 if wide else 7.6))
    grid = figure.add_gridspec(2, 1, height_ratios=(1.25, 1))
    above, below = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    panels = {"observation": before, "result": after, "residual (observation − result)": before - after}
    images = above.subplots(*((3, 1) if wide else (1, 3)), sharex=True, sharey=True)
    for axes, (name, values) in zip(images, panels.items(), strict=True):
        shown = axes.imshow(
            values, origin="lower", extent=extent, cmap="RdBu_r", vmin=-RANGE * sigma, vmax=RANGE * sigma
        )
        axes.set_title(name)
    above.supxlabel("x [arcsec]" if extent else "x [px]", fontsize="medium")
    images[0].set_ylabel("y [arcsec]" if extent else "y [px]")
    bar = above.colorbar(shown, ax=images, extend="both", shrink=0.9, pad=0.01)
    bar.set_label(f"[{unit}]" if unit else "data units")
    left, right = below.subplots(1, 2)
    _draw_spectra(left, panels, sigma)
    _draw_histogram(right, before - after, sigma)
    figure.suptitle(f"{title}   noise σ = {sigma:.3g} {unit}".strip())
    _save(figure, path)


def _draw_spectra(axes: Axes, panels: dict[str, NDArray[np.float64]], sigma: float) -> None:
    """Draw the power spectra in units of white noise of rms `sigma`."""
    for (name, values), colour in zip(panels.items(), ("0.45", "tab:blue", "tab:red"), strict=True):
        found = mean_spectrum(values)
        if found is not None and (found[1] > 0).any():
            axes.plot(found[0], found[1] / sigma**2, color=colour, label=name.split(" (")[0], lw=1.6)
    axes.set_yscale("log")
    axes.set_ylim(bottom=max(1e-4, axes.get_ylim()[0]))
    axes.set_xlabel("spatial frequency [cycles/px]")
    axes.set_ylabel("power / σ²")
    axes.set_title("power spectra")
    if axes.lines:
        axes.legend(frameon=False)


def _draw_histogram(axes: Axes, residual: NDArray[np.float64], sigma: float) -> None:
    """Draw the residual's histogram in units of σ, with a Gaussian of rms 1."""
    values = residual[np.isfinite(residual)] / sigma
    edges = np.linspace(-6, 6, 97)
    heights = np.histogram(np.clip(values, -6, 6), edges)[0] / (max(values.size, 1) * (edges[1] - edges[0]))
    axes.stairs(heights, edges, fill=True, color="tab:red", alpha=0.5)
    axes.plot(edges, np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi), color="k", lw=1.2, label="Gaussian of rms σ")
    axes.set_yscale("log")
    axes.set_ylim(1e-6, 1)
    axes.set_xlabel("residual / σ")
    axes.set_ylabel("density")
    rms = float(np.sqrt(np.mean(values**2))) if values.size else float("nan")
    axes.set_title(f"residual: rms {rms:.2f} σ")
    axes.legend(frameon=False, loc="lower center")


def _figure(path: Path, size: tuple[float, float]) -> Figure:
    """Return an empty figure for a picture that `path` can take."""
    if path.suffix.lower() not in FORMATS:
        raise OptionError(f"{path}: a picture's name must end in one of {', '.join(FORMATS)}")
    try:
        from matplotlib.figure import Figure  # optional, and slow to import
    except ImportError as error:
        raise MissingExtra("pictures need matplotlib; install it with: pip install 'solardn[plot]'") from error
    return Figure(figsize=size, layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    options: dict[str, Any] = {"dpi": 110} if path.suffix.lower() == ".png" else {}
    try:
        figure.savefig(path, **options)
    except OSError as error:
        raise OutputError(f"the picture {path} cannot be written ({error.strerror or error})") from error
