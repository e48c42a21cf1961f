"""One map on a report's page: its pictures, and observation, result and residual to slide over each other or to blink."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from html import escape

import numpy as np
from numpy.typing import NDArray

from .comparison import Pair
from .coordinates import Frame
from .diagnosis import local_rms
from .errors import InputError
from .estimates import spread
from .figures import local_look, look
from .inspection import Line
from .noise import estimate
from .panels import COLOURS, RANGE, as_png

LARGEST = 1200
"""Pixels along a side of an image to slide or blink; of larger maps every n-th pixel is shown."""


WIDEST = 46
"""Width of such an image on the page, rem; as in page.html."""


def section(pair: Pair, line: Line, unit: str, title: str, frame: Frame) -> str:
    """Return the HTML of one map.

    Parameters
    ----------
    pair : Pair
    line : Line
        What the residuals of its kind say.
    unit, title, frame
        As for `solardn.plots.quicklook`.
    """
    sigma = line.figures.sigma
    pictures = [
        ("observation, result and residual", as_png(look(pair.observation, pair.result, sigma, unit, title, frame)))
    ]
    try:
        noise = estimate(pair.observation)
        residual = (pair.observation - pair.result).astype(np.float64)
        there = replace(noise, coarse=local_rms(residual, np.isfinite(residual), noise))
        shape = residual.shape
        pictures.append(
            (
                "local rms of the residual, and local noise",
                as_png(local_look(spread(there, shape), spread(noise, shape), sigma, frame)),
            )
        )
    except InputError:  # too small a map, or one without noise, has no noise map
        pass
    images = "".join(
        f'<img class="figure" alt="{escape(f"{title}: {what}")}" src="{_uri(data)}">' for what, data in pictures
    )
    return f"<h3>{escape(title)}</h3><p>{escape(line.words)}</p>{_compare(pair, sigma, title)}{images}"


def _compare(pair: Pair, sigma: float, title: str) -> str:
    """Return images over each other, of which a slider or a timer shows one or the other."""
    layers = {"observation": pair.observation, "result": pair.result, "residual": pair.observation - pair.result}
    step = -(-max(pair.observation.shape) // LARGEST)
    images = "".join(
        f'<img alt="{escape(f"{title}: {name}")}" src="{_uri(_image(values[::step, ::step], sigma))}">'
        for name, values in layers.items()
    )
    options = [
        "".join(
            f'<option value="{n}"{" selected" if n == chosen else ""}>{name}</option>' for n, name in enumerate(layers)
        )
        for chosen in (0, 1)
    ]
    height, width = pair.observation.shape
    fit = f' style="max-width: {WIDEST * width / height:.3g}rem"' if height > width else ""  # no higher than wide
    reduced = f" Every {step}th pixel is shown." if step > 1 else ""
    return (
        f'<div class="compare"><div class="stage"{fit}>{images}<div class="edge"></div></div>'
        '<input type="range" min="0" max="100" value="50" step="0.5" aria-label="place of the edge">'
        f'<div class="controls"><label>left <select>{options[0]}</select></label><label>right <select>{options[1]}</select></label>'
        f'<button type="button">Blink</button><span>blue −{RANGE} σ … red +{RANGE} σ.{reduced}</span></div></div>'
    )


def _image(values: NDArray[np.floating], sigma: float) -> bytes:
    """Return a map as a PNG with one byte a pixel: y upwards, colours from −3 σ to +3 σ, grey where there is no value."""
    from matplotlib import colormaps
    from PIL import Image

    colours = (255 * colormaps[COLOURS](np.linspace(0, 1, 255))[:, :3]).round().astype(np.uint8)
    palette = np.vstack([colours, [[190, 190, 190]]]).astype(np.uint8)
    with np.errstate(invalid="ignore"):
        place = np.clip(127 + 127 * values / (RANGE * sigma), 0, 254).round()
    image = Image.fromarray(np.where(np.isfinite(place), place, 255).astype(np.uint8)[::-1], mode="P")
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
