"""What makes standard deviations honest: a factor, or a map of factors over σ, measured on simulated truth; applied here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError


@dataclass(frozen=True)
class Calibration:
    """By what the standard deviations of a network are multiplied.

    Attributes
    ----------
    factor : float
        One factor for all.
    sigmas, factors : tuple of float
        Where one is not enough: total standard deviations in network units before calibration, rising, and the factor at each of them;
        between them it is interpolated over log σ, beyond them it is that of the last. A larger σ stays a larger one.
    coverage : tuple of float, or None
        Parts of the truth within 1 and 2 σ that were measured with it.
    measured : bool
        Whether there was a measurement at all.
    """

    factor: float = 1.0
    sigmas: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()
    coverage: tuple[float, float] | None = None
    measured: bool = False

    def at(self, sigma: NDArray[np.float32]) -> np.float32 | NDArray[np.float32]:
        """Return the factors for total standard deviations in network units."""
        if not self.sigmas:
            return np.float32(self.factor)
        least = np.finfo(np.float32).tiny
        found = np.interp(np.log(np.maximum(sigma, least)), np.log(self.sigmas), np.log(self.factors))
        return np.exp(found).astype(np.float32)

    @property
    def words(self) -> str:
        """The calibration for people."""
        by = f"by {min(self.factors):.3g} to {max(self.factors):.3g}" if self.sigmas else f"by {self.factor:.3g}"
        reached = self.coverage and f" ({100 * self.coverage[0]:.1f} % within 1 sigma on simulated truth)"
        return f"sigma calibrated {by}{reached or ''}"


def calibration_of(entry: Mapping[str, Any] | None, name: str) -> Calibration:
    """Return the calibration that a card holds; of a card without one, that which changes nothing.

    Parameters
    ----------
    entry : mapping or None
        ``factor``; where one is not enough, ``sigmas`` and ``factors``; ``coverage_1`` and ``coverage_2`` where they were measured.
    name : str
        Of the network, for the error message.

    Raises
    ------
    ModelError
        It is no calibration.
    """
    if entry is None:
        return Calibration()
    try:
        reached = (float(entry["coverage_1"]), float(entry["coverage_2"])) if "coverage_1" in entry else None
        sigmas, factors = (tuple(float(v) for v in entry.get(key, ())) for key in ("sigmas", "factors"))
        found = Calibration(float(entry["factor"]), sigmas, factors, reached, measured=True)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelError(f"the card of network {name!r} tells no factor of its calibration: {entry!r}") from None
    for value in (found.factor, *sigmas, *factors):
        if not (np.isfinite(value) and value > 0):
            raise ModelError(
                f"the card of network {name!r} says a calibration factor of {value}; a positive number is needed"
            )
    after = [sigma * factor for sigma, factor in zip(sigmas, factors, strict=False)]
    rising = all(a < b for row in (sigmas, after) for a, b in pairwise(row))
    if len(sigmas) != len(factors) or not rising:
        raise ModelError(
            f"the card of network {name!r} has a calibration over sigma that does not rise; calibrate the network again"
        )
    return found
