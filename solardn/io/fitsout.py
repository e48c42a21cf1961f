"""A FITS file like another one, with new values in one of its images: everything else is carried over byte for byte."""

from __future__ import annotations

import itertools
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..cube import Selection
from ..layers import LAYERS
from ..provenance import Step
from ..provenance import remark as add_remark
from ..summary import IN_UNIT
from .beside import Versions, outdated, refuse_twice
from .checksum import folded, words_sum
from .fitsfile import Span
from .fitsheader import DESCRIBED, carried_header, layer_header, padded, result_header, with_checksums
from .fitssizes import BLOCK
from .fitstiles import write_tiles
from .form import FLOAT32, Form
from .packed import PACKERS
from .place import PartFile, writing
from .quiet import quiet
from .raw import RawArray

if TYPE_CHECKING:
    from .fits import FitsSource

_VALUES = 2**17  # looked at in one go
_PIECE = 2**20  # bytes carried over in one go; whole words


@dataclass
class _Image:
    """An image of the output: its header, its place, and what is known of its values so far."""

    header: Any
    begin: int  # first byte of the header
    array: RawArray
    form: Form
    words: int = 0
    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    squares: float = 0.0

    def add(self, block: NDArray[Any]) -> None:
        """Take note of values that were written, in the byte order of the file."""
        self.words = folded(self.words + words_sum(block))
        if not any(key in self.header for key in DESCRIBED):
            return
        flat = block.reshape(-1)
        for start in range(0, flat.size, _VALUES):  # a piece at a time, so that no copy of a large map is made
            piece = flat[start : start + _VALUES]
            good = piece[np.isfinite(piece)].astype(np.float64)
            if not good.size:
                continue
            self.count += good.size
            self.low, self.high = min(self.low, float(good.min())), max(self.high, float(good.max()))
            self.total += float(good.sum())
            self.squares += float((good * good).sum())

    def complete(self) -> bytes:
        """Return the final header."""
        if self.count:
            mean = self.total / self.count
            rms = math.sqrt(max(self.squares / self.count - mean**2, 0))
            mean, rms = (float(f"{value:.7g}") for value in (mean, rms))  # further digits depend on the pieces written
            for key, value in zip(DESCRIBED, (self.low, self.high, mean, rms), strict=True):
                if key in self.header:
                    self.header[key] = value
        return with_checksums(self.header, self.words)


@dataclass
class _Layout:
    """What comes where in the output."""

    images: list[_Image] = field(default_factory=list)
    copies: list[tuple[Span, int]] = field(default_factory=list)  # where in the input, where in the output
    end: int = 0


@dataclass(frozen=True)
class Image:
    """One image of the input that changes: which, what is recorded of it, and how its values are stored."""

    source: FitsSource
    step: Step
    form: Form


class _Part:
    """The sink of one image among several of a file."""

    def __init__(self, sink: FitsSink, number: int) -> None:
        self._sink, self._number = sink, number
        self._first = number * (1 + sink.further)  # image of the layout

    def write(self, layer: int, selection: Selection, block: NDArray[np.float32]) -> None:
        """Write a part of one layer."""
        self._sink.write(self._first + layer, selection, block)

    def restore(self, layer: int, selection: Selection) -> NDArray[np.float32]:
        """Return a part that an earlier run wrote."""
        return self._sink.restore(self._first + layer, selection)

    def commit(self, table: Mapping[str, NDArray[Any]], remark: str = "") -> None:
        """Complete this image; the last one to be complete puts the file in its place."""
        self._sink.complete(self._number, table, remark)

    def abort(self, *, keep: bool = False) -> None:
        """Leave nothing behind of the whole file, or what a later run needs to go on."""
        self._sink.abort(keep=keep)


