"""Arrays in .npy files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..cube import Selection
from ..errors import InputError, OutputError
from ..provenance import Step
from .raw import RawArray
from .rawout import RawSink, layer_path


class NumpySource:
    """The array of a .npy file, of any real type, byte order and storage order."""

    def __init__(self, path: Path) -> None:
        self.path, self.label, self.unit = path, str(path), ""
        self.header: Mapping[str, Any] = {}
        self._file = path.open("rb", buffering=0)
        try:
            self.shape, self._fortran, stored = _read_header(self._file, path)
            check_real(stored, str(path))
            self.stored = str(stored.newbyteorder("="))
            self.dtype = np.dtype(
                np.float64 if stored.itemsize > 4 or (stored.kind in "iu" and stored.itemsize > 2) else np.float32
            )
            shape = self.shape[::-1] if self._fortran else self.shape
            self._raw = RawArray(self._file, self._file.tell(), shape, stored, self.label)
            if path.stat().st_size < self._raw.offset + int(np.prod(shape, dtype=object)) * stored.itemsize:
                raise InputError(f"{path} is truncated: it ends before its data do; get the whole file again")
        except BaseException:
            self._file.close()
            raise

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the array."""
        part = self._raw.read(selection[::-1]).T if self._fortran else self._raw.read(selection)
        return part.astype(self.dtype)

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files of an output: one for the result, one for each further layer."""
        return [output, *(layer_path(output, layer) for layer in layers)]

    def output_bytes(self, layers: int) -> int:
        """Return the size of the output in bytes."""
        return layers * (128 + 4 * int(np.prod(self.shape, dtype=object)))

    def sink(self, output: Path, layers: Sequence[str], step: Step, *, resume: bool = False) -> RawSink:
        """Begin a .npy file of this shape, and one more for each further layer."""
        if output.suffix != ".npy":
            raise OutputError(f"the output {output} of a .npy file must be a .npy file; let its name end so")
        header = io.BytesIO()
        npy.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": self.shape})
        return RawSink(self.outputs(output, layers), header.getvalue(), self.shape, np.dtype("<f4"), resume)

    def close(self) -> None:
        """Release the file."""
        self._file.close()


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


def _read_header(file: Any, path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether Fortran order, and type of a .npy file."""
    try:
        version = npy.read_magic(file)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = reader(file)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(
            f"{path} is not a readable .npy file ({error}); save the array again with numpy.save"
        ) from error
    return shape, fortran, dtype
