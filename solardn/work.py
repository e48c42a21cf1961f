"""What is done to each map of a file, and what is noted of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .api import Denoiser
from .cube import Index
from .errors import InputError
from .inspector import Inspector
from .layers import UNCERT
from .levels import Level
from .missing import NO_VALUE, Mask, blanked
from .noisemap import unevenness
from .plan import Plan
from .processes import Process, Result
from .stages import LOOK, NETWORK, Stages
from .summary import MapRecord, residual_rms
from .units import Scale

Float = NDArray[np.float32]
Progress = Callable[[int, int, int], None]
"""Called after each map with: maps done, maps in all, pixels denoised so far."""


@dataclass(frozen=True)
class Job:
    """What is to be done to one map; a noise of 0 means nothing."""

    index: Index
    observed: Float
    absent: Mask | None
    values: Float
    kept: NDArray[np.floating]  # as it is given, for what is copied
    sigma: float = 0.0
    scale: Scale = 0.0
    fills: tuple[float, ...] = ()


class Work:
    """Treats maps one by one and notes what it did.

    Parameters
    ----------
    plan : Plan
    denoiser : Denoiser
    levels : dict
        The noise of each group of maps.
    process : Process
        What is made of each map.
    progress : callable or None
    inspector : Inspector or None
        Who looks at residuals.
    stages : Stages or None
        Where to note the times.
    dtype : numpy.dtype
        Of the values that are written: what is copied keeps all of them that this holds.

    Attributes
    ----------
    records : list of MapRecord
        The maps done so far.
    pixels : int
        Pixels denoised so far.
    deviations : list of float
        Median of the total standard deviation of each map that has one.
    """

    def __init__(
        self,
        plan: Plan,
        denoiser: Denoiser,
        levels: dict[tuple[str, int], Level],
        process: Process,
        progress: Progress | None,
        inspector: Inspector | None = None,
        stages: Stages | None = None,
        dtype: np.dtype[Any] = np.dtype(np.float32),  # noqa: B008 - it never changes
    ) -> None:
        self._dtype = dtype
        self._plan, self._denoiser, self._levels, self._process = plan, denoiser, levels, process
        self._progress, self._inspector = progress, inspector
        self._stages = stages or Stages()
        self.deviations: list[float] = []
        self.records: list[MapRecord] = []
        self.pixels = 0

    def jobs(self, indices: Sequence[Index], maps: NDArray[np.floating]) -> list[Job]:
        """Return what is to be done to some maps (map, y, x); may be called in another thread while others are worked on."""
        return [self._job(index, plane) for index, plane in zip(indices, maps, strict=True)]

    def __call__(self, jobs: Sequence[Job]) -> NDArray[np.floating]:
        """Return the results of some maps and what comes beside them: shape (layer, map, y, x)."""
        chosen = [job for job in jobs if job.sigma > 0]
        results = self._process.results([job.values for job in chosen], [job.scale for job in chosen])
        alone = len(jobs) == 1 and not self._process.layers  # a large map, perhaps: it is not copied then
        layers = 0 if alone else 1 + len(self._process.layers)
        out = np.empty((layers, len(jobs), *self._plan.cube.map_shape), self._dtype)
        for number, job in enumerate(jobs):
            images = self._finished(job, results) if job.sigma > 0 else self._left(job)
            if alone:
                out = images[0][np.newaxis, np.newaxis]
            else:
                out[:, number] = images
            if self._progress:
                self._progress(len(self.records), self._plan.cube.n_maps, self.pixels)
        if len(self.records) == self._plan.cube.n_maps:  # what is left to do is to look and to write
            self._denoiser.engine.give_back()
        return out

    def _job(self, index: Index, plane: NDArray[np.floating]) -> Job:
        """Return what is to be done to a map."""
        observed = self._plan.as_float32(index, plane)
        kept = plane if self._dtype.itemsize > observed.itemsize else observed
        if not self._plan.denoises(index):
            return Job(index, observed, None, observed, kept)
        absent, fills = self._plan.found_missing(index, observed)
        if absent.all():
            return Job(index, observed, absent, observed, kept, fills=fills)
        level = self._levels[self._plan.cube.group(index)]
        sigma = self._plan.noise_map(index, absent)
        if sigma is None:
            sigma = level.over_field(index, self._plan.cube.map_shape)
        scale: Scale = self._denoiser.card.input_sigma / (level.of(index) if sigma is None else sigma)
        return Job(index, observed, absent, blanked(observed, absent), kept, level.of(index), scale, fills)

    def _left(self, job: Job) -> list[NDArray[np.floating]]:
        """Return the layers of a map that stays as it is: it is not chosen, or holds no value."""
        lost = 0 if job.absent is None else job.absent.size
        letter = self._plan.cube.letter(job.index)
        self._pass_by(job.index, job.observed)
        self.records.append(MapRecord(job.index, letter, np.nan, np.nan, np.nan, 0, lost, np.nan, job.fills))
        return [job.kept, *self._process.beside(job.observed, job.observed, None)]

    def _finished(self, job: Job, results: Iterator[Result]) -> list[NDArray[np.floating]]:
        """Return the layers of this map: the next result, and what comes beside it."""
        with self._plan.naming(job.index), self._stages(NETWORK):
            found = next(results)
        result = found.values
        absent = ~np.isfinite(job.values)
        lost = int(absent.sum())
        rms = residual_rms(job.values, result)
        self.pixels += result.size
        letter = self._plan.cube.letter(job.index)
        scale = self._denoiser.card.input_sigma / job.sigma
        uneven = unevenness(job.scale) if isinstance(job.scale, np.ndarray) else 1.0
        self.records.append(MapRecord(job.index, letter, job.sigma, scale, rms, found.cycles, lost, uneven, job.fills))
        self._look(job.index, job.values, result, job.sigma)
        values = np.where(absent, job.observed, result) if lost else result  # as float32, for what comes beside
        beside = self._process.beside(job.observed, values, found)
        self._note([values, *beside])
        return [np.where(absent, job.kept, result) if lost else values, *beside]

    def plain_sigma(self, index: Index) -> float | None:
        """Return the rms of the noise of a map that can be denoised part by part: every pixel holds a value, and one scale suits all; else None."""
        if not self._plan.denoises(index):
            return None
        level = self._levels[self._plan.cube.group(index)]
        if level.uneven is not None or self._plan.missing(index, self._plan.read_map(index)).any():
            return None
        return level.of(index)

    def note_large(self, index: Index, sigma: float, residual_rms: float, before: Float, after: Float) -> None:
        """Take note of a map that was denoised part by part, and look at one part of it before and after."""
        self.pixels += math.prod(self._plan.cube.map_shape)
        scale = self._denoiser.card.input_sigma / sigma
        letter = self._plan.cube.letter(index)
        self.records.append(MapRecord(index, letter, sigma, scale, residual_rms, 1, 0, 1.0))
        self._look(index, before, after, sigma)
        if self._progress:
            self._progress(len(self.records), self._plan.cube.n_maps, self.pixels)

    def _note(self, images: Sequence[Float]) -> None:
        """Keep how large the standard deviation of a map is, where it has one."""
        if UNCERT in self._process.layers:
            self.deviations.append(float(np.nanmedian(images[1 + self._process.layers.index(UNCERT)])))

    def restore(self, record: MapRecord, images: Sequence[Float]) -> None:
        """Take note of a map that an earlier run did: its result, and what came beside it."""
        result = images[0].astype(np.float32, copy=False)
        self.records.append(record)
        if record.cycles:
            self.pixels += result.size
            self._note(images)
        if self._inspector is None or not self._inspector.wants(record.index):
            return
        plane = self._plan.read_map(record.index)
        if not record.cycles:
            self._pass_by(record.index, plane)
            return
        absent = self._plan.missing(record.index, plane)
        self._look(record.index, blanked(plane, absent), blanked(result, absent), record.noise_sigma)

    def _pass_by(self, index: Index, plane: Float) -> None:
        if self._inspector:
            self._inspector.passing(index, plane)

    def _look(self, index: Index, values: Float, result: Float, sigma: float) -> None:
        if self._inspector:
            with self._stages(LOOK):
                self._inspector.look(index, values, result, sigma)

    def finish(self) -> None:
        """Refuse a file in which nothing could be denoised."""
        if not any(record.cycles for record in self.records):
            raise InputError(f"nothing can be denoised in {self._plan.source.label}: {NO_VALUE}")
