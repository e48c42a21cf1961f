"""Where the maps of a file lie on the Sun, and what each is called: from the header's coordinates, for pictures and reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axes import kinds_of
from .cube import Axis, Index
from .io import Source
from .io.quiet import quiet
from .plan import Plan
from .worlds import pixel_axes

STRAIGHT = 0.02
"""Change of one coordinate along the other's axis, relative to its own, up to which a map counts as not turned."""

_HELIOGRAPHIC = ("HG", "CRL", "HCL")  # first letters of coordinates that people give in degrees
_CARRINGTON = "CRL"  # counted from 0 to 360 degrees
_STEPS = 8  # from edge to edge, each less than half a turn also on a map of the whole Sun
_TURN = {"arcsec": 360 * 3600.0, "deg": 360.0}


@dataclass(frozen=True)
class Frame:
    """The edges of a map for a picture.

    Attributes
    ----------
    extent : (left, right, bottom, top) or None
        Outer edges of the first and last pixels, in the unit that the labels name; None in pixels.
    labels : tuple of str
        For the axes x and y.
    """

    extent: tuple[float, float, float, float] | None = None
    labels: tuple[str, str] = ("x [px]", "y [px]")


class Coordinates:
    """Places and names of the maps of a file.

    Parameters
    ----------
    plan : Plan
        The file, open.
    """

    def __init__(self, plan: Plan) -> None:
        self._cube, self._name = plan.cube, Path(plan.source.path).name
        self._wcs = _wcs_of(plan.source)
        n = len(plan.cube.shape)
        along = pixel_axes(plan.source.header, n)
        self._world_of = {n - pixel: world - 1 for world, pixel in along.items()}

    def frame(self, index: Index) -> Frame:
        """Return where the edges of a map lie: in arcseconds (degrees on heliographic maps) where the header says, in pixels otherwise.

        On a map that is turned against the coordinates, distances from its middle are given.
        """
        axes = [self._cube.axes[number] for number in (self._cube.x, self._cube.y)]
        units = [self._angle(axis) for axis in axes]
        unit = units[0]
        if not unit or units[1] != unit:
            return Frame()
        height, width = self._cube.map_shape
        y, x = (height - 1) / 2, (width - 1) / 2
        along = np.array([self._at(index, (y, place), unit) for place in np.linspace(-0.5, width - 0.5, _STEPS + 1)])
        along[:, 0] = np.unwrap(along[:, 0], period=_TURN[unit])
        middle = along[[0, -1], 0].mean()
        along[:, 0] += _near(middle, unit, axes[0].kind.startswith(_CARRINGTON)) - middle
        left, right = along[0], along[-1]
        bottom, top = (self._at(index, (place, x), unit) for place in (-0.5, height - 0.5))
        across, up = right - left, top - bottom
        up[0] = _near(up[0], unit)
        if not np.isfinite([left, across, bottom, up]).all() or not (across.any() and up.any()):
            return Frame()
        if abs(across[1]) < STRAIGHT * abs(across[0]) and abs(up[0]) < STRAIGHT * abs(up[1]):
            edges = (float(left[0]), float(left[0] + across[0]), float(bottom[1]), float(top[1]))
            return Frame(edges, (f"x [{unit}]", f"y [{unit}]"))
        wide, high = float(np.hypot(*across)) / 2, float(np.hypot(*up)) / 2
        return Frame((-wide, wide, -high, high), (f"from the middle [{unit}]", f"from the middle [{unit}]"))

    def title(self, index: Index) -> str:
        """Return what a map is called: file, Stokes parameter, wavelength, time, and its place on other axes."""
        return ", ".join([self._name, *self.words(index)])

    def words(self, index: Index) -> list[str]:
        """Return the Stokes parameter, wavelength, time and place on other axes of a map, as far as the file has them."""
        letter = self._cube.letter(index)
        words = [f"Stokes {letter}"] if letter else []
        behind: list[str] = []
        for at, axis in zip(index, self._cube.rest, strict=True):
            if axis.role == "wavelength":
                words.append(self._wavelength(index, axis) or f"wavelength {at}")
            elif axis.role == "time":
                behind.append(f"time {at}")
            elif axis.role == "other" and axis.length > 1:
                behind.append(f"{axis.kind.lower() or f'axis {axis.number}:'} {at}")
        return words + behind

    def _wavelength(self, index: Index, axis: Axis) -> str:
        """Return the wavelength of a map with its unit; empty where the header does not tell it."""
        if self._wcs is None:
            return ""
        height, width = self._cube.map_shape
        value, unit = self._value(index, ((height - 1) / 2, (width - 1) / 2), axis)
        if not unit or not np.isfinite(value):
            return ""
        return f"{value * 1e9:.8g} nm" if unit == "m" else f"{value:.8g} {unit}"

    def _angle(self, axis: Axis) -> str:
        """Return the unit in which people give a place along an axis; empty where that is no angle."""
        from astropy.units import Unit

        unit = "" if self._wcs is None else str(self._wcs.world_axis_units[self._world_of[axis.number]])
        if not unit or not Unit(unit).is_equivalent("arcsec"):
            return ""
        return "deg" if axis.kind.startswith(_HELIOGRAPHIC) else "arcsec"

    def _at(self, index: Index, place: tuple[float, float], unit: str) -> NDArray[np.float64]:
        """Return the coordinates along x and y of a place (y, x) in a map."""
        from astropy.units import Quantity

        values = (self._value(index, place, self._cube.axes[number]) for number in (self._cube.x, self._cube.y))
        return np.array([Quantity(value, own).to_value(unit) for value, own in values])

    def _value(self, index: Index, place: tuple[float, float], axis: Axis) -> tuple[float, str]:
        """Return the coordinate that belongs to an axis, at a place (y, x) in a map, and its unit."""
        pixel = np.zeros(len(self._cube.axes))
        pixel[self._cube.y], pixel[self._cube.x] = place
        for at, other in zip(index, self._cube.rest, strict=True):
            pixel[other.number] = at
        world = self._world_of[axis.number]
        unit = str(self._wcs.world_axis_units[world])
        try:
            with quiet():
                return float(self._wcs.all_pix2world(pixel[::-1][np.newaxis], 0)[0][world]), unit
        except (ValueError, RuntimeError):  # coordinates without a solution there
            return float("nan"), unit


def _near(value: float, unit: str, from_zero: bool = False) -> float:
    """Return an angle within half a turn of zero, or within a turn from zero on."""
    turn = _TURN[unit]
    return float(value % turn if from_zero else (value + turn / 2) % turn - turn / 2)


def _wcs_of(source: Source) -> Any:
    """Return the coordinates of an image as astropy understands them, None where there are none or they cannot be read."""
    plain = getattr(source, "plain", None)
    if plain is None or not any(kind for kind, _ in kinds_of(source.header, len(source.shape))):
        return None
    from astropy.io import fits
    from astropy.units import Unit
    from astropy.wcs import WCS

    try:
        with quiet(), fits.open(plain) as hdus:  # tables of coordinates (WCS-TAB) lie in other extensions
            wcs = WCS(source.header, hdus)
            known = [Unit(str(unit)) for unit in wcs.world_axis_units]
    except Exception:  # whatever is wrong with the coordinates of a header, its maps can be shown in pixels
        return None
    return wcs if len(known) == len(source.shape) else None
