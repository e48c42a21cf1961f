"""What a run did, map by map and in all."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import place_column
from .cube import Cube, Index
from .inspection import Inspection
from .levels import Level
from .provenance import ascii_text
from .sums import bands


@dataclass(frozen=True)
class MapRecord:
    """What was done to one map.

    Attributes
    ----------
    index : tuple of int
        Over the axes that are not y and x.
    stokes : str
        Its Stokes parameter, or empty.
    noise_sigma : float
        rms of the noise, in the data's units; NaN for a map that was left as it is.
    scale : float
        Factor to network units; NaN likewise.
    residual_rms : float
        rms of data − result, in the data's units; NaN likewise.
    cycles : int
        Passes of the network; 0 for a map that was left as it is: not chosen, or without any value.
    missing : int
        Pixels without value, which were left as they are.
    uneven : float
        Ratio of strong to weak noise over the field that was evened out before the network; 1 where that was not done.
    fills : tuple of float
        Values that stand for none in it, the commonest at its edge first.
    """

    index: Index
    stokes: str
    noise_sigma: float
    scale: float
    residual_rms: float
    cycles: int
    missing: int
    uneven: float
    fills: tuple[float, ...] = ()


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes
    ----------
    label : str
        The input, and which part of it.
    outputs : tuple of pathlib.Path
        The files written.
    cube : Cube
        Its axes and maps.
    maps : tuple of MapRecord
        In the order of storage.
    levels : tuple of Level
        The noise of each group of maps.
    unit : str
        Of the data, or empty.
    network, device, why : str
        The network's name, where it ran, and how that was chosen.
    tile : int
        Pixels along a tile's side.
    pixels : int
        Pixels denoised.
    seconds : float
        Time taken in all.
    stages : mapping of str to float
        Seconds of each stage, see `solardn.stages`.
    inspection : Inspection, str or None
        What the residuals of a sample of maps say, or why nothing is known of them; None when they were not to be looked at.
    others : tuple of Summary
        The further images of the same file, with ``--ext all``.
    left : tuple of str
        Why further images of the file stay as they are.
    warnings : tuple of str
        What of the data is far from what the network knows (see `solardn.doubts`), and a fill value that is nowhere in them.
    words : str
        How the maps were treated: cycles, or samples, seed and calibration.
    parameters : dict
        The same, as JSON knows it.
    deviation : float or None
        Total standard deviation of the result, in the data's units: the median over maps of their medians; None where there is none.
    """

    label: str
    outputs: tuple[Path, ...]
    cube: Cube
    maps: tuple[MapRecord, ...]
    levels: tuple[Level, ...]
    unit: str
    network: str
    device: str
    why: str
    tile: int
    pixels: int
    seconds: float
    inspection: Inspection | str | None = field(default=None, repr=False)
    others: tuple[Summary, ...] = ()
    left: tuple[str, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()
    words: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    deviation: float | None = None

    @property
    def denoised(self) -> int:
        """Number of maps that were denoised."""
        return sum(record.cycles > 0 for record in self.maps)

    @property
    def missing(self) -> float:
        """Part of the pixels of the maps to denoise that hold no value."""
        chosen = [record for record in self.maps if record.cycles or record.missing]
        return sum(record.missing for record in chosen) / (len(chosen) * math.prod(self.cube.map_shape))

    @property
    def fills(self) -> tuple[float, ...]:
        """Values that stand for none, those of most maps first."""
        return tuple(value for value, _ in Counter(itertools.chain(*(one.fills for one in self.maps))).most_common())

    @property
    def noise_sigma(self) -> float:
        """Median noise rms over the groups of maps, in the data's units."""
        return float(np.median([level.noise_sigma for level in self.levels]))

    @property
    def residual_ratio(self) -> float:
        """Median over maps of the residual's rms in units of the noise."""
        return float(np.median([record.residual_rms / record.noise_sigma for record in self.maps if record.cycles]))

    @property
    def residual_rms(self) -> float:
        """Median over maps of the residual's rms, in the data's units."""
        return float(np.median([record.residual_rms for record in self.maps if record.cycles]))


_SMALL = 1e-30  # squares below lose digits in float32


def fill_words(fills: Sequence[float]) -> str:
    """Return what is said of values that stand for none."""
    more = ", …" if len(fills) > _MOST_FILLS else ""
    return f"fill {', '.join(f'{value:.6g}' for value in fills[:_MOST_FILLS])}{more}; " if fills else ""


_MOST_FILLS = 3  # that are listed


def table(cube: Cube, records: list[MapRecord], verdicts: dict[Index, str]) -> dict[str, NDArray[Any]]:
    """Return the records as columns, one row a map: its index on each axis (0 is the first), what was done, and what its residual says."""
    columns: dict[str, NDArray[Any]] = {
        place_column(axis): np.array([record.index[place] for record in records], np.int32)
        for place, axis in enumerate(cube.rest)
    }
    if cube.letters:
        columns["STOKES"] = np.array([record.stokes for record in records])
    columns["NOISE"] = np.array([record.noise_sigma for record in records])
    columns["SCALE"] = np.array([record.scale for record in records])
    columns["RESIDRMS"] = np.array([record.residual_rms for record in records])
    columns["CYCLES"] = np.array([record.cycles for record in records], np.int32)
    columns["MISSING"] = np.array([record.missing for record in records], np.int32)
    if any(record.fills for record in records):
        columns["FILL"] = np.array([record.fills[0] if record.fills else np.nan for record in records])
    columns["UNEVEN"] = np.array([record.uneven for record in records])
    if verdicts:
        columns["VERDICT"] = np.array([ascii_text(verdicts.get(record.index, "")) for record in records])
    return columns


class Residual:
    """The difference of two maps (y, x), told of in parts."""

    def __init__(self) -> None:
        self._total, self._count = 0.0, 0

    def add(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> None:
        """Take note of some rows; pixels where the difference is not finite do not count."""
        with np.errstate(invalid="ignore", over="ignore"):
            for rows in bands(before.shape):  # a band at a time, so that no copy of a large map is made
                piece = (before[rows] - after[rows]).ravel()
                squares = float(np.dot(piece, piece))
                # not all is finite, or float32 does not hold the squares
                if not _SMALL * piece.size < squares < math.inf:
                    piece = piece[np.isfinite(piece)].astype(np.float64)
                    squares = float(np.dot(piece, piece))
                self._total, self._count = self._total + squares, self._count + piece.size

    @property
    def rms(self) -> float:
        """Its rms, NaN where nothing counted."""
        return math.sqrt(self._total / self._count) if self._count else math.nan


def residual_rms(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Return the rms of the difference of two maps (y, x) over the pixels where it is finite, NaN without any."""
    found = Residual()
    found.add(before, after)
    return found.rms
