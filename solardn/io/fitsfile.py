"""A FITS file as a whole: unpacked, opened, its extensions found and chosen among."""

from __future__ import annotations

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

from astropy.io import fits

from ..errors import InputError
from ..layers import OF
from .fitssizes import check_sizes
from .packed import OPENERS
from .quiet import quiet
from .reading import reading


@dataclass(frozen=True)
class Span:
    """Where an extension lies in a file (first byte of its header, of its data, and after it), and what it is called."""

    header: int
    data: int
    end: int
    name: str
    version: int
    of: int | None
    """The image that it belongs to, where solardn made it for one."""


@contextlib.contextmanager
def open_fits(plain: Path, path: Path, **options: Any) -> Iterator[Any]:
    """Open with astropy, every header read, its errors turned into ours."""
    check_sizes(plain, path)
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


@dataclass(frozen=True)
class Unpacked:
    """A FITS file, and where it lies without its outer compression: of one that is opened often, it is taken off once."""

    path: Path
    plain: Path


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    """Give a file for plain reading; one that is compressed as a whole is unpacked to a temporary file meanwhile."""
    with path.open("rb") as file:
        opener = OPENERS.get(file.read(2))
    if opener is None:
        yield Unpacked(path, path)
        return
    with tempfile.TemporaryDirectory(prefix="solardn-") as folder:
        plain = Path(folder) / "plain.fits"
        _unpack(opener, path, plain)
        yield Unpacked(path, plain)


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


def is_compressed(hdu: Any) -> bool:
    """Tell whether an extension is an image compressed by tiles."""
    return isinstance(hdu, fits.BinTableHDU) and bool(hdu.header.get("ZIMAGE", False))


def shape_of(header: Any, prefix: str = "") -> tuple[int, ...]:
    """Return the lengths of the axes in a header, slowest first; the prefix is Z for compressed images."""
    n = int(header.get(f"{prefix}NAXIS", 0))
    return tuple(int(header[f"{prefix}NAXIS{i}"]) for i in range(n, 0, -1))


def _image_shape(hdu: Any) -> tuple[int, ...] | None:
    """Return the shape of an extension's image, () without data, None where it is no image."""
    if is_compressed(hdu):
        return shape_of(hdu.header, "Z")
    if isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU):
        return shape_of(hdu.header)
    return None


def images_of(file: Unpacked, without: Sequence[str | int]) -> list[int]:
    """Return the numbers of all images of two or more dimensions in a FITS file, but for some extensions and for what lies beside a result."""
    with open_fits(file.plain, file.path, disable_image_compression=True) as hdus:
        others = {_number(hdus, ext, file.path) for ext in without}
        others |= {number for number, hdu in enumerate(hdus) if OF in hdu.header}
        with reading(str(file.path), "FITS"):
            shapes = [_image_shape(hdu) for hdu in hdus]
    return [
        number
        for number, shape in enumerate(shapes)
        if shape and len(shape) >= 2 and math.prod(shape) and number not in others
    ]


def choose(hdus: Any, ext: str | int | None, path: Path) -> int:
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
        found = _bearing(hdus, text)
        images = [number for number in found if _image_shape(hdus[number])]
        if len(images) > 1:
            which = ", ".join(map(str, images[:-1]))
            raise InputError(
                f"{path} has {len(images)} images called {text}, the extensions {which} and {images[-1]}; say which by its number{_or_version(hdus, images)}"
            )
        if found:
            return (images or found)[0]
    raise InputError(f"{path} has no extension {ext}; {_list(hdus, [_image_shape(hdu) for hdu in hdus])}")


def _bearing(hdus: Any, text: str) -> list[int]:
    """Return the numbers of the extensions with a name, or with a name and a version (EXTVER) behind a comma."""

    def named(name: str) -> list[int]:
        wanted = name.strip().upper()
        return [n for n, hdu in enumerate(hdus) if hdu.name.upper() == wanted or (n == 0 and wanted == "PRIMARY")]

    name, comma, version = text.rpartition(",")
    found = named(text)
    if not found and comma and version.strip().isdigit():
        return [number for number in named(name) if hdus[number].ver == int(version)]
    return found


def _or_version(hdus: Any, images: Sequence[int]) -> str:
    """Return how one of some images of one name is told by its version, in words, where they differ in it."""
    versions = {hdus[number].ver for number in images}
    return f", or with its EXTVER, such as {called(hdus, images[0])}" if len(versions) == len(images) else ""


def called(hdus: Any, number: int) -> str:
    """Return what an extension is called: by its name, with its version where the name is that of several images, else by its number."""
    name = hdus[number].name
    images = [n for n in (_bearing(hdus, name) if name else []) if _image_shape(hdus[n])]
    if len(images) < 2:
        return name or str(number)
    told = f"{name},{hdus[number].ver}"
    return told if _bearing(hdus, told) == [number] else str(number)


def _list(hdus: Any, shapes: Sequence[tuple[int, ...] | None]) -> str:
    names = [
        f"{number}{f' ({called(hdus, number)})' if hdu.name else ''}"
        for number, (hdu, shape) in enumerate(zip(hdus, shapes, strict=True))
        if shape and math.prod(shape)
    ]
    return f"its images are {', '.join(names)}" if names else "it holds no image"


def spans_of(hdus: Any) -> list[Span]:
    """Return where each extension begins and ends, and what it is called."""
    infos = [(hdu, hdu.fileinfo()) for hdu in hdus]
    return [
        Span(
            header=info["hdrLoc"],
            data=info["datLoc"],
            end=info["datLoc"] + info["datSpan"],
            name=str(hdu.name).upper(),
            version=hdu.ver if isinstance(hdu.ver, int) else 1,  # words in its place, or nothing
            of=hdu.header.get(OF),
        )
        for hdu, info in infos
    ]
