"""Images and cubes in FITS files: plain, scaled, compressed by tiles, or in a gzip file; read map by map."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import math
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..cube import Selection
from ..errors import InputError
from ..provenance import Step
from .fitsout import FitsSink, output_bytes
from .quiet import quiet
from .raw import RawArray

BLOCK = 2880
_STORED = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}


@dataclass(frozen=True)
class Span:
    """Where an extension lies in a file: first byte of its header, of its data, and after it."""

    header: int
    data: int
    end: int


class FitsSource:
    """One image of a FITS file.

    Parameters
    ----------
    path : pathlib.Path
    ext : str or int, optional
        Name or number of the extension; by default the first image of at least two dimensions.

    Attributes
    ----------
    number : int
        Of the extension; 0 is the primary one.
    plain : pathlib.Path
        The file without its outer compression.
    header_bytes : int
        Size of the image's header.
    spans : list of Span
        Where each extension lies in `plain`.
    """

    def __init__(self, path: Path, ext: str | int | None = None) -> None:
        self.path = path
        self._stack = contextlib.ExitStack()
        try:
            with quiet():
                self._look(ext)
        except BaseException:
            self._stack.close()
            raise

    def _look(self, ext: str | int | None) -> None:
        """Find the image and learn everything about it but its values."""
        path = self.path
        self._file = self._stack.enter_context(_unpacked(path))
        self.plain = Path(self._file.name)
        hdus = self._stack.enter_context(_open(self.plain, path, disable_image_compression=True))
        self.number = _choose(hdus, ext, path)
        hdu = hdus[self.number]
        self.label = f"{path}[{hdu.name or self.number}]" if self.number or len(hdus) > 1 else str(path)
        self.spans = _spans(hdus, path, self.plain.stat().st_size)
        self.compressed = _is_compressed(hdu)
        if self.compressed:
            self._image = self._stack.enter_context(_open(self.plain, path))[self.number]
            self.header = self._image.header
        else:
            self.header = hdu.header
            self._check_complete(hdu.fileinfo()["datLoc"])
        self.header_bytes = len(self.header.tostring())
        self.shape = _shape(self.header)
        self.unit = str(self.header.get("BUNIT", "")).strip()
        self._describe_values(hdu)

    def _check_complete(self, begin: int) -> None:
        wanted = begin + math.prod(_shape(self.header)) * abs(self.header["BITPIX"]) // 8
        if wanted > self.plain.stat().st_size:
            raise InputError(f"{self.path} is truncated: it ends before its data do; get the whole file again")

    def _describe_values(self, hdu: Any) -> None:
        bitpix = int(self.header["BITPIX"])
        self._scale, self._zero = float(self.header.get("BSCALE", 1)), float(self.header.get("BZERO", 0))
        self._blank = self.header.get("BLANK") if bitpix > 0 else None
        self.dtype = np.dtype(np.float32 if bitpix in (8, 16, -32) else np.float64)
        self.stored = f"{'int' if bitpix > 0 else 'float'}{abs(bitpix)}"
        if (self._scale, self._zero) != (1, 0):
            self.stored += f" × {self._scale:g} + {self._zero:g}"
        if self.compressed:
            self.stored += f", {hdu.header.get('ZCMPTYPE', 'compressed')}"
        else:
            self._raw = RawArray(
                self._file, hdu.fileinfo()["datLoc"], self.shape, np.dtype(_STORED[bitpix]), self.label
            )

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the cube, scaled to its own units, NaN where the file says BLANK."""
        if self.compressed:
            return np.asarray(self._image.section[selection], self.dtype)
        raw = self._raw.read(selection)
        values = raw.astype(self.dtype)
        if self._scale != 1:
            values *= self.dtype.type(self._scale)
        if self._zero != 0:
            values += self.dtype.type(self._zero)
        if self._blank is not None:
            values[raw == self._blank] = np.nan
        return values

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files of an output: one."""
        return [output]

    def output_bytes(self, layers: int) -> int:
        """Return the size of the output in bytes."""
        return output_bytes(self, layers)

    def sink(self, output: Path, layers: Sequence[str], step: Step, *, resume: bool = False) -> FitsSink:
        """Begin a FITS file of the same structure, with an image extension more for each further layer."""
        return FitsSink(self, output, layers, step, resume=resume)

    def close(self) -> None:
        """Release the file."""
        self._stack.close()


@contextlib.contextmanager
def _open(plain: Path, path: Path, **options: Any) -> Iterator[Any]:
    """Open with astropy, every header read, its errors turned into ours."""
    with quiet():
        try:
            hdus = fits.open(plain, lazy_load_hdus=False, memmap=False, **options)
        except (OSError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
            raise InputError(f"{path} is not a readable FITS file ({error}); get the file again") from error
    try:
        yield hdus
    finally:
        with quiet():
            hdus.close()


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[Any]:
    """Open a file for plain reading; one that is compressed as a whole is unpacked to a temporary file first."""
    with path.open("rb") as file:
        opener = _OPENERS.get(file.read(2))
    if opener is None:
        with path.open("rb", buffering=0) as file:
            yield file
        return
    with tempfile.TemporaryDirectory(prefix="solardn-") as folder:
        plain = Path(folder) / "plain.fits"
        _unpack(opener, path, plain)
        with plain.open("rb", buffering=0) as file:
            yield file


def _unpack(opener: Any, path: Path, plain: Path) -> None:
    try:
        with opener(path, "rb") as packed, plain.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 2**20)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise InputError(f"{path} cannot be unpacked ({error}); get the whole file again") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be unpacked to {tempfile.gettempdir()} ({error.strerror or error}); free space there, or unpack it yourself"
        ) from error


def _is_compressed(hdu: Any) -> bool:
    return isinstance(hdu, fits.BinTableHDU) and bool(hdu.header.get("ZIMAGE", False))


def _shape(header: Any, prefix: str = "") -> tuple[int, ...]:
    n = int(header.get(f"{prefix}NAXIS", 0))
    return tuple(int(header[f"{prefix}NAXIS{i}"]) for i in range(n, 0, -1))


def _image_shape(hdu: Any) -> tuple[int, ...] | None:
    """Return the shape of an extension's image, () without data, None where it is no image."""
    if _is_compressed(hdu):
        return _shape(hdu.header, "Z")
    if isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU):
        return _shape(hdu.header)
    return None


