"""What a run makes of the maps of a file: denoised maps, or their mean and standard deviations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .api import Denoiser
from .arrays import Cycles, Float, checked_cycles
from .cycles import MOST
from .layers import ALEATORIC, EPISTEMIC, RESIDUAL, UNCERT
from .sampling import Request, Uncertainty, request
from .units import Scale
from .views import checked_views, over

_FEW = 4
"""Samples from which the time of many is told."""


@dataclass(frozen=True)
class Result:
    """What was made of one map.

    Attributes
    ----------
    values : ndarray of float32
        The denoised map (y, x), in the data's units.
    cycles : int
        Passes of the network that are in it.
    beside : tuple of ndarray
        What else was found, in the order of the process's layers.
    """

    values: Float
    cycles: int
    beside: tuple[Float, ...] = ()


class Process(Protocol):
    """A way to treat maps."""

    @property
    def procedure(self) -> str:
        """The command, for headers."""

    @property
    def layers(self) -> list[str]:
        """Names of the images that come beside the result, see `solardn.layers`."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What the result depends on, as JSON knows it."""

    @property
    def words(self) -> str:
        """The same for people."""

    def results(self, planes: Sequence[NDArray[Any]], scales: Sequence[Scale]) -> Iterator[Result]:
        """Yield what is made of maps (see `Denoiser.denoise_maps`), in their order."""

    def beside(self, observed: Float, values: Float, result: Result | None) -> Sequence[Float]:
        """Return the images beside the result; `result` is None for a map that stays as it is."""

    def seconds(self, plane: Float, scale: Scale) -> float:
        """Return about how long one map takes, tried on it."""


class Denoising:
    """One denoised map for each.

    Parameters
    ----------
    denoiser : Denoiser
    cycles : int or "auto"
        Passes of the network.
    views : int
        Views of the map over which each pass is the mean.
    residual : bool
        Whether data − result is an image of its own.
    """

    procedure = "solardn denoise"

    def __init__(self, denoiser: Denoiser, cycles: Cycles = 1, views: int = 1, residual: bool = False) -> None:
        self._denoiser, self._cycles, self._views = denoiser, checked_cycles(cycles), checked_views(views)
        self.once = cycles == 1 and views == 1
        self.layers = [RESIDUAL] if residual else []
        self.parameters: dict[str, Any] = {"cycles": self._cycles, "views": self._views}

    @property
    def words(self) -> str:
        """How many passes, and over how many views."""
        if self._cycles == "auto":
            return f"up to {MOST} cycles, as each map needs{over(self._views)}"
        return f"{self._cycles} cycle{'s' * (self._cycles > 1)}{over(self._views)}"

    def results(self, planes: Sequence[NDArray[Any]], scales: Sequence[Scale]) -> Iterator[Result]:
        """Yield denoised maps."""
        for found in self._denoiser.denoise_maps(planes, scales, self._cycles, self._views):
            yield Result(found.values, found.cycles)

    def beside(self, observed: Float, values: Float, result: Result | None) -> Sequence[Float]:
        """Return data − result, where it is wanted."""
        return [difference(observed, values)] if self.layers else []

    def seconds(self, plane: Float, scale: Scale) -> float:
        """Return how long one map takes."""
        return _timed(lambda: self._denoiser.denoise_map(plane, scale, self._cycles, self._views))


class Estimation:
    """Mean and standard deviations of each map.

    Parameters
    ----------
    denoiser : Denoiser
    samples, seed, method
        As for `Denoiser.uncertainty`.

    Raises
    ------
    OptionError, ModelError
        As for `Denoiser.uncertainty`.
    """

    procedure = "solardn uncertainty"

    def __init__(self, denoiser: Denoiser, samples: int = 50, seed: int = 0, method: str = "dropout") -> None:
        self._denoiser = denoiser
        self._given: tuple[int, int, str] = (samples, seed, method)
        self.asked: Request = request(denoiser.card, samples, seed, method)
        has_variance = "log_variance" in denoiser.card.outputs
        self.layers = [
            UNCERT,
            *([ALEATORIC] if has_variance else []),
            *([EPISTEMIC] if self.asked.method != "aleatoric" else []),
        ]

    @property
    def parameters(self) -> dict[str, Any]:
        """Method, samples, seed, dropout and calibration."""
        card, asked = self._denoiser.card, self.asked
        found: dict[str, Any] = {"method": asked.method, "samples": asked.samples}
        if asked.method == "dropout":
            found |= {"seed": asked.seed, "dropout": card.dropout}
        return {**found, "sigma": self.meaning, "calibration": self._calibration() or "none"}

    def _calibration(self) -> dict[str, Any] | None:
        """Return what of the calibration belongs into a header: whether it is a map over σ, and what it reached."""
        entry = self._denoiser.card.calibration or {}
        if not self.asked.calibration.measured:
            return None
        return {key: entry[key] for key in ("factor", "coverage_1", "coverage_2") if key in entry} | {
            "over_sigma": "sigmas" in entry
        }

    @property
    def meaning(self) -> str:
        """What the total standard deviation holds."""
        parts = [name.lower() for name in self.layers[1:]]
        stand_in = " (stand-in: spread over flips and turns)" if self.asked.method == "flips" else ""
        return (" and ".join(parts) if len(parts) > 1 else f"{parts[0]} part only") + stand_in

    @property
    def words(self) -> str:
        """Method, samples, seed and calibration, for people."""
        card, asked = self._denoiser.card, self.asked
        calibrated = asked.calibration.words if asked.calibration.measured else "sigma not calibrated"
        if asked.method == "aleatoric":
            return f"one pass without dropout, {self.meaning}, {calibrated}"
        if asked.method == "flips":
            return f"{asked.samples} flips and turns as a stand-in for the epistemic part, {calibrated}"
        kind, rate = (card.dropout or {}).get("kind"), card.drop_rate
        return f"{asked.samples} samples of {kind} dropout at rate {rate:g}, seed {asked.seed}, {calibrated}"

    def results(self, planes: Sequence[NDArray[Any]], scales: Sequence[Scale]) -> Iterator[Result]:
        """Yield means and deviations."""
        samples, seed, method = self._given
        for found in self._denoiser.uncertainty_maps(planes, scales, samples, seed, method):
            yield Result(found.mean, 1, _parts(found))

    def beside(self, observed: Float, values: Float, result: Result | None) -> Sequence[Float]:
        """Return total, aleatoric and epistemic deviation as far as they are there; of a map that stays as it is nothing is known."""
        return result.beside if result else [np.full(observed.shape, np.nan, np.float32)] * len(self.layers)

    def seconds(self, plane: Float, scale: Scale) -> float:
        """Return about how long one map takes, where many samples are drawn from few of them."""

        def took(samples: int) -> float:
            process = Estimation(self._denoiser, samples, *self._given[1:])
            return _timed(lambda: list(process.results([plane], [scale])))

        samples = self._given[0]
        if self.asked.method != "dropout" or samples <= _FEW:
            return took(samples)
        took(2)  # the first run is slower than the others
        fewest, few = took(2), took(_FEW)
        return max(few, fewest + (samples - 2) * (few - fewest) / (_FEW - 2))


def _parts(found: Uncertainty) -> tuple[Float, ...]:
    return tuple(part for part in (found.sigma, found.aleatoric, found.epistemic) if part is not None)


def difference(observed: Float, result: Float) -> Float:
    """Return data − result, NaN where the data are not finite."""
    with np.errstate(invalid="ignore"):
        return np.asarray(observed - result)


def _timed(work: Any) -> float:
    import time

    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
