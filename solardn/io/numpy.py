"""Arrays in .npy files."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..cube import Selection
from ..errors import InputError
from ..layers import UNCERT
from ..provenance import Step
from .form import FLOAT32, Form
from .raw import RawArray
from .rawout import RawSink, layer_path
from .reading import reading


class NumpySource:
    """The array of a .npy file, of any real type, byte order and storage order."""

    header: Mapping[str, Any] = {}
    unit = ""
    by_rows = True  # as for FITS

    def __init__(self, path: Path) -> None:
        self.path, self.label = path, str(path)
        self._file: Any = path.open("rb", buffering=0)
        try:
            self._look(path.stat().st_size)
        except BaseException:
            self._file.close()
            raise

    def _look(self, end: int) -> None:
        """Learn everything about the array but its values; the file stands where it begins, and holds it up to a byte."""
        self.shape, self._fortran, stored = _read_header(self._file, self.label)
        check_real(stored, self.label)
        self.stored = str(stored.newbyteorder("="))
        self.dtype = read_as(stored)
        shape = self.shape[::-1] if self._fortran else self.shape
        self._raw = RawArray(self._file, self._file.tell(), shape, stored, self.label)
        if end < self._raw.offset + math.prod(shape) * stored.itemsize:
            raise InputError(f"{self.label} is truncated: it ends before its data do; get the whole file again")

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the array."""
        part = self._raw.read(selection[::-1]).T if self._fortran else self._raw.read(selection)
        return part.astype(self.dtype, copy=False)

    @property
    def output_words(self) -> str:
        """What an output is, for people."""
        return "as a .npy file"

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files of an output: one for the result, one for each further layer; or all in one ``.npz``."""
        if is_archive(layers):
            return [output]
        return [output, *(layer_path(output, layer) for layer in layers)]

    def output_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the size of the output in bytes."""
        return layers * (128 + form.dtype.itemsize * math.prod(self.shape))

    def needed_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return what it takes on the disk while it is made."""
        return self.output_bytes(layers, form)

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> RawSink:
        """Begin a .npy file of this shape, and one more for each further layer; or a .npz file with all of them."""
        dtype = form.dtype.newbyteorder("<")
        if is_archive(layers):
            from .archive import ArchiveSink

            return ArchiveSink(output, layers, step, self.shape, dtype, resume)
        return RawSink(self.outputs(output, layers), npy_header(self.shape, dtype), self.shape, dtype, resume)

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def is_archive(layers: Sequence[str]) -> bool:
    """Tell whether an output of a .npy file with these further layers is a ``.npz`` file: standard deviations stay beside their mean."""
    return UNCERT in layers


def npy_header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """Return what comes before the values of an array in C order."""
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": dtype.str, "fortran_order": False, "shape": shape})
    return header.getvalue()


def read_as(stored: np.dtype[Any]) -> np.dtype[Any]:
    """Return the floating type that holds the values of a stored one."""
    wide = stored.itemsize > 4 or (stored.kind in "iu" and stored.itemsize > 2)
    return np.dtype(np.float64 if wide else np.float32)


def check_real(dtype: np.dtype[Any], where: str) -> None:
    """Refuse what is not real numbers.

    Raises
    ------
    InputError
    """
    if dtype.kind == "c":
        raise InputError(f"{where} holds complex numbers ({dtype}); give their real part, or their parts one by one")
    if dtype.kind not in "iuf":
        raise InputError(f"{where} holds {dtype} and not real numbers; give an image or a cube of numbers")


def _read_header(file: Any, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether Fortran order, and type of an array."""
    with reading(where, ".npy", "save the array again with numpy.save"):
        version = npy.read_magic(file)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = reader(file)
        if min(shape, default=0) < 0:
            raise InputError(f"{where} says that it has the shape {shape}; save the array again with numpy.save")
    return shape, fortran, dtype
