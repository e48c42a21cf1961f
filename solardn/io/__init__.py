"""Open a cube, write one map at a time, commit at the end.

`open_source` tells a format by its first bytes, never by its name. A source reads parts of its cube; the sink it makes takes parts of
the result, in the same format, and puts the file in its place at the end.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..cube import Selection
from ..errors import InputError, way_out
from ..provenance import Step
from .address import meant
from .form import FLOAT32, Form

if TYPE_CHECKING:
    from .fitsfile import Unpacked
    from .frames import Frames

Input: TypeAlias = "str | os.PathLike[str] | Frames | Unpacked"
"""What is opened: a file, or files that make one cube together, or a FITS file that is unpacked already."""


class Format(Enum):
    """The formats that are read and written, with their names for people."""

    FITS = "a FITS file"
    NPY = "a .npy file"
    NPZ = "a .npz file"
    HDF5 = "an HDF5 file"
    ZARR = "a zarr folder"
    LAPALMA = "a La Palma cube"


_HDF5 = b"\x89HDF\r\n\x1a\n"
_STARTS = {
    (b"SIMPLE  =", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"): Format.FITS,  # plain, gzip, bzip2, xz
    (b"\x93NUMPY",): Format.NPY,
    (b"PK\x03\x04",): Format.NPZ,
    (_HDF5,): Format.HDF5,
}
_NAMES = (".fits", ".fit", ".fts", ".fz", ".fits.gz", ".npy", ".npz", ".h5", ".hdf5", ".fcube", ".icube")
_START = 512
_FOREIGN = {
    b"SR\x00": ("an IDL save file", "read it with scipy.io.readsav and give the array to solardn.denoise"),
    b"II*\x00": ("a TIFF picture", "save the values as .npy or FITS"),
    b"MM\x00*": ("a TIFF picture", "save the values as .npy or FITS"),
    b"\x89PNG": ("a PNG picture", "give the data it was drawn from"),
    b"\xff\xd8\xff": ("a JPEG picture", "give the data it was drawn from"),
}


class Sink(Protocol):
    """Where a result goes, layer by layer and map by map."""

    def write(self, layer: int, selection: Selection, block: NDArray[np.float32]) -> None:
        """Write a part of one layer."""

    def commit(self, table: Mapping[str, NDArray[Any]], remark: str = "") -> None:
        """Complete the output and put it in its place. `table` has one row a map, `remark` says what the residual is like."""

    def restore(self, layer: int, selection: Selection) -> NDArray[np.float32]:
        """Return a part that an earlier run wrote, and take note of it as `write` would."""

    def abort(self, *, keep: bool = False) -> None:
        """Leave nothing behind, or what a later run needs to go on."""


class Source(Protocol):
    """A cube in a file.

    Attributes
    ----------
    path : pathlib.Path
    label : str
        The file, and which part of it, for people.
    shape : tuple of int
        Slowest axis first.
    dtype : numpy.dtype
        What `read` returns: a native float32 or float64.
    stored : str
        How the values are stored, for people.
    header : mapping of str to value
        The keywords; empty where the format has none.
    unit : str
        Unit of the values, or empty.
    """

    path: Path
    label: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: str
    header: Mapping[str, Any]
    unit: str

    @property
    def output_words(self) -> str:
        """Return what an output of it is, for people."""

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the cube, scaled to its own units, with NaN where the file says there is no value."""

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files that `sink` would write."""

    def output_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the size of the output in bytes, so many images like this one in it; before compression."""

    def needed_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the most that such an output takes on its disk while it is made."""

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> Sink:
        """Begin an output of this cube's format: the result, and after it the further images named in `layers`.

        With `resume`, go on with what an earlier run left.
        """

    def close(self) -> None:
        """Release the file."""


def open_source(path: Input, ext: str | int | None = None) -> Source:
    """Open the cube in a file.

    Parameters
    ----------
    path : Input
        ``FILE::NAME`` names one of the arrays in a file.
    ext : str or int, optional
        Name or number of a FITS extension, by default the first image with at least two dimensions; or the name of an array in another
        file, by default the only one with at least two dimensions.

    Raises
    ------
    InputError
        The file is missing, cannot be read, or holds no image of real numbers.
    MissingExtra
        The library that reads it is not installed.
    """
    if not isinstance(path, str | os.PathLike):
        from .fits import FitsSource
        from .fitsfile import Unpacked
        from .frames import Frames, FramesSource

        if isinstance(path, Unpacked):
            return FitsSource(path, ext)
        if not isinstance(path, Frames):
            raise InputError(f"the input is of type {type(path).__name__}; give the path of a file")
        return FramesSource(path, ext)
    path, ext = meant(path, ext)
    match format_of(path):
        case Format.ZARR:
            from .zarr import ZarrSource

            return ZarrSource(path, _name(ext))
        case Format.NPY:
            from .numpy import NumpySource

            _refuse_ext(path, ext, ".npy file")
            return NumpySource(path)
        case Format.FITS:
            from .fits import FitsSource

            return FitsSource(path, ext)
        case Format.NPZ:
            from .npz import NpzSource

            return NpzSource(path, _name(ext))
        case Format.HDF5:
            from .hdf5 import Hdf5Source

            return Hdf5Source(path, _name(ext))
        case Format.LAPALMA:
            from .lapalma import LaPalmaSource

            _refuse_ext(path, ext, "La Palma cube")
            return LaPalmaSource(path)


def format_of(path: Path) -> Format:
    """Return the format of a file, by its first bytes, or of a folder.

    Raises
    ------
    InputError
        It is missing, cannot be read, or is of none that is known.
    """
    if is_zarr(path):
        return Format.ZARR
    start = _first_bytes(path)
    for magic, (what, instead) in _FOREIGN.items():
        if start.startswith(magic):
            raise InputError(f"{path} is {what}, which solardn does not read; {instead}")
    for starts, found in _STARTS.items():
        if start.startswith(starts):
            return found
    if _is_lapalma(start):
        return Format.LAPALMA
    raise InputError(f"{path} is neither FITS, nor .npy, .npz, HDF5 or zarr, nor a La Palma cube; give one of these")


def known_format(path: Path) -> bool:
    """Tell whether a file begins like one that `open_source` reads, or bears such a name and is to be refused if it is none; or a folder is one."""
    if path.is_dir():
        return is_zarr(path)
    start = _begins(path)
    return path.name.lower().endswith(_NAMES) or any(map(start.startswith, _STARTS)) or _is_lapalma(start)


def is_lapalma(path: Path) -> bool:
    """Tell whether a file is a La Palma cube, which may have a twin with its axes in another order."""
    return _is_lapalma(_begins(path))


def _begins(path: Path) -> bytes:
    """Return the first bytes of a file, none of what cannot be read."""
    try:
        return _first_bytes(path)
    except InputError:
        return b""


def _is_lapalma(start: bytes) -> bool:
    return b"datatype=" in start and b"nx=" in start


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a zarr array or group."""
    return any(os.path.isfile(path / name) for name in ("zarr.json", ".zarray", ".zgroup"))  # noqa: PTH113 - not where a folder is locked


