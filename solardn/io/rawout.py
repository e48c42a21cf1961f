"""Outputs that are a header and an array, one file a layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cube import Selection
from .place import PartFile, writing
from .raw import RawArray


class RawSink:
    """float32 arrays behind the same header in several files, the first of them the result.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        One for each layer.
    header : bytes
        What comes before the array.
    shape : tuple of int
    dtype : numpy.dtype
        float32 in the file's byte order.
    resume : bool
        Go on with what an earlier run left.
    """

    def __init__(
        self, paths: Sequence[Path], header: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], resume: bool
    ) -> None:
        self.output = paths[0]
        self.arrays: list[RawArray] = []
        self._parts: list[PartFile] = []
        try:
            for path in paths:
                self.add(path, header, shape, dtype, resume)
        except BaseException:
            self.abort()
            raise

    def add(self, path: Path, header: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], resume: bool) -> None:
        """Begin one file more, its array as large as it will be."""
        part = PartFile(path, resume=resume)
        self._parts.append(part)
        with writing(path):
            part.write(header)
            part.file.truncate(len(header) + dtype.itemsize * math.prod(shape))
        self.arrays.append(RawArray(part.file, len(header), shape, dtype, str(path)))

    def write(self, layer: int, selection: Selection, block: NDArray[np.float32]) -> None:
        """Write a part of one layer."""
        with writing(self.output):
            self.arrays[layer].write(selection, block)

    def restore(self, layer: int, selection: Selection) -> NDArray[np.float32]:
        """Return a part that an earlier run wrote."""
        return self.arrays[layer].read(selection)

    def commit(self, table: Mapping[str, NDArray[Any]], remark: str = "") -> None:
        """Put the files in their places, the main one last."""
        for part in reversed(self._parts):
            part.commit(noted=True)

    def abort(self, *, keep: bool = False) -> None:
        """Leave nothing behind, or what a later run needs to go on."""
        for part in self._parts:
            part.abort(keep=keep)


def layer_path(output: Path, layer: str) -> Path:
    """Return where a further layer of an output goes: ``OUTPUT.<layer>.<suffix>``."""
    return output.with_suffix(f".{layer.lower()}{output.suffix}")
