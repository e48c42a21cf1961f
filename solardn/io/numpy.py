"""Arrays in .npy files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..cube import Selection
from ..errors import InputError, OutputError
from ..provenance import Step
from .place import PartFile, writing
from .raw import RawArray


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

    def sink(self, output: Path, layers: Sequence[str], step: Step, *, resume: bool = False) -> NumpySink:
        """Begin a .npy file of this shape, and one more for each further layer."""
        if output.suffix != ".npy":
            raise OutputError(f"the output {output} of a .npy file must be a .npy file; let its name end so")
        return NumpySink(self.outputs(output, layers), self.shape, resume)

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class NumpySink:
    """float32 arrays in .npy files: OUTPUT.npy, and OUTPUT.<layer>.npy for each further layer."""

    def __init__(self, paths: Sequence[Path], shape: tuple[int, ...], resume: bool) -> None:
        self.output = paths[0]
        self._parts: list[PartFile] = []
        self._arrays: list[RawArray] = []
        try:
            for path in paths:
                self._parts.append(PartFile(path, resume=resume))
                with writing(path):
                    npy.write_array_header_1_0(
                        self._parts[-1], {"descr": "<f4", "fortran_order": False, "shape": shape}
                    )
                    file = self._parts[-1].file
                    offset = file.tell()
                    file.truncate(offset + 4 * math.prod(shape))
                self._arrays.append(RawArray(file, offset, shape, np.dtype("<f4"), str(path)))
        except BaseException:
            self.abort()
            raise

    def write(self, layer: int, selection: Selection, block: NDArray[np.float32]) -> None:
        """Write a part of one layer."""
        with writing(self.output):
            self._arrays[layer].write(selection, block)

    def commit(self, table: Mapping[str, NDArray[Any]]) -> None:
        """Put the files in their places, the main one last."""
        for part in reversed(self._parts):
            part.commit()

    def restore(self, layer: int, selection: Selection) -> NDArray[np.float32]:
        """Return a part that an earlier run wrote."""
        return self._arrays[layer].read(selection)

    def abort(self, *, keep: bool = False) -> None:
        """Leave nothing behind, or what a later run needs to go on."""
        for part in self._parts:
            part.abort(keep=keep)


def layer_path(output: Path, layer: str) -> Path:
    """Return where a further layer of a .npy output goes."""
    return output.with_suffix(f".{layer.lower()}.npy")


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