def state_of(path: Path) -> list[Any]:
    """Return what changes when a file or a folder does: its real path, size in bytes, and time of the last change."""
    files = [inside for inside in path.rglob("*") if inside.is_file()] if path.is_dir() else [path]
    states = [file.stat() for file in files]
    last = max((state.st_mtime_ns for state in states), default=0)
    return [os.path.realpath(path), sum(state.st_size for state in states), last]


def files_of(source: Source) -> list[Path]:
    """Return the files that a cube lies in."""
    return list(getattr(source, "paths", (source.path,)))


def _name(ext: str | int | None) -> str | None:
    return None if ext is None else str(ext)


def _refuse_ext(path: Path, ext: str | int | None, what: str) -> None:
    if ext is not None:
        raise InputError(
            f"{path} is a {what} and has no extension {ext}; leave --ext and --mask-ext out, and give --noise-map a file"
        )


def _has_user_block(file: BinaryIO) -> bool:
    """Tell whether a file is HDF5 behind a block of its user's own: 512 bytes, as MATLAB 7.3 writes them, or two, four, … times as many."""
    place, found = _START, b" "
    while found and found != _HDF5:
        file.seek(place)
        found, place = file.read(len(_HDF5)), 2 * place
    return bool(found)


def _first_bytes(path: Path) -> bytes:
    try:
        if not path.exists():
            raise InputError(f"{path} does not exist; check the name")
        if path.is_dir():
            raise InputError(
                f"{path} is a folder and not a file; name --output-dir, and its files are denoised into that"
            )
        if not path.is_file():
            raise InputError(f"{path} is not a file; give a file of a known format")
        with path.open("rb") as file:
            start = file.read(_START)
            if not start.startswith((*_FOREIGN, *itertools.chain(*_STARTS))) and _has_user_block(file):
                start = _HDF5
    except OSError as error:
        helps = way_out(error, "check its permissions")
        raise InputError(f"{path} cannot be read ({error.strerror}); {helps}") from error
    if not start:
        raise InputError(f"{path} is empty; get the file again")
    return start
