"""Parts of an array that lies uncompressed in a file: read and written piece by piece, so that memory does not grow with the array.

Plain reads and writes instead of a memory map: mapped pages would count as the process's memory, and a full disk would kill it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..cube import Selection
from ..errors import InputError

_SLAB = 16 * 2**20  # bytes read in one go where the pixels wanted lie scattered


class RawArray:
    """An array in C order inside an open binary file.

    Parameters
    ----------
    file : binary file
        Opened without buffering.
    offset : int
        Where the array begins, in bytes.
    shape : tuple of int
    dtype : numpy.dtype
        As stored, byte order included.
    where : str
        For error messages.
    """

    def __init__(self, file: BinaryIO, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> None:
        self.file, self.offset, self.shape, self.dtype, self.where = file, offset, shape, np.dtype(dtype), where
        self._lock = Lock()

    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part, in the stored type."""
        slabs = list(self._slabs(selection))
        if len(slabs) == 1:  # a large map, perhaps: it is not copied then
            _, begin, slab_shape, inner = slabs[0]
            whole: NDArray[Any] = self._load(begin, slab_shape)[inner]
            return whole.reshape(self._lengths(selection))
        out = np.empty(self._lengths(selection), self.dtype)
        for place, begin, slab_shape, inner in slabs:
            out[place] = self._load(begin, slab_shape)[inner]
        return out

    def write(self, selection: Selection, block: NDArray[Any]) -> None:
        """Write the selected part."""
        for place, begin, slab_shape, inner in self._slabs(selection):
            piece = block[place]
            if piece.size == math.prod(slab_shape):
                slab = np.ascontiguousarray(piece, self.dtype)
            else:  # the pixels lie scattered among others, which stay
                slab = self._load(begin, slab_shape)
                slab[inner] = piece
            self._store(begin, slab)

    def _lengths(self, selection: Selection) -> tuple[int, ...]:
        return tuple(
            len(range(*part.indices(n)))
            for part, n in zip(selection, self.shape, strict=True)
            if isinstance(part, slice)
        )

    def _slabs(
        self, selection: Selection
    ) -> Iterator[tuple[tuple[int | slice, ...], int, tuple[int, ...], tuple[Any, ...]]]:
        """Yield the contiguous pieces of the file that hold a selection.

        Each is (place in the block, first byte, shape of the piece, selection inside the piece).
        """
        n = len(self.shape)
        whole = n  # axes from here on are selected entirely
        while whole and selection[whole - 1] == slice(None):
            whole -= 1
        split = next((k for k, part in enumerate(selection) if isinstance(part, slice)), n)
        while split < whole and math.prod(self.shape[split:]) * self.dtype.itemsize > _SLAB:
            split += 1
        strides = [math.prod(self.shape[k + 1 :]) * self.dtype.itemsize for k in range(n)]
        choices = [
            list(enumerate(range(*part.indices(length)))) if isinstance(part, slice) else [(None, part)]
            for part, length in zip(selection[:split], self.shape, strict=False)
        ]
        for combination in itertools.product(*choices):
            place = tuple(where for where, _ in combination if where is not None)
            begin = self.offset + sum(
                number * stride for (_, number), stride in zip(combination, strides, strict=False)
            )
            slab_shape, inner = self.shape[split:], selection[split:]
            if inner and isinstance(inner[0], slice):  # only the rows wanted of the slab's first axis
                first, stop, _ = inner[0].indices(slab_shape[0])
                begin += first * strides[split]
                slab_shape, inner = (stop - first, *slab_shape[1:]), (slice(None), *inner[1:])
            yield place, begin, slab_shape, inner

    def _load(self, begin: int, shape: tuple[int, ...]) -> NDArray[Any]:
        slab = np.empty(shape, self.dtype)
        view = memoryview(slab.reshape(-1).view(np.uint8))
        with self._lock:
            self.file.seek(begin)
            while view:
                count = self.file.readinto(view)  # type: ignore[attr-defined]
                if not count:
                    raise InputError(f"{self.where} ends before its data do; get the whole file again")
                view = view[count:]
        return slab

    def _store(self, begin: int, slab: NDArray[Any]) -> None:
        view = memoryview(slab.reshape(-1).view(np.uint8))
        with self._lock:
            self.file.seek(begin)
            while view:
                view = view[self.file.write(view) :]