def _choose(hdus: Any, ext: str | int | None, path: Path) -> int:
    """Return the number of the extension to take."""
    shapes = [_image_shape(hdu) for hdu in hdus]
    if ext is None:
        for number, shape in enumerate(shapes):
            if shape and len(shape) >= 2 and math.prod(shape):
                return number
        with_data = [shape for shape in shapes if shape and math.prod(shape)]
        if with_data:
            raise InputError(
                f"{path} holds no image of two or more dimensions, only {len(with_data[0])}; give an image or a cube"
            )
        kinds = "tables or headers" if len(hdus) > 1 else "a header"
        raise InputError(f"{path} holds no image data, only {kinds}; give a file with an image or a cube")
    number = _number(hdus, ext, path)
    if shapes[number] is None:
        raise InputError(f"extension {ext} of {path} is a table; {_list(hdus, shapes)}")
    if not shapes[number] or not math.prod(shapes[number] or ()):
        raise InputError(f"extension {ext} of {path} holds no data; {_list(hdus, shapes)}")
    return number


def _number(hdus: Any, ext: str | int, path: Path) -> int:
    text = str(ext).strip()
    if text.isdigit():
        if int(text) < len(hdus):
            return int(text)
    else:
        for number, hdu in enumerate(hdus):
            if hdu.name.upper() == text.upper() or (number == 0 and text.upper() == "PRIMARY"):
                return number
    raise InputError(f"{path} has no extension {ext}; {_list(hdus, [_image_shape(hdu) for hdu in hdus])}")


def _list(hdus: Any, shapes: Sequence[tuple[int, ...] | None]) -> str:
    names = [
        f"{number}{f' ({hdu.name})' if hdu.name else ''}"
        for number, (hdu, shape) in enumerate(zip(hdus, shapes, strict=True))
        if shape and math.prod(shape)
    ]
    return f"its images are {', '.join(names)}" if names else "it holds no image"


def _spans(hdus: Any, path: Path, size: int) -> list[Span]:
    """Return where each extension begins and ends, refusing a file that is shorter than its headers say."""
    spans = []
    for hdu in hdus:
        info = hdu.fileinfo()
        end = info["datLoc"] + info["datSpan"]
        if end - size >= BLOCK:  # a last block that is not filled up is a habit of some writers, and harmless
            raise InputError(f"{path} is truncated: it ends before its data do; get the whole file again")
        spans.append(Span(info["hdrLoc"], info["datLoc"], end))
    return spans