class FitsSink:
    """Writes the result in place of the source's image, and further layers as image extensions at the end.

    Parameters
    ----------
    source : FitsSource
    output : pathlib.Path
        As `check_place` returned it; a name that ends in ``.gz``, ``.bz2`` or ``.xz`` is written compressed.
    layers : sequence of str
        Names of the extensions for the further layers.
    step : Step
        What is recorded in their headers.
    form : Form
        How the values are stored.
    resume : bool
        Go on with what an earlier run left.
    others : sequence of Image
        Further images of the same file that change; `parts` has a sink for each, the first one's before them.
    """

    def __init__(
        self,
        source: FitsSource,
        output: Path,
        layers: Sequence[str],
        step: Step,
        form: Form = FLOAT32,
        *,
        resume: bool = False,
        others: Sequence[Image] = (),
    ) -> None:
        self.output, self._form = output, form
        self._changed = (Image(source, step, form), *others)
        self.further = len(layers)
        self._complete: dict[int, tuple[Mapping[str, NDArray[Any]], str]] = {}
        self._packed = bool(form.compress) or output.suffix.lower() in PACKERS
        place = output.with_name(output.name + ".plain") if self._packed else output
        self._part = PartFile(place, resume=resume)
        try:
            with writing(output), quiet():
                self._layout = self._lay_out(layers)
                self._copy(source)
        except BaseException:
            self.abort()
            raise

    @property
    def parts(self) -> list[_Part]:
        """A sink for each image that changes."""
        return [_Part(self, number) for number in range(len(self._changed))]

    def _lay_out(self, layers: Sequence[str]) -> _Layout:
        """Give every extension its place; the images come in the order (changed image, layer)."""
        layout = _Layout()
        source = self._changed[0].source
        changed = {image.source.number: image for image in self._changed}
        gone = outdated(source.spans, changed)
        kept = {number: span for number, span in enumerate(source.spans) if number not in gone}
        refuse_twice(source.spans, layers, source.path)  # of a raster, only the first frame has been looked at so far
        # A compressed image is a table, which no file begins with: all move behind an empty primary one.
        first = 1 if self._form.compress and 0 in changed else 0
        self._numbers = {number: first + place for place, number in enumerate(kept)}
        made: dict[int, list[_Image]] = {}
        with source.plain.open("rb") as given:
            for number, span in kept.items():
                if number in changed:
                    one = changed[number]
                    former = [source.spans[n].name for n in gone if source.spans[n].of == number]
                    header = result_header(one.source, one.step, one.form, self.output.name, former)
                    for layer in layers:
                        if link := LAYERS[layer].link:
                            header[link] = (LAYERS[layer].keywords["HDUNAME"], LAYERS[layer].words)
                    made[number] = [self._image(layout, header, one)]
                else:
                    layout.copies.append((span, layout.end))
                    layout.end += len(carried_header(given, span, 0, self._of(span))) + padded(span.end - span.data)
        self._versions = Versions(kept.values())
        for number, one in changed.items():
            for layer in layers:
                header = layer_header(made[number][0].header, one.source.shape, layer)
                self._versions.mark(header, self._numbers[number])
                made[number].append(self._image(layout, header, one))
            layout.images += made[number]
        return layout

    def _of(self, span: Span) -> int | None:
        """Return the number that the image to which an extension belongs has in the output."""
        return span.of if span.of is None else self._numbers.get(span.of, span.of)

    def _image(self, layout: _Layout, header: Any, about: Image) -> _Image:
        """Give an image the next place."""
        begin, shape = layout.end, about.source.shape
        data = begin + len(with_checksums(header, 0))
        array = RawArray(self._part.file, data, shape, about.form.dtype.newbyteorder(">"), str(self.output))
        layout.end = data + padded(array.dtype.itemsize * math.prod(shape))
        return _Image(header, begin, array, about.form)

    def _copy(self, source: FitsSource) -> None:
        """Carry the other extensions over; those without a checksum get one."""
        with source.plain.open("rb") as given:
            for span, place in self._layout.copies:
                of = self._of(span)
                length, words, begin = len(carried_header(given, span, 0, of)), 0, span.data
                given.seek(begin)
                self._part.file.seek(place + length)
                while begin < span.end:
                    piece = given.read(min(_PIECE, span.end - begin))
                    if not piece:  # the last block was not filled up
                        break
                    self._part.write(piece)
                    words = folded(words + words_sum(piece + bytes(-len(piece) % 4)))
                    begin += len(piece)
                self._part.file.seek(place)
                self._part.write(carried_header(given, span, words, of))
        self._part.file.truncate(self._layout.end)

    def write(self, layer: int, selection: Selection, block: NDArray[np.float32]) -> None:
        """Write a part of one layer: 0 is the result."""
        image = self._layout.images[layer]
        stored = np.ascontiguousarray(block, image.array.dtype)
        with writing(self.output):
            image.array.write(selection, stored)
        image.add(stored)

    def commit(self, table: Mapping[str, NDArray[Any]], remark: str = "") -> None:
        """Complete the headers, append the table where there is more than one map, and put the file in its place."""
        self.complete(0, table, remark)

    def complete(self, number: int, table: Mapping[str, NDArray[Any]], remark: str) -> None:
        """Take note of the table and the remark of one image; with those of the last, finish the file."""
        self._complete[number] = table, remark
        if len(self._complete) == len(self._changed):
            self._finish()

    def _finish(self) -> None:
        with writing(self.output), quiet():
            for place, image in enumerate(self._layout.images):
                if said := self._complete[place // (1 + self.further)][1]:
                    add_remark(image.header, said)
                self._part.file.seek(image.begin)
                self._part.write(image.complete())
            self._part.file.seek(self._layout.end)
            for number, (table, _) in sorted(self._complete.items()):
                if any(len(column) > 1 for column in table.values()):
                    source = self._changed[number].source
                    header, rows = _table_of(table, source.unit)
                    self._versions.mark(header, self._numbers[source.number])
                    self._part.write(with_checksums(header, words_sum(rows)) + rows)
        if not self._packed:
            self._part.commit(noted=True)
            return
        packed = PartFile(self.output)
        try:
            with writing(self.output), quiet():
                if self._form.compress:
                    self._compress(packed)
                else:
                    self._part.file.seek(0)
                    with PACKERS[self.output.suffix.lower()](packed) as stream:
                        shutil.copyfileobj(self._part.file, stream, _PIECE)
            packed.commit(noted=True)
        finally:
            packed.abort()
        self.abort()

    def _compress(self, packed: PartFile) -> None:
        """Write the file again, its new images compressed by tiles; the rest as it is."""
        images = {image.begin: image for image in self._layout.images}
        size = os.fstat(self._part.file.fileno()).st_size
        begins = sorted({*images, *(place for _, place in self._layout.copies), self._layout.end, size})
        end = 0
        if 0 in images:
            end = packed.write(with_checksums(fits.PrimaryHDU().header, 0))
        for begin, following in itertools.pairwise(begins):
            if begin in images:
                end = write_tiles(packed, end, images[begin].header, images[begin].array, images[begin].form)
            else:
                self._part.file.seek(begin)
                packed.file.seek(end)
                while begin < following:
                    piece = self._part.file.read(min(_PIECE, following - begin))
                    begin += len(piece)
                    end += packed.write(piece)

    def restore(self, layer: int, selection: Selection) -> NDArray[np.float32]:
        """Return a part that an earlier run wrote, and take note of it as `write` would."""
        image = self._layout.images[layer]
        block = image.array.read(selection)
        image.add(block)
        return block

    def abort(self, *, keep: bool = False) -> None:
        """Leave nothing behind, or what a later run needs to go on."""
        self._part.abort(keep=keep)


def output_bytes(source: FitsSource, layers: int, form: Form) -> int:
    """Return the size of an output like this source with so many images like its own, rounded up."""
    others = sum(span.end - span.header + BLOCK for number, span in enumerate(source.spans) if number != source.number)
    header = len(source.raw_header) + 4 * BLOCK
    return others + layers * (header + padded(form.dtype.itemsize * math.prod(source.shape)))


def _table_of(table: Mapping[str, NDArray[Any]], unit: str) -> tuple[Any, bytes]:
    """Return header and data of a table extension; made by hand, because astropy's own imports half of astropy for it."""
    columns = {name: values.astype(_stored(values)) for name, values in table.items()}
    rows = np.empty(len(next(iter(columns.values()))), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        rows[name] = values
    header = fits.Header([("XTENSION", "BINTABLE", "binary table extension"), ("BITPIX", 8), ("NAXIS", 2)])
    header.update({"NAXIS1": rows.itemsize, "NAXIS2": len(rows), "PCOUNT": 0, "GCOUNT": 1, "TFIELDS": len(columns)})
    for number, (name, values) in enumerate(columns.items(), 1):
        letter = {"S": f"{values.itemsize}A", "i": "J", "f": "D"}[values.dtype.kind]
        header.update({f"TTYPE{number}": name, f"TFORM{number}": letter})
        if unit and name in IN_UNIT:
            header[f"TUNIT{number}"] = unit
    header["EXTNAME"] = "SOLARDN"
    header["OBS_HDU"] = (0, "holds no observation")
    data = rows.tobytes()
    return header, data + bytes(padded(len(data)) - len(data))


def _stored(values: NDArray[Any]) -> str:
    """Return the type in which a column is stored."""
    kind = values.dtype.kind
    return f"S{max(1, values.dtype.itemsize // 4)}" if kind == "U" else {"i": ">i4", "f": ">f8"}[kind]
