"""The parts of pictures, and how they become files. The only file that imports matplotlib, when called."""

from __future__ import annotations

import importlib.util
import io
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import MissingExtra, OptionError
from .io.place import write_whole
from .spectrum import mean_spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")
"""File formats a picture can be written in."""

RANGE = 3
"""Colours run over ± this many σ."""

COLOURS = "RdBu_r"
"""Blue for negative, white for 0, red for positive."""

MISSING = "0.75"
"""Grey of pixels without value."""

RESOLUTION = 110  # dots an inch

_LETTERS = 9  # of a heading that fit into an inch
_TICKS = 5

Map = NDArray[np.float64]


_INSTALL = "pictures need matplotlib; install it with: pip install 'solardn[plot]'"


def check_matplotlib() -> None:
    """See that pictures can be drawn, without the time that an import takes.

    Raises
    ------
    MissingExtra
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtra(_INSTALL)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # optional, and slow to import
    except ImportError as error:
        raise MissingExtra(_INSTALL) from error
    return Figure(figsize=(width, height), layout="constrained")


def check_format(path: Path) -> None:
    """Refuse a name whose ending tells no known format.

    Raises
    ------
    OptionError
    """
    if path.suffix.lower() not in FORMATS:
        raise OptionError(
            f"the picture {path} has no format known here; let its name end in one of {', '.join(FORMATS)}"
        )


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the name's ending tells; a file that exists is replaced.

    Raises
    ------
    OutputError
    """
    write_whole(path, _drawn(figure, path.suffix[1:].lower()))


def as_png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    return _drawn(figure, "png")


def _drawn(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    options: dict[str, Any] = {"dpi": RESOLUTION} if kind == "png" else {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # of a file name in another script: boxes stand for it
        figure.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def verbatim(text: str) -> str:
    """Return a text from a file so that matplotlib shows it as it is: no formula between two dollar signs, and bytes that are no text as "?"."""
    return text.replace("$", r"\$").encode(errors="replace").decode()


def head(figure: Figure, *texts: str) -> None:
    """Write texts above a figure, as far as they are not empty, in as many lines as its width asks for."""
    text = ", ".join(filter(None, texts))
    figure.suptitle(verbatim(textwrap.fill(text, int(_LETTERS * figure.get_figwidth()))))


def draw_map(axes: Axes, values: Map, low: float, high: float, extent: Any = None, colours: str = COLOURS) -> Any:
    """Draw a map; pixels that are not finite stay grey."""
    axes.set_facecolor(MISSING)
    height, width = values.shape
    left, right, bottom, top = extent or (-0.5, width - 0.5, -0.5, height - 0.5)
    _number(axes.xaxis, left, right, abs(right - left) / abs(top - bottom), 0.3)
    _number(axes.yaxis, bottom, top, abs(top - bottom) / abs(right - left), 0.03)
    return axes.imshow(
        values, origin="lower", extent=extent, cmap=colours, vmin=low, vmax=high, interpolation="nearest"
    )


def _number(axis: Any, first: float, last: float, share: float, least: float) -> None:
    """Put numbers along a side of a map; only its middle where it is short beside the other one (`share`), and they would lie on each other."""
    if share < least:
        middle = (first + last) / 2
        axis.set_ticks([middle], labels=[f"{middle:.6g}"])
    else:
        axis.get_major_locator().set_params(nbins=_TICKS)


def draw_spectra(axes: Axes, maps: dict[str, Map], sigma: float) -> None:
    """Draw the power spectra of maps in units of white noise of rms `sigma`."""
    for (name, values), colour in zip(maps.items(), ("0.45", "tab:blue", "tab:red"), strict=False):
        found = mean_spectrum(values)
        if found is not None and (found[1] > 0).any():
            axes.plot(found[0], found[1] / sigma**2, color=colour, label=name, lw=1.6)
    axes.set_yscale("log")
    axes.set_ylim(bottom=max(1e-4, axes.get_ylim()[0]))
    axes.set_xlabel("spatial frequency [cycles/px]")
    axes.set_ylabel("power / σ²")
    axes.set_title("power spectra")
    if axes.lines:
        axes.legend(frameon=False)
    else:
        why = "constant, too small, or too few pixels with a value"
        axes.text(0.5, 0.5, why, ha="center", transform=axes.transAxes)


def draw_histogram(axes: Axes, residual: Map, sigma: float) -> None:
    """Draw the residual's histogram in units of σ, with a Gaussian of rms 1."""
    values = residual[np.isfinite(residual)] / sigma
    edges = np.linspace(-6, 6, 97)
    heights = np.histogram(np.clip(values, -6, 6), edges)[0] / (max(values.size, 1) * (edges[1] - edges[0]))
    axes.stairs(heights, edges, fill=True, color="tab:red", alpha=0.5, label="residual")
    axes.plot(edges, np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi), color="k", lw=1.2, label="Gaussian of rms σ")
    axes.set_yscale("log")
    axes.set_ylim(1e-6, 1)
    axes.set_xlabel("residual / σ")
    axes.set_ylabel("density")
    rms = float(np.sqrt(np.mean(values**2))) if values.size else float("nan")
    axes.set_title(f"residual: rms {rms:.2f} σ")
    axes.legend(frameon=False, loc="lower center")
