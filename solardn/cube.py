"""A cube of any number of axes, and the maps in it: which planes they are, in which order, which share a noise level.

What each axis means is decided in `solardn.axes`. Axes are numbered as in numpy: 0 is the slowest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Role = Literal["y", "x", "stokes", "wavelength", "time", "other"]
Index = tuple[int, ...]
Selection = tuple[int | slice, ...]


def which(index: Index) -> str:
    """Return which map is meant, to be said behind a name; nothing where there is but one."""
    return f" (map {index})" if index else ""


@dataclass(frozen=True)
class Axis:
    """One axis of a cube.

    Attributes
    ----------
    number : int
        Its place in the shape, numpy's way: 0 is the slowest.
    length : int
    kind : str
        What the header calls it (CTYPE), or empty.
    role : str
        ``y``, ``x``, ``stokes``, ``wavelength``, ``time`` or ``other``.
    """

    number: int
    length: int
    kind: str
    role: Role


@dataclass(frozen=True)
class Batch:
    """Maps that are read and written together.

    Attributes
    ----------
    selection : tuple of int and slice
        Where they lie in the cube.
    indices : tuple of tuple of int
        Each map's index over the axes that are not y and x, in the order of the maps.
    """

    selection: Selection
    indices: tuple[Index, ...]


@dataclass(frozen=True)
class Cube:
    """The axes of a cube, and through them its maps.

    Attributes
    ----------
    axes : tuple of Axis
        In numpy's order; exactly one has the role ``y`` and one ``x``.
    letters : tuple of str
        The Stokes parameter of each place on the Stokes axis (one letter when the whole cube is one parameter); empty when
        nothing is known of Stokes parameters.
    how : str
        How the axes were understood, in words.
    """

    axes: tuple[Axis, ...]
    letters: tuple[str, ...]
    how: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of all axes."""
        return tuple(axis.length for axis in self.axes)

    def axis(self, role: Role) -> Axis | None:
        """Return the first axis of this role, or None."""
        return next((axis for axis in self.axes if axis.role == role), None)

    @property
    def y(self) -> int:
        """Number of the axis along the maps' height."""
        return next(axis.number for axis in self.axes if axis.role == "y")

    @property
    def x(self) -> int:
        """Number of the axis along the maps' width."""
        return next(axis.number for axis in self.axes if axis.role == "x")

    @property
    def map_shape(self) -> tuple[int, int]:
        """Height and width of a map, in pixels."""
        return self.shape[self.y], self.shape[self.x]

    @property
    def rest(self) -> tuple[Axis, ...]:
        """The axes over which the maps are counted."""
        return tuple(axis for axis in self.axes if axis.role not in ("y", "x"))

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return math.prod(axis.length for axis in self.rest)

    def _place(self, role: Role) -> int | None:
        return next((place for place, axis in enumerate(self.rest) if axis.role == role), None)

    def letter(self, index: Index) -> str:
        """Return the Stokes parameter of the map at an index over `rest`, or an empty string."""
        place = self._place("stokes")
        if place is None:
            return self.letters[0] if self.letters else ""
        return self.letters[index[place]]

    def group(self, index: Index) -> tuple[str, int]:
        """Return what a map shares its noise level with: its Stokes parameter and place in wavelength."""
        place = self._place("wavelength")
        return self.letter(index), 0 if place is None else index[place]

    def indices(self) -> Iterator[Index]:
        """Yield the index of every map, in the order of storage."""
        yield from np.ndindex(*(axis.length for axis in self.rest))

    @property
    def scattered(self) -> bool:
        """Whether the pixels of a map lie scattered in the file, because another axis runs faster than y or x.

        Neighbours on that axis are best read together: reading one costs as much as reading all.
        """
        return bool(self.rest) and self.rest[-1].number > min(self.y, self.x)

    def batches(self, limit: int) -> Iterator[Batch]:
        """Yield all maps, at most so many at once, in the order of storage: neighbours on the fastest of the axes they are counted over."""
        rest = self.rest
        if not rest:
            yield Batch((slice(None), slice(None)), ((),))
            return
        last = rest[-1].length
        for head in np.ndindex(*(axis.length for axis in rest[:-1])):
            for start in range(0, last, limit):
                stop = min(start + limit, last)
                yield Batch(
                    self._selection(head, slice(start, stop)), tuple((*head, place) for place in range(start, stop))
                )

    def batch_of(self, index: Index) -> Batch:
        """Return the batch that holds one map only."""
        if not self.rest:
            return Batch((slice(None), slice(None)), ((),))
        return Batch(self._selection(index[:-1], slice(index[-1], index[-1] + 1)), (index,))

    def _selection(self, head: Index, last: slice) -> Selection:
        parts: list[int | slice] = [slice(None)] * len(self.axes)
        for axis, place in zip(self.rest[:-1], head, strict=True):
            parts[axis.number] = place
        parts[self.rest[-1].number] = last
        return tuple(parts)

    def _order(self) -> tuple[int, ...]:
        """Return how the axes of a block, as read with a batch's selection, turn to (map, y, x)."""
        kept = sorted([self.y, self.x, *([self.rest[-1].number] if self.rest else [])])
        wanted = [*([self.rest[-1].number] if self.rest else []), self.y, self.x]
        return tuple(kept.index(number) for number in wanted)

    def to_maps(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return a block, read with a batch's selection, as maps of shape (map, y, x)."""
        maps = np.transpose(block, self._order())
        return maps if self.rest else maps[np.newaxis]

    def to_block(self, maps: NDArray[Any]) -> NDArray[Any]:
        """Return maps of shape (map, y, x) in the axes of the block they came from."""
        block = maps if self.rest else maps[0]
        return np.transpose(block, np.argsort(self._order()))
