"""A map in the units of a network, without holes, and a result in the units of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrays import Float, positive
from .errors import InputError, OptionError
from .fill import fill


@dataclass(frozen=True)
class Prepared:
    """A map that a network can take.

    Attributes
    ----------
    units : ndarray of float32
        The map (y, x) in network units, all of it finite.
    data : ndarray of float32
        The map as it was.
    holes : ndarray of bool or None
        Pixels that were not finite; None when there are none.
    scale : float32
        Factor from the data's units to the network's.
    """

    units: Float
    data: Float
    holes: NDArray[np.bool_] | None
    scale: np.float32

    def restored(self, result: Float) -> Float:
        """Return a result in the data's units, in which pixels that were not finite are as they were."""
        back = result / self.scale
        if self.holes is not None:
            back[self.holes] = self.data[self.holes]
        return back

    def restored_deviation(self, deviation: Float) -> Float:
        """Return a standard deviation in the data's units, NaN where the pixels were not finite."""
        back = deviation / self.scale
        if self.holes is not None:
            back[self.holes] = np.nan
        return back

    def checked(self, result: Float, network: str) -> Float:
        """Return a result in network units when all of it is finite.

        Raises
        ------
        InputError
            The network overflowed.
        """
        if not np.isfinite(result).all():
            raise InputError(
                f"values up to {np.abs(self.units).max():.3g} in the units of network {network!r} are too large for it; check the units, or set bad pixels to NaN"
            )
        return result


def prepare(data: Float, scale: float) -> Prepared:
    """Return a map in network units, with smooth values where it holds none.

    Parameters
    ----------
    data : ndarray of float32
        The map (y, x) with at least one finite value; never changed.
    scale : float
        Factor from the data's units to the network's.

    Raises
    ------
    OptionError
        The scale is no positive number, or beyond what float32 holds.
    InputError
        Scaled values are beyond what float32 holds.
    """
    limits = np.finfo(np.float32)
    if not limits.tiny <= positive(scale, "scale") <= limits.max:
        raise OptionError(f"scale is {scale:.3g}, beyond what float32 holds; multiply or divide the data before")
    factor, good = np.float32(scale), np.isfinite(data)
    with np.errstate(over="ignore", invalid="ignore"):
        units = data * factor
    holes = None if good.all() else ~good
    if holes is not None:
        units = fill(units, good)
    if not np.isfinite(units).all():
        raise InputError(
            f"values up to {np.abs(data[good]).max():.3g} are too large for a scale of {factor:.3g}; check the units, or set bad pixels to NaN"
        )
    return Prepared(units, data, holes, factor)
