"""Whether what was taken away from a file was noise: the maps of an observation and of its result compared, kind by kind."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cube import Index
from .diagnosis import Band, Diagnosis, diagnose
from .errors import InputError
from .noise import NoiseEstimate, estimate
from .plan import Plan, look_at

MOST_MAPS = 5
"""Maps of one kind (Stokes parameter and wavelength) that are looked at, spread evenly over it …"""

MOST_IN_ALL = 120
"""… while all kinds together take no more than this, but at least one each."""

SAME = ("DATE-OBS", "DATE-BEG", "TELESCOP", "INSTRUME", "WAVELNTH", "OBJECT")
"""Keywords that a result has from its observation; where they differ, the two do not belong together."""

Group = tuple[str, int]


@dataclass(frozen=True)
class Line:
    """What the residual of one kind of map says: medians over its maps.

    Attributes
    ----------
    stokes : str
        Stokes parameter, or empty.
    wavelength : int
        Place along the axis of wavelength, 0 without one.
    maps : int
        How many maps were looked at.
    figures : Diagnosis
        Medians over them, and the verdict.
    drift : float or None
        Change of the residual's rms from the first map to the last, relative to its mean; None with less than three maps.
    """

    stokes: str
    wavelength: int
    maps: int
    figures: Diagnosis
    drift: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures under the names they have in JSON."""
        figures = asdict(self.figures)
        bands = [
            {"smallest": b.smallest, "largest": b.largest, "ratio": b.ratio, "loud": b.loud} for b in self.figures.bands
        ]
        return (
            {"stokes": self.stokes, "wavelength": self.wavelength, "maps": self.maps}
            | figures
            | {"bands": bands, "drift": self.drift}
        )


