"""An observation without known truth, denoised by networks side by side: what each finds, and what it leaves in the residual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from solardn.api import Denoiser
from solardn.noise import noise_sigma

from . import methods

Map = NDArray[np.float32]
_SMOOTHED = 8.0
"""Width (σ, in pixels) of the Gaussian that shows what the noise hides in a residual."""


@dataclass(frozen=True)
class Result:
    """What one network makes of an observation.

    Attributes
    ----------
    name : str
    map, residual : ndarray, shape (y, x)
        The denoised map, and the observation less it; in the data's units.
    """

    name: str
    map: Map
    residual: Map

    @property
    def correlation(self) -> float:
        """Correlation of residual and result; even the best estimate leaves a positive one, since a part of the noise passes."""
        return float(np.corrcoef(self.residual.ravel(), self.map.ravel())[0, 1])


def results(observation: Map, models: Sequence[str], authors: Path) -> tuple[float, list[Result]]:
    """Return the noise rms of a map (y, x) and what networks make of it; the authors' SST network comes first.

    The authors' network takes the data as they are, in units of the continuum intensity, as its authors did.
    """
    sigma = noise_sigma(observation)
    given = Denoiser(methods.authors(authors).path, device="cpu")
    found = {"authors' SST network": given.denoise(observation, scale=1.0)}
    for model in models:
        found[Path(model).stem] = Denoiser(model, device="cpu").denoise(observation, noise_sigma=sigma)
    return sigma, [Result(name, result, observation - result) for name, result in found.items()]


def draw(observation: Map, sigma: float, found: Sequence[Result], path: Path) -> None:
    """Draw observation, results, residuals and smoothed residuals of networks, a row each."""
    rows = len(found)
    figure = Figure(figsize=(14, 3.6 * rows), layout="constrained")
    axes = figure.subplots(rows, 4, squeeze=False, sharex=True, sharey=True)
    for row, result in zip(axes, found, strict=True):
        smoothed = ndimage.gaussian_filter(result.residual, _SMOOTHED)
        planes = {
            "observation": (observation, 3 * sigma),
            f"result: {result.name}": (result.map, 3 * sigma),
            f"residual, correlation {result.correlation:.3f}": (result.residual, 3 * sigma),
            f"residual, smoothed by {_SMOOTHED:g} px": (smoothed, 0.5 * sigma),
        }
        for axis, (title, (plane, limit)) in zip(row, planes.items(), strict=True):
            image = axis.imshow(plane, vmin=-limit, vmax=limit, cmap="RdBu_r", origin="lower", interpolation="nearest")
            axis.set_title(title, fontsize=10)
        figure.colorbar(image, ax=row[3])
    figure.suptitle(f"noise rms {sigma:.3g}; colours ± 3 times it, of the smoothed residuals ± half of it")
    figure.savefig(path, dpi=80)


def compare(file: Path, models: Sequence[str], authors: Path, out: Path) -> str:
    """Draw how networks do on an observation (`.npy`, one map), and return their figures in words."""
    observation: Map = np.load(file).astype(np.float32)
    sigma, found = results(observation, models, authors)
    draw(observation, sigma, found, out)
    lines = [
        f"{result.name}: residual {result.residual.std() / sigma:.3f} of the noise rms, correlation with the result {result.correlation:.3f}"
        for result in found
    ]
    return "\n".join([f"noise rms {sigma:.4g}", *lines, str(out)])
