"""What the residual of a file says, one line for each kind of map, and the whole in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .bands import Band
from .cube import Index
from .diagnosis import Diagnosis
from .samples import Group

TAKEN, FOUND, GIVEN = "taken by the run", "found in the observation", "given"
"""Where a noise level comes from."""

DRIFTING = 0.2
"""Change of the residual's rms along time, relative to its mean, that is worth a word."""


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

    @property
    def name(self) -> str:
        """The kind of map, for people."""
        return f"{self.stokes} {self.wavelength}".strip()

    @property
    def words(self) -> str:
        """The verdict, and a word on a drift."""
        said = self.figures.verdict
        if self.drift is None or abs(self.drift) < DRIFTING:
            return said
        return f"{said}; its rms changes by {self.drift:+.0%} from the first map to the last, as the noise or the seeing does"

    def as_dict(self) -> dict[str, Any]:
        """Return the figures under the names they have in JSON."""
        kind = {"stokes": self.stokes, "wavelength": self.wavelength, "maps": self.maps}
        return kind | asdict(self.figures) | {"drift": self.drift}


@dataclass(frozen=True)
class Inspection:
    """What the residual of a file says.

    Attributes
    ----------
    observation, result : str
        The files, and which parts of them.
    unit : str
        Of the data, or empty.
    sigma_from : str
        Where the noise level comes from, in words.
    lines : tuple of Line
        One for each kind of map that was looked at.
    left_out : mapping of index to str
        Maps that could not be looked at, and why.
    as_recorded : tuple of str
        Which maps and pixels are meant, in words, as far as the result's record tells it, and why its table of maps is not used.
    """

    observation: str
    result: str
    unit: str
    sigma_from: str
    lines: tuple[Line, ...]
    left_out: Mapping[Index, str] = field(default_factory=dict)
    as_recorded: tuple[str, ...] = ()

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

    @property
    def short(self) -> str:
        """The whole in a few words, for headers."""
        wrong = [line for line in self.lines if not line.figures.flat]
        looked = sum(line.maps for line in self.lines)
        if not wrong:
            return f"flat in the {looked} map{'s' * (looked > 1)} looked at"
        return (
            self.verdict
            if len(self.lines) == 1
            else f"not flat in {len(wrong)} of {len(self.lines)} kinds of map looked at"
        )

    @property
    def across(self) -> dict[str, float]:
        """Drift along wavelength: for each Stokes parameter, change of residual/σ from the first to the last, relative to its mean."""
        found: dict[str, float] = {}
        for letter in dict.fromkeys(line.stokes for line in self.lines):
            lines = [line for line in self.lines if line.stokes == letter]
            change = slope([line.wavelength for line in lines], [line.figures.ratio for line in lines])
            if change is not None:
                found[letter] = change
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the figures under the names they have in JSON."""
        return {
            "observation": self.observation,
            "result": self.result,
            "unit": self.unit,
            "sigma_from": self.sigma_from,
            "as_recorded": list(self.as_recorded),
            "flat": self.flat,
            "verdict": self.verdict,
            "wavelength_drift": self.across,
            "left_out": [{"map": list(index), "why": why} for index, why in self.left_out.items()],
            "lines": [line.as_dict() for line in self.lines],
        }


def line_of(group: Group, found: Sequence[tuple[Index, Diagnosis]]) -> Line:
    """Return what the maps of one kind say together.

    Parameters
    ----------
    group : tuple of str and int
        Stokes parameter, and place in wavelength.
    found : sequence of (index, Diagnosis)
        At least one, in the order of storage.
    """
    figures = [one for _, one in found]
    drift = slope(range(len(figures)), [one.residual_rms for one in figures])
    return Line(*group, len(figures), _typical(figures), drift)


def slope(places: Sequence[float], values: Sequence[float]) -> float | None:
    """Return the change of values over the range of their places, relative to their mean; None with less than three."""
    if len(values) < 3 or not np.mean(values) > 0:
        return None
    x = np.asarray(places, dtype=float)
    return float(np.polyfit((x - x[0]) / (x[-1] - x[0]), values, 1)[0] / np.mean(values))


def _typical(found: list[Diagnosis]) -> Diagnosis:
    """Return the medians of several diagnoses; flat when at least half are, since chance spoils one, else the verdict that most others share."""
    wrong = Counter(one.verdict for one in found if not one.flat)
    flat = (2 * sum(wrong.values()) <= len(found) and len(found) > 1) or not wrong

    def median(name: str, of: Sequence[Diagnosis | Band] = found) -> float:
        return float(np.median([getattr(one, name) for one in of]))

    by_scale: dict[tuple[float, float], list[Band]] = {}
    for one in found:
        for band in one.bands:
            by_scale.setdefault((band.smallest, band.largest), []).append(band)
    bands = tuple(
        Band(*scales, median("ratio", of), median("limit", of), median("loud", of), all(band.even for band in of))
        for scales, of in sorted(by_scale.items(), reverse=True)
    )
    same = ("sigma", "residual_rms", "ratio", "taken", "correlation", "limit", "chance", "local_low", "local_high")
    return Diagnosis(
        **{name: median(name) for name in (*same, "beyond")},
        correlation_intensity=None if found[0].correlation_intensity is None else median("correlation_intensity"),
        bands=bands,
        verdict="flat" if flat else wrong.most_common(1)[0][0],
    )