@dataclass(frozen=True)
class Inspection:
    """What the residual of a file says.

    Attributes
    ----------
    observation, result : str
        The files, and which parts of them.
    unit : str
        Of the data, or empty.
    lines : tuple of Line
        One for each kind of map.
    """

    observation: str
    result: str
    unit: str
    lines: tuple[Line, ...]

    @property
    def flat(self) -> bool:
        """Whether what was taken away is noise in every kind of map."""
        return all(line.figures.flat for line in self.lines)

    @property
    def verdict(self) -> str:
        """The whole in one sentence."""
        wrong = [line for line in self.lines if not line.figures.flat]
        if not wrong:
            return "flat: what was taken away is noise"
        kinds = f"{len(wrong)} of {len(self.lines)} kinds of map: " if len(self.lines) > 1 else ""
        return kinds + Counter(line.figures.verdict for line in wrong).most_common(1)[0][0]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures under the names they have in JSON."""
        return {
            "observation": self.observation,
            "result": self.result,
            "unit": self.unit,
            "flat": self.flat,
            "verdict": self.verdict,
            "lines": [line.as_dict() for line in self.lines],
        }


@dataclass(frozen=True)
class Pair:
    """One map before and after; pixels without value are NaN in both.

    Attributes
    ----------
    index : tuple of int
        Over the axes that are not y and x.
    observation, result : (y, x) arrays
        In the data's units.
    intensity : (y, x) array or None
        Stokes I of the same place, wavelength and time.
    """

    index: Index
    observation: NDArray[np.float32]
    result: NDArray[np.float32]
    intensity: NDArray[np.float32] | None


class Comparison:
    """An observation and its result, both open.

    Parameters
    ----------
    before, after : Plan
        The two files, as `solardn.plan.look_at` understands them.

    Raises
    ------
    InputError
        They do not belong together.
    """

    def __init__(self, before: Plan, after: Plan) -> None:
        if before.cube.shape != after.cube.shape:
            raise InputError(
                f"{after.source.label} is no result of {before.source.label}: the shapes are {after.cube.shape} and {before.cube.shape}"
            )
        for key in SAME:
            values = [str(plan.source.header.get(key, "")).strip() for plan in (before, after)]
            if all(values) and values[0] != values[1]:
                raise InputError(
                    f"{after.source.label} is no result of {before.source.label}: {key} is {values[1]!r} there and {values[0]!r} here"
                )
        self.before, self.after = before, after

    def groups(self) -> dict[Group, list[Index]]:
        """Return the maps that were denoised, by Stokes parameter and wavelength."""
        found: dict[Group, list[Index]] = {}
        for index in self.before.cube.indices():
            if self.before.denoises(index):
                found.setdefault(self.before.cube.group(index), []).append(index)
        return found

    def pair(self, index: Index) -> Pair | None:
        """Return one map before and after, None where it holds no value."""
        before, after = self.before.read_map(index), self.after.read_map(index)
        missing = self.before.missing(index, before) | ~np.isfinite(after)
        if missing.all():
            return None
        before, after = (np.where(missing, np.float32(np.nan), plane) for plane in (before, after))
        return Pair(index, before, after, self._intensity(index))

    def _intensity(self, index: Index) -> NDArray[np.float32] | None:
        cube = self.before.cube
        place = next((place for place, axis in enumerate(cube.rest) if axis.role == "stokes"), None)
        if place is None or "I" not in cube.letters or cube.letter(index) == "I":
            return None
        return self.before.read_map((*index[:place], cube.letters.index("I"), *index[place + 1 :]))


@contextmanager
def compare(
    observation: str | os.PathLike[str],
    result: str | os.PathLike[str],
    *,
    result_ext: str | int | None = None,
    **choices: Any,
) -> Iterator[Comparison]:
    """Open an observation and its result.

    Parameters
    ----------
    observation, result : path
    result_ext : str or int, optional
        FITS extension of the result; by default the same as that of the observation.
    **choices
        Which maps are meant, as for `solardn.plan.look_at`.

    Raises
    ------
    InputError, OptionError
    """
    with look_at(observation, **choices) as before:
        other = choices | {"ext": choices.get("ext") if result_ext is None else result_ext, "mask_ext": None}
        with look_at(result, **other) as after:
            yield Comparison(before, after)


def inspect_files(
    observation: str | os.PathLike[str],
    result: str | os.PathLike[str],
    *,
    noise_sigma: float | None = None,
    **choices: Any,
) -> Inspection:
    """Say of every kind of map whether what was taken away from it was noise.

    Parameters
    ----------
    observation, result : path
        The file before and after.
    noise_sigma : float, optional
        rms of the noise in the data's units; found in the observation by default, one value for each kind of map.
    **choices
        As for `compare`.

    Raises
    ------
    InputError, OptionError
        The files do not belong together, cannot be read, or show no noise.
    """
    with compare(observation, result, **choices) as files:
        groups = files.groups()
        most = max(1, min(MOST_MAPS, MOST_IN_ALL // max(1, len(groups))))
        lines = [_line(files, group, members, most, noise_sigma) for group, members in groups.items()]
        known = tuple(line for line in lines if line)
        if not known:
            raise InputError(
                f"{files.before.source.label} and {files.after.source.label} have no value in common, so there is nothing to compare"
            )
        return Inspection(files.before.source.label, files.after.source.label, files.before.source.unit, known)


def _line(files: Comparison, group: Group, members: list[Index], most: int, sigma: float | None) -> Line | None:
    """Diagnose some maps of one kind."""
    chosen = [members[place] for place in np.unique(np.linspace(0, len(members) - 1, most).round().astype(int))]
    pairs = [pair for pair in map(files.pair, chosen) if pair]
    if not pairs:
        return None
    noises: list[NoiseEstimate] = [estimate(pair.observation) for pair in pairs]
    level = sigma if sigma is not None else float(np.median([noise.sigma for noise in noises]))
    found = [
        diagnose(pair.observation, pair.result, level, pair.intensity, noise)
        for pair, noise in zip(pairs, noises, strict=True)
    ]
    rms = np.array([one.residual_rms for one in found])
    drift = None
    if len(rms) >= 3 and rms.mean() > 0:
        drift = float(np.polyfit(np.linspace(-0.5, 0.5, len(rms)), rms, 1)[0] / rms.mean())
    return Line(*group, len(found), _typical(found), drift)


def _typical(found: list[Diagnosis]) -> Diagnosis:
    """Return the medians of several diagnoses; flat when most are, else the verdict that most of the others share."""
    wrong = Counter(one.verdict for one in found if not one.flat)
    flat = (2 * sum(wrong.values()) <= len(found) and len(found) > 1) or not wrong

    def median(name: str) -> float:
        return float(np.median([getattr(one, name) for one in found]))

    bands = tuple(
        Band(
            band.smallest,
            band.largest,
            float(np.median([one.bands[place].ratio for one in found if len(one.bands) > place])),
            float(np.median([one.bands[place].loud for one in found if len(one.bands) > place])),
        )
        for place, band in enumerate(found[0].bands)
    )
    return Diagnosis(
        sigma=median("sigma"),
        residual_rms=median("residual_rms"),
        ratio=median("ratio"),
        correlation=median("correlation"),
        correlation_intensity=None if found[0].correlation_intensity is None else median("correlation_intensity"),
        bands=bands,
        local_low=median("local_low"),
        local_high=median("local_high"),
        beyond=median("beyond"),
        verdict="flat" if flat else wrong.most_common(1)[0][0],
    )
