"""A map in the units of a network, without holes, and a result in the units of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Float, positive
from .errors import InputError, OptionError
from .fill import fill

Scale = float | NDArray[np.floating[Any]]


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
    scale : float32, or ndarray (y, x) of float32
        Factor from the data's units to the network's: one, or one for each pixel, which makes uneven noise even.
    """

    units: Float
    data: Float
    holes: NDArray[np.bool_] | None
    scale: np.float32 | Float

    def restored(self, result: Float) -> Float:
        """Return a result in the data's units, in which pixels that were not finite are as they were; its own memory is used for that."""
        alone = result.flags.c_contiguous and (result.base is None or result.base.size == result.size)
        back: Float = np.divide(result, self.scale, out=result if alone else None)
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


def prepare(data: Float, scale: Scale) -> Prepared:
    """Return a map in network units, with smooth values where it holds none.

    Parameters
    ----------
    data : ndarray of float32
        The map (y, x) with at least one finite value; never changed.
    scale : float, or ndarray (y, x)
        Factor from the data's units to the network's, one or one for each pixel.

    Raises
    ------
    OptionError
        The scale is no positive number, or beyond what float32 holds.
    InputError
        Scaled values are beyond what float32 holds.
    """
    factor, good = _factor(scale), np.isfinite(data)
    with np.errstate(over="ignore", invalid="ignore"):
        units = data * factor
    holes = None if good.all() else ~good
    if holes is not None:
        units = fill(units, good)
    if not np.isfinite(units).all():
        raise InputError(
            f"values up to {np.abs(data[good]).max():.3g} are too large for a scale of {np.max(factor):.3g}; check the units, or set bad pixels to NaN"
        )
    return Prepared(units, data, holes, factor)


def _factor(scale: Scale) -> np.float32 | Float:
    """Return a scale in float32.

    Raises
    ------
    OptionError
        It is no positive number, or beyond what float32 holds.
    """
    least, most = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
    values: tuple[Any, ...] = (scale.min(), scale.max()) if isinstance(scale, np.ndarray) else (scale,)
    for value in values:
        if not least <= positive(value, "scale") <= most:
            raise OptionError(f"scale is {value:.3g}, beyond what float32 holds; multiply or divide the data before")
    return scale.astype(np.float32) if isinstance(scale, np.ndarray) else np.float32(scale)
