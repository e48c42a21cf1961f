"""La Palma cubes (``.fcube``, ``.icube``): 512 bytes of text, then the array, x fastest.

A cube of spectra stacks time, Stokes and wavelength along its third axis. Its twin, ``NAME_sp``, holds the same values with wavelength
fastest, then time, then Stokes, x and y; only it tells how many wavelengths there are. It is written again with the cube.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..cube import Selection
from ..errors import InputError
from ..provenance import Step
from .form import FLOAT32, Form
from .place import writing
from .raw import RawArray
from .rawout import RawSink, layer_path

HEADER = 512
_TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8"}
_BLOCK = 8 * 2**20  # bytes of a twin that are turned at once, when the computation is over


class LaPalmaSource:
    """The cube of a La Palma file; its shape is (time, Stokes, wavelength, y, x), without the axes that are not there."""

    def __init__(self, path: Path) -> None:
        self.path, self.label, self.unit = path, str(path), ""
        self.text = _text(path)
        cube = path.with_name(f"{path.stem.removesuffix('_sp')}{path.suffix}")
        if path == twin_of(cube) and cube.exists():
            raise InputError(
                f"{path} is the twin of {cube}, with its axes in another order; give {cube.name}, and its twin is written again with it"
            )
        numbers = _numbers(self.text, path)
        self._order = ">" if re.search(rb"endian\s*=\s*b", self.text) else "<"
        stored = np.dtype(self._order + _TYPES[numbers["datatype"]])
        planes = numbers.get("nt", 1)
        _check_size(path, planes * numbers["ny"] * numbers["nx"] * stored.itemsize)
        self.twin = twin_of(path)
        letters = re.search(rb"stokes\s*=\s*\[([IQUViquv, ]+)\]", self.text)
        n_stokes = len(letters[1].split(b",")) if letters else 1
        wavelengths = self._wavelengths(planes, n_stokes, numbers["ny"] * numbers["nx"])
        if wavelengths is None and letters and planes != n_stokes:
            raise InputError(
                f"{path} stacks Stokes parameters and wavelengths, and only its twin tells how many wavelengths there are; put {self.twin.name} beside it"
            )
        self.full = (
            planes // (n_stokes * (wavelengths or 1)),
            n_stokes,
            wavelengths or 1,
            numbers["ny"],
            numbers["nx"],
        )
        kept = [n > 1 for n in self.full[:3]] + [True, True]
        self.shape = tuple(n for n, keep in zip(self.full, kept, strict=True) if keep)
        kinds = ["TIME" if wavelengths or letters else "", "STOKES", "WAVE", "Y", "X"]
        self.header: Mapping[str, Any] = _axis_keywords(
            [kind for kind, keep in zip(kinds, kept, strict=True) if keep], letters, path
        )
        self.dtype = np.dtype(
            np.float64 if stored.itemsize > 4 or stored.kind + str(stored.itemsize) == "i4" else np.float32
        )
        self.stored = str(stored.newbyteorder("="))
        self._file = path.open("rb", buffering=0)
        self._raw = RawArray(self._file, HEADER, self.shape, stored, self.label)

    def _wavelengths(self, planes: int, n_stokes: int, pixels: int) -> int | None:
        """Return the number of wavelengths, from the twin."""
        if not self.twin.exists():
            return None
        numbers = _numbers(_text(self.twin), self.twin)
        if numbers["nx"] * numbers["ny"] * numbers.get("nt", 1) != planes * pixels or planes % (
            numbers["nx"] * n_stokes
        ):
            raise InputError(
                f"{self.twin} does not hold the values of {self.path}: {numbers['nx']} wavelengths × {numbers['ny']} times × {numbers.get('nt', 1)} spectra "
                f"against {planes} maps of {pixels} pixels; give the twin that belongs to it, or move this one away"
            )
        return numbers["nx"]

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the cube."""
        return self._raw.read(selection).astype(self.dtype)

    @property
    def output_words(self) -> str:
        """What an output is, for people."""
        return "as a La Palma .fcube" + (f" and its twin, as {self.twin.name} is here" if self.twin.exists() else "")

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files of an output: the result, one for each further layer, and the twin where there is one."""
        files = [output, *(layer_path(output, layer) for layer in layers)]
        return [*files, twin_of(output)] if self.twin.exists() else files

    def output_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the size of the output in bytes."""
        return (layers + self.twin.exists()) * (HEADER + 4 * math.prod(self.shape))

    def needed_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return what it takes on the disk while it is made."""
        return self.output_bytes(layers)

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> RawSink:
        """Begin a cube of this shape and byte order, and its twin where this one has one."""
        dtype = np.dtype(f"{self._order}f4")
        text = _float_header(self.text, step)
        paths = self.outputs(output, layers)[: 1 + len(layers)]
        if not self.twin.exists():
            return RawSink(paths, text, self.shape, dtype, resume)
        twin_text = _float_header(_text(self.twin), step)
        return _TwinSink(paths, text, self.full, self.shape, dtype, resume, twin_of(output), twin_text)

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class _TwinSink(RawSink):
    """A cube whose twin is made of it at the end."""

    def __init__(
        self,
        paths: Sequence[Path],
        header: bytes,
        full: tuple[int, ...],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        resume: bool,
        twin: Path,
        twin_header: bytes,
    ) -> None:
        super().__init__(paths, header, shape, dtype, resume)
        self._full = full
        time, stokes, wavelength, y, x = full
        try:
            self.add(twin, twin_header, (y, x, stokes, time, wavelength), dtype, resume=False)
        except BaseException:
            self.abort(keep=resume)
            raise

    def commit(self, table: Mapping[str, NDArray[Any]], remark: str = "") -> None:
        """Turn the cube into its twin, some rows of the maps at a time, and put both in their places."""
        cube, twin = self.arrays[0], self.arrays[-1]
        *_, height, width = self._full
        whole = RawArray(cube.file, cube.offset, self._full, cube.dtype, cube.where)
        rows = max(1, _BLOCK // (4 * math.prod(self._full[:3]) * width))
        with writing(self.output):
            for first in range(0, height, rows):
                part = slice(first, min(first + rows, height))
                spectra = whole.read((slice(None),) * 3 + (part, slice(None)))
                twin.write((part, *(slice(None),) * 4), spectra.transpose(3, 4, 1, 0, 2))
        super().commit(table, remark)


def twin_of(cube: Path) -> Path:
    """Return the place of a cube's twin."""
    return cube.with_name(f"{cube.stem}_sp{cube.suffix}")


