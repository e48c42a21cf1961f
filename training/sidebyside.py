"""An observation without known truth, denoised by networks side by side: what each finds, and what it leaves in the residual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from solardn.api import Denoiser
from solardn.cycles import NUDGE
from solardn.estimates import sample
from solardn.noise import estimate

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
    passed : float
        Mean product of noise and result, in the data's units squared: the noise that passes, of which the residual has none.
    """

    name: str
    map: Map
    residual: Map
    passed: float

    @property
    def correlation(self) -> float:
        """Correlation of residual and result; even the best estimate leaves a positive one, since a part of the noise passes."""
        return float(np.corrcoef(self.residual.ravel(), self.map.ravel())[0, 1])

    @property
    def unavoidable(self) -> float:
        """The correlation that would be left if the result were the best estimate: no trace of signal in the residual, but the noise that did not pass.

        For the best estimate x̂ of a truth x under noise n, ⟨(x − x̂) x̂⟩ = 0, so that ⟨(y − x̂) x̂⟩ = ⟨n x̂⟩.
        """
        return self.passed / float(self.residual.std() * self.map.std())


def passed(denoise: Callable[[Map], Map], observation: Map, result: Map, seeds: int = 4) -> float:
    """Return ⟨n x̂⟩ for noise of the spectrum and the strength found in a map (Stein 1981; Ramani et al. 2008, IEEE TIP 17, 1540).

    It equals ⟨b (f(y + ε b) − f(y))⟩ / ε for further noise b of the same kind.
    """
    noise = estimate(observation)
    found = []
    for seed in range(seeds):
        nudge = sample(noise, (observation.shape[0], observation.shape[1]), seed).astype(np.float32)
        found.append(float(np.mean(nudge * (denoise(observation + np.float32(NUDGE) * nudge) - result))) / NUDGE)
    return float(np.mean(found))


def results(observation: Map, models: Sequence[str], authors: Path) -> tuple[float, list[Result]]:
    """Return the noise rms of a map (y, x) and what networks make of it; the authors' SST network comes first.

    The authors' network takes the data as they are, in units of the continuum intensity, as its authors did.
    """
    sigma = estimate(observation).sigma
    given = Denoiser(methods.authors(authors).path, device="cpu")
    ways: dict[str, Callable[[Map], Map]] = {"authors' SST network": partial(given.denoise, scale=1.0)}
    for model in models:
        ways[Path(model).stem] = partial(Denoiser(model, device="cpu").denoise, noise_sigma=sigma)
    found = []
    for name, denoise in ways.items():
        result = denoise(observation)
        found.append(Result(name, result, observation - result, passed(denoise, observation, result)))
    return sigma, found


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
        f"{result.name}: residual {result.residual.std() / sigma:.3f} of the noise rms, correlation with the result {result.correlation:.3f} "
        f"({result.unavoidable:.3f} from noise that passed)"
        for result in found
    ]
    return "\n".join([f"noise rms {sigma:.4g}", *lines, str(out)])
