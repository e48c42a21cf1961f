"""What arrays and numbers are accepted, and as what: every check on what a caller hands over."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError, OptionError

Float = NDArray[np.float32]
Sigma = Literal["auto"] | float | NDArray[Any]
Cycles = int | Literal["auto"]
"""Passes of a network over a map: so many, or as many as the map needs (`solardn.cycles`)."""


def as_maps(maps: ArrayLike) -> NDArray[Any]:
    """Return an array (..., y, x) of real numbers, none of its axes empty; masked pixels become NaN.

    Raises
    ------
    InputError
        The array is none of that.
    """
    units = {str(getattr(one, "unit", None) or "none") for one in _leaves(maps)}
    if len(units) > 1:
        raise InputError(f"the maps of a list are in different units ({', '.join(sorted(units))}); bring them to one")
    array = unmasked(maps)
    check_maps(array)
    return array


def check_maps(array: Any) -> None:
    """Refuse arrays, also of dask, that do not hold maps (..., y, x) of real numbers.

    Raises
    ------
    InputError
    """
    if array.ndim < 2:
        raise InputError(f"an array of shape {array.shape} holds no map; its last two axes must be y and x")
    if array.size == 0:
        raise InputError(f"an array of shape {array.shape} is empty; give at least one map")
    check_real(array)


def unmasked(values: Any) -> NDArray[Any]:
    """Return values as an array in which masked ones are NaN, also those of arrays in lists; a view where none is masked.

    Raises
    ------
    InputError
        A list holds arrays of different shapes.
    """
    if isinstance(values, list | tuple):
        nested = any(isinstance(one, list | tuple) or hasattr(one, "mask") for one in values)
        try:
            return np.stack([unmasked(one) for one in values]) if nested else np.asarray(values)
        except ValueError as error:
            raise InputError("a list holds arrays of different shapes; give those of one shape together") from error
    array = np.asarray(values)
    mask = getattr(values, "mask", None)  # of numpy's masked arrays, and of astropy's
    hidden = isinstance(mask, np.ndarray) and mask.shape == array.shape and mask.any() and array.dtype.kind in "iuf"
    return np.where(np.asarray(mask, bool), np.nan, array) if hidden else array


def in_unit_of(value: Any, maps: Any, name: str) -> Any:
    """Return a noise level without its unit, where it has one, in that of the maps.

    Raises
    ------
    OptionError
        The maps have no unit, or one of another kind.
    """
    if isinstance(value, list | tuple):
        return [in_unit_of(one, maps, name) for one in value]
    unit, own = getattr(value, "unit", None), getattr(_first(maps), "unit", None)
    if unit is None:
        return value
    if not hasattr(value, "to_value"):
        raise OptionError(f"{name} is a {type(value).__name__}; give its values as an array, or as a Quantity")
    with suppress(Exception):  # astropy's, which is not imported here
        return value.to_value("" if own is None else own)  # numbers have no dimension
    raise OptionError(
        f"{name} is in {unit}, and the maps are in {own or 'no unit that they tell'}; give it in the unit of the maps"
    )


def with_unit_of(values: Any, maps: Any) -> Any:
    """Return values as a Quantity where the maps are one, or lists of such; else, and where there are none, as they are."""
    units, one = sys.modules.get("astropy.units"), _first(maps)  # whoever has a Quantity has imported that
    return values << one.unit if units and isinstance(one, units.Quantity) and values is not None else values


def _first(maps: Any) -> Any:
    """Return what tells the unit of maps: in lists the first, as all must have the same."""
    return next(_leaves(maps), None)


def _leaves(values: Any) -> Iterator[Any]:
    """Yield what lies in lists, also of lists; what is none as it is."""
    if isinstance(values, list | tuple):
        for one in values:
            yield from _leaves(one)
    else:
        yield values


def check_real(array: Any) -> None:
    """Refuse arrays that do not hold real numbers.

    Raises
    ------
    InputError
    """
    if array.dtype.kind not in "iuf":
        raise InputError(f"data of type {array.dtype} cannot be denoised; give integers or real numbers")


def as_float32(plane: NDArray[Any]) -> Float:
    """Return one map (y, x) as native float32, masked pixels as NaN; a view where it is that already.

    Raises
    ------
    InputError
        The array is no map of real numbers, or a finite value is beyond what float32 holds.
    """
    plane = unmasked(plane)
    if plane.ndim != 2:
        raise InputError(f"an array of shape {plane.shape} is no map; a map has the two axes y and x")
    check_real(plane)
    with np.errstate(over="ignore"):
        data = plane.astype(np.float32, copy=False)
    if plane.dtype.kind == "f" and plane.dtype.itemsize > 4:
        lost = np.isinf(data) & np.isfinite(plane)
        if lost.any():
            raise InputError(
                f"the value {plane[lost][0]:.3g} is beyond what float32 holds (3.4e38); set it to NaN where it stands for no value, or divide the data before"
            )
    return data


def per_map(noise_sigma: Sigma, leading: tuple[int, ...]) -> NDArray[Any]:
    """Return one noise level for each map, of the shape of the leading axes; each is "auto" when they are to be estimated.

    Raises
    ------
    OptionError
        The array does not broadcast to the leading axes, or does not hold numbers.
    """
    instead = "give 'auto', a number, or one for each map"
    levels = noise_sigma if isinstance(noise_sigma, str) else numbers(noise_sigma, "noise_sigma", instead)
    try:
        return np.broadcast_to(np.asarray(levels, object), leading)
    except ValueError as error:
        raise OptionError(
            f"noise_sigma of shape {np.shape(noise_sigma)} does not fit the leading axes {leading} of the data; {instead}"
        ) from error


def numbers(values: Any, name: str, instead: str) -> NDArray[np.float64]:
    """Return real numbers as an array, masked ones as NaN; numpy would take True as 1 and None as NaN, and read words.

    Raises
    ------
    OptionError
        They are none; `instead` says what to give.
    """
    array = unmasked(values)
    if array.dtype.kind not in "iuf":
        given = f"of type {array.dtype}" if array.ndim else repr(values)
        raise OptionError(f"{name} is {given}; {instead}")
    return array.astype(np.float64, copy=False)


def positive(value: float, name: str) -> float:
    """Return a positive finite number.

    Raises
    ------
    OptionError
        It is none.
    """
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        number = float("nan")
    if not (np.isfinite(number) and number > 0):
        raise OptionError(f"{name} is {value!r}; give a positive number")
    return number


def checked_cycles(cycles: Cycles) -> Cycles:
    """Return a number of passes, or "auto".

    Raises
    ------
    OptionError
        It is neither "auto" nor a whole number from 1.
    """
    return "auto" if isinstance(cycles, str) and cycles == "auto" else whole(cycles, "cycles", 1, "'auto' or ")


def whole(value: int | str, name: str, least: int, instead: str = "", most: int | None = None) -> int:
    """Return a whole number that is not below the least, nor above the most; what may stand instead of it is named in the error.

    Raises
    ------
    OptionError
        It is none.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or value < least
        or (most is not None and value > most)
    ):
        to = "" if most is None else f" to {most}"
        raise OptionError(f"{name} is {value!r}; give {instead}a whole number from {least}{to}")
    return int(value)