def _text(path: Path) -> bytes:
    """Return the header of a cube, which may be much larger than the memory."""
    with path.open("rb") as file:
        return file.read(HEADER)


def _numbers(text: bytes, path: Path) -> dict[str, int]:
    """Return the numbers of a header."""
    found = {
        key: int(value) for key, value in re.findall(r"\b(datatype|dims|nx|ny|nt)\s*=\s*(\d+)", text.decode("latin-1"))
    }
    missing = [key for key in ("datatype", "nx", "ny") if not found.get(key)]
    if missing or found["datatype"] not in _TYPES:
        what = (
            f"lacks {', '.join(missing)}" if missing else f"says datatype={found['datatype']}, which is none of 1 to 5"
        )
        raise InputError(f"the header of the La Palma cube {path} {what}; get the file again")
    return found


def _check_size(path: Path, size: int) -> None:
    held = path.stat().st_size - HEADER
    if held != size:
        raise InputError(
            f"the header of the La Palma cube {path} speaks of {size} bytes of data, and the file holds {held}; get the whole file again, or mend nt in its header"
        )


def _axis_keywords(kinds: list[str], letters: re.Match[bytes] | None, path: Path) -> dict[str, Any]:
    """Return what a FITS header would say of the axes; `kinds` are given slowest first."""
    keywords: dict[str, Any] = {"ORIGIN": "La Palma cube"}
    for number, kind in enumerate(reversed(kinds), 1):
        keywords[f"CTYPE{number}"] = kind
        if kind == "STOKES" and letters:
            codes = ["IQUV".index(letter.strip().decode().upper()) + 1 for letter in letters[1].split(b",")]
            step = codes[1] - codes[0] if len(codes) > 1 else 1
            if codes != [codes[0] + place * step for place in range(len(codes))]:
                raise InputError(
                    f"{path} holds the Stokes parameters {letters[1].decode()}, and only those in even steps, as I,Q,U,V or I,V, are understood; write each to a cube of its own"
                )
            keywords |= {f"CRPIX{number}": 1.0, f"CRVAL{number}": float(codes[0]), f"CDELT{number}": float(step)}
    return keywords


def _float_header(text: bytes, step: Step) -> bytes:
    """Return a header for float32 values, with what was done at its end while there is room."""
    text = re.sub(rb"datatype\s*=\s*\d+\s*(\([a-z ]*\))?", b"datatype=4 (float)", text.rstrip(b"\x00 "))
    note = f" : {step.procedure} {__version__}, network {step.mode}".encode("ascii", "ignore")
    if len(text + note) <= HEADER:
        text += note
    return text[:HEADER].ljust(HEADER, b"\x00")
