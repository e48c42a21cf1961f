"""Images of a FITS file compressed by tiles, a few planes at a time, so that memory does not grow with the cube.

astropy compresses each piece; the rows and heaps of their tables are strung together to those of the whole image.
"""

from __future__ import annotations

import io
import math
import re
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from .checksum import folded, words_sum
from .container import blocks
from .fitsheader import extension_header, padded, with_checksums
from .form import Form
from .place import PartFile
from .raw import RawArray

_TILE = 2**16  # pixels of a tile, about
_SEEDS = 10000  # of the dither, which goes on from tile to tile
_LARGE = 2**31 - 2**24  # bytes beyond which a heap needs descriptors of 64 bits
_PIECE = 2**20
_BLANK = -(2**31)


def write_tiles(part: PartFile, begin: int, header: Any, array: RawArray, form: Form) -> int:
    """Write an image as a compressed extension.

    Parameters
    ----------
    part : PartFile
        Where to.
    begin : int
        First byte of the extension.
    header : astropy.io.fits.Header
        Of the plain image.
    array : RawArray
        Its values.
    form : Form
        ``rice`` rounds to steps of `form.quantum`, and ``gzip`` keeps all bits.

    Returns
    -------
    int
        The byte after it.
    """
    shape = array.shape
    height, width = shape[-2:]
    tile = (*(1 for _ in shape[:-2]), min(height, max(1, _TILE // width)), width)
    tiles = math.prod(shape[:-2]) * -(-height // tile[-2])
    plain = _plain_header(header, shape)
    wide = array.dtype.itemsize * math.prod(shape) > _LARGE
    table: Any = None
    done = heap = longest = data = 0
    for piece in blocks(shape, (*(1 for _ in shape[:-2]), height, width), array.dtype.itemsize):
        made, rows, bytes_ = _compressed(array.read(piece), plain, tile, form, done)
        if table is None:
            table = _table_header(made, shape, tiles, wide)
            rows_bytes = table["NAXIS1"] * tiles
            data = begin + len(with_checksums(table, 0))
        part.file.seek(data + table["NAXIS1"] * done)
        longest = max(longest, int(rows["COMPRESSED_DATA"][:, 0].max()))
        part.write(_moved(rows, heap, wide).tobytes())
        part.file.seek(data + rows_bytes + heap)
        part.write(bytes_)
        done, heap = done + len(rows), heap + len(bytes_)
    table["PCOUNT"] = heap
    table["TFORM1"] = f"1{'Q' if wide else 'P'}B({longest})"
    end = data + padded(rows_bytes + heap)
    part.file.truncate(end)
    words = _words(part, data, end)
    part.file.seek(begin)
    part.write(with_checksums(table, words))
    return end


def _plain_header(header: Any, shape: tuple[int, ...]) -> Any:
    """Return the header of an image extension, without what no longer holds."""
    plain = extension_header(header, shape, str(header.get("EXTNAME", "")))
    for key in ("CHECKSUM", "DATASUM", "EXTEND"):
        plain.remove(key, ignore_missing=True)
    return plain


def _compressed(
    values: NDArray[Any], header: Any, tile: tuple[int, ...], form: Form, first: int
) -> tuple[Any, NDArray[Any], bytes]:
    """Return header, rows and heap of the table that a piece becomes; `first` is the number of its first tile."""
    rice = form.compress == "rice"
    how = (
        {
            "compression_type": "RICE_1",
            "quantize_level": -form.quantum,
            "quantize_method": 2,
            "dither_seed": first % _SEEDS + 1,
        }
        if rice
        else {"compression_type": "GZIP_2", "quantize_level": 0}
    )
    buffer = io.BytesIO()
    hdu = fits.CompImageHDU(values, header.copy(), tile_shape=tile, **how)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer, output_verify="silentfix")
    raw = buffer.getvalue()
    with fits.open(io.BytesIO(raw), disable_image_compression=True, lazy_load_hdus=False) as hdus:
        made = hdus[1].header.copy()
        place = hdus[1].fileinfo()["datLoc"]
    names = [made[f"TTYPE{number}"] for number in range(1, made["TFIELDS"] + 1)]
    kinds = [re.sub(r"\(.*", "", made[f"TFORM{number}"]) for number in range(1, made["TFIELDS"] + 1)]
    dtype = np.dtype([(name, *_FIELDS[kind.lstrip("1")]) for name, kind in zip(names, kinds, strict=True)])
    count = made["NAXIS2"]
    rows = np.frombuffer(raw, dtype, count, place)
    start = place + made.get("THEAP", dtype.itemsize * count)
    heap = bytearray(raw[start : place + dtype.itemsize * count + made["PCOUNT"]])
    _undated(rows["GZIP_COMPRESSED_DATA" if rice else "COMPRESSED_DATA"], heap)
    return made, rows, bytes(heap)


def _undated(descriptors: NDArray[Any], heap: bytearray) -> None:
    """Take the time out of gzip streams, (length, place) of each in the heap: the same data must give the same bytes."""
    for length, place in descriptors.tolist():
        if length:
            heap[place + 4 : place + 8] = bytes(4)


_FIELDS: dict[str, tuple[Any, ...]] = {"PB": (">i4", (2,)), "QB": (">i8", (2,)), "D": (">f8",)}


def _moved(rows: NDArray[Any], offset: int, wide: bool) -> NDArray[Any]:
    """Return rows whose descriptors point into a heap that begins with other pieces."""
    fields = [
        (name, ">i8" if wide and rows[name].ndim == 2 else rows[name].dtype.str, rows[name].shape[1:])
        for name in rows.dtype.names or ()
    ]
    moved = np.empty(len(rows), fields)
    for name in rows.dtype.names or ():
        moved[name] = rows[name]
        if rows[name].ndim == 2:
            moved[name][:, 1] += offset * (rows[name][:, 0] > 0)
    return moved


def _table_header(made: Any, shape: tuple[int, ...], tiles: int, wide: bool) -> Any:
    """Return the header of the whole image's table from that of its first piece."""
    header = made.copy()
    for number, length in enumerate(reversed(shape), 1):
        header[f"ZNAXIS{number}"] = length
    header["NAXIS2"] = tiles
    header.remove("THEAP", ignore_missing=True)
    if wide:
        for number in range(1, header["TFIELDS"] + 1):
            if "PB" in header[f"TFORM{number}"]:
                header[f"TFORM{number}"] = "1QB(0)"
                header["NAXIS1"] += 8
    header["TFORM1"] = f"1{'Q' if wide else 'P'}B({2**31 - 1})"
    if header["ZCMPTYPE"] == "RICE_1":
        header["ZDITHER0"] = 1
        header["ZBLANK"] = _BLANK  # also where only a later piece has pixels without value
    return header


def _words(part: PartFile, begin: int, end: int) -> int:
    """Return the sum of a part of a file, for its checksum."""
    part.file.seek(begin)
    words = 0
    while begin < end:
        piece = part.file.read(min(_PIECE, end - begin))
        words = folded(words + words_sum(piece))
        begin += len(piece)
    return words
