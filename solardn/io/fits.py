"""Images and cubes in FITS files: plain, scaled, compressed by tiles, or in a gzip file; read map by map."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cube import Selection
from ..errors import InputError
from ..layers import words_on
from ..provenance import Step
from .beside import outdated, refuse_twice
from .fitsfile import Unpacked, called, choose, is_compressed, open_fits, shape_of, spans_of, unpacked
from .fitslayout import output_bytes
from .fitsout import FitsSink
from .form import FLOAT32, Form
from .mend import understood
from .quiet import quiet
from .raw import RawArray
from .reading import reading
from .scaled import scaled

_STORED = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}


class FitsSource:
    """One image of a FITS file.

    Parameters
    ----------
    file : pathlib.Path or Unpacked
    ext : str or int, optional
        Name or number of the extension; by default the first image of at least two dimensions.

    Attributes
    ----------
    number : int
        Of the extension; 0 is the primary one.
    plain : pathlib.Path
        The file without its outer compression.
    cards : astropy.io.fits.Header
        The header as it stands in the file; `header` leaves out what is undefined.
    raw_header : bytes
        Its bytes there.
    spans : list of Span
        Where each extension lies in `plain`, and what it is called.
    """

    by_rows = True  # a part of a map's rows is read and written at no cost for the others

    def __init__(self, file: Path | Unpacked, ext: str | int | None = None) -> None:
        self.path = file.path if isinstance(file, Unpacked) else file
        self._stack = contextlib.ExitStack()
        try:
            with quiet(), reading(str(self.path), "FITS"):
                self._look(file, ext)
        except BaseException:
            self._stack.close()
            raise

    def _look(self, file: Path | Unpacked, ext: str | int | None) -> None:
        """Find the image and learn everything about it but its values."""
        path = self.path
        whole = file if isinstance(file, Unpacked) else self._stack.enter_context(unpacked(file))
        self.plain = whole.plain
        self._file = self._stack.enter_context(self.plain.open("rb", buffering=0))
        hdus = self._stack.enter_context(open_fits(self.plain, path, disable_image_compression=True))
        self.number = choose(hdus, ext, path)
        hdu = hdus[self.number]
        self.label = f"{path}[{called(hdus, self.number)}]" if self.number or len(hdus) > 1 else str(path)
        self.spans = spans_of(hdus)
        self.compressed = is_compressed(hdu)
        if self.compressed:
            # Unscaled: astropy does not apply BLANK where BZERO makes unsigned integers.
            raw = self._stack.enter_context(open_fits(self.plain, path, do_not_scale_image_data=True))
            self._image = raw[self.number]
            self.cards = self._image.header
        else:
            self.cards = hdu.header
            self._check_complete(hdu.fileinfo()["datLoc"])
        self.header = understood(self.cards)
        span = self.spans[self.number]
        self._file.seek(span.header)
        self.raw_header = self._file.read(span.data - span.header)
        self.shape = shape_of(self.header)
        self.unit = str(self.header.get("BUNIT", "")).strip()
        self._describe_values(hdu)

    def _check_complete(self, begin: int) -> None:
        wanted = begin + math.prod(shape_of(self.cards)) * abs(self.cards["BITPIX"]) // 8
        if wanted > self.plain.stat().st_size:
            raise InputError(f"{self.path} is truncated: it ends before its data do; get the whole file again")

    def _describe_values(self, hdu: Any) -> None:
        bitpix = int(self.header["BITPIX"])
        self._scale, self._zero = self._number("BSCALE", 1), self._number("BZERO", 0)
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

    def _number(self, key: str, default: float) -> float:
        value = self.header.get(key, default)
        if isinstance(value, int | float):
            return float(value)
        raise InputError(f"{self.label}: {key} is {value!r}, which is no number; mend the header")

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the cube, scaled to its own units, NaN where the file says BLANK."""
        raw = self._unpacked(selection) if self.compressed else self._raw.read(selection)
        if (self._scale, self._zero) != (1, 0):
            values = scaled(raw, self._scale, self._zero, self.dtype)
        elif raw.dtype.newbyteorder("=") == self.dtype and raw.flags.writeable:
            values = raw.byteswap(inplace=True).view(self.dtype) if raw.dtype != self.dtype else raw
        else:
            values = raw.astype(self.dtype)
        if self._blank is not None:
            values[raw == self._blank] = np.nan
        return values

    def _unpacked(self, selection: Selection) -> NDArray[Any]:
        """Return a part of an image that is compressed by tiles, in the stored type."""
        with reading(self.label):
            return np.asarray(self._image.section[selection])

    @property
    def output_words(self) -> str:
        """What an output is, for people."""
        former = words_on(self.spans[number].name for number in outdated(self.spans, {self.number}))
        return "in place of the image in a FITS file, everything else carried over" + (former and f", {former}")

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files of an output: one; extensions of the input may not be taken for its further layers."""
        refuse_twice(self.spans, layers, self.path)
        return [output]

    def output_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the size of the output in bytes, before compression."""
        return output_bytes(self, layers, form)

    def needed_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return what it takes on the disk while it is made: one that is compressed is written plain first."""
        return output_bytes(self, layers, form) * (2 if form.compress else 1)

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> FitsSink:
        """Begin a FITS file of the same structure, with an image extension more for each further layer."""
        return FitsSink(self, output, layers, step, form, resume=resume)

    def close(self) -> None:
        """Release the file."""
        self._stack.close()
