"""What is done to each map of a file, and what is noted of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .api import Denoiser
from .cube import Index
from .errors import InputError
from .missing import Mask
from .plan import Level, Plan
from .summary import MapRecord, Sample, rms

Float = NDArray[np.float32]
Progress = Callable[[int, int, int], None]
"""Called after each map with: maps done, maps in all, pixels denoised so far."""


class Work:
    """Denoises maps one by one and notes what it did.

    Parameters
    ----------
    plan : Plan
    denoiser : Denoiser
    levels : dict
        The noise of each group of maps.
    cycles : int
    residual : bool
        Whether data − result is returned as well.
    progress : callable or None

    Attributes
    ----------
    records : list of MapRecord
        The maps done so far.
    pixels : int
        Pixels denoised so far.
    """

    def __init__(
        self,
        plan: Plan,
        denoiser: Denoiser,
        levels: dict[tuple[str, int], Level],
        cycles: int,
        residual: bool,
        progress: Progress | None,
    ) -> None:
        self._plan, self._denoiser, self._levels, self._cycles = plan, denoiser, levels, cycles
        self._residual, self._progress = residual, progress
        self._wanted = plan.n_denoised // 2  # the map in the middle is kept for a picture
        self._sample: Sample | None = None
        self.records: list[MapRecord] = []
        self.pixels = 0

    def __call__(self, index: Index, plane: NDArray[np.floating]) -> list[Float]:
        """Return the result of a map, and its residual where wanted."""
        letter = self._plan.cube.letter(index)
        observed = self._plan.as_float32(index, plane)
        absent = self._plan.missing(index, observed) if self._plan.denoises(index) else None
        if absent is not None and not absent.all():
            result = self._denoised(index, letter, observed, absent)
        else:
            result = observed
            lost = 0 if absent is None else absent.size
            self.records.append(MapRecord(index, letter, np.nan, np.nan, np.nan, 0, lost))
        if self._progress:
            self._progress(len(self.records), self._plan.cube.n_maps, self.pixels)
        return [result, _difference(observed, result)] if self._residual else [result]

    def _denoised(self, index: Index, letter: str, observed: Float, absent: Mask) -> Float:
        sigma = self._levels[self._plan.cube.group(index)].noise_sigma
        scale = self._denoiser.card.input_sigma / sigma
        values = _blanked(observed, absent)
        try:
            result = self._denoiser.denoise_map(values, scale, self._cycles)
        except InputError as error:
            raise InputError(f"map {index} of {self._plan.source.label}: {error}") from error
        residual_rms = rms(_difference(values, result))
        result = np.where(absent, observed, result)
        self.pixels += observed.size
        self.records.append(MapRecord(index, letter, sigma, scale, residual_rms, self._cycles, int(absent.sum())))
        if self._is_wanted:
            self._keep(index, values, _blanked(result, absent), sigma)
        return result

    def _keep(self, index: Index, values: Float, result: Float, sigma: float) -> None:
        """Keep a map for a picture: the one in the middle, or the first until it comes."""
        self._sample = Sample(index, values, result, sigma)

    @property
    def _is_wanted(self) -> bool:
        """Whether the map noted last is the one for a picture."""
        return self._sample is None or sum(record.cycles > 0 for record in self.records) == self._wanted + 1

    def restore(self, record: MapRecord, result: Float) -> None:
        """Take note of a map that an earlier run did."""
        self.records.append(record)
        if not record.cycles:
            return
        self.pixels += result.size
        if self._is_wanted:
            plane = self._plan.read_map(record.index)
            absent = self._plan.missing(record.index, plane)
            self._keep(record.index, _blanked(plane, absent), _blanked(result, absent), record.noise_sigma)

    def finish(self) -> Sample:
        """Return one map for a picture, and refuse a file in which nothing could be denoised."""
        if self._sample is None:
            raise InputError(
                f"{self._plan.source.label} holds no value in the maps to denoise: they are constant, masked, or not finite; give other data"
            )
        return self._sample


def _blanked(plane: Float, absent: Mask) -> Float:
    """Return a map with NaN where it holds no value."""
    return np.where(absent, np.float32(np.nan), plane) if absent.any() else plane


def _difference(observed: Float, result: Float) -> Float:
    """Return data − result, NaN where the data are not finite."""
    with np.errstate(invalid="ignore"):
        return np.asarray(observed - result)
