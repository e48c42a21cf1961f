"""A FITS file like another one, with new values in one of its images: everything else is carried over byte for byte."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..columns import image_name
from ..cube import Selection
from ..provenance import Step
from ..provenance import remark as add_remark
from .checksum import words_sum
from .fitsheader import with_checksums
from .fitslayout import Image, Layout
from .fitstable import table_of
from .fitstiles import write_tiles
from .form import FLOAT32, Form
from .packed import PACKERS
from .place import PartFile, writing
from .quiet import quiet

if TYPE_CHECKING:
    from .fits import FitsSource

_PIECE = 2**20  # bytes copied in one go


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
                self._layout = Layout(self._changed, layers, self._part, output)
                self._layout.carry_over()
        except BaseException:
            self.abort()
            raise

    @property
    def parts(self) -> list[_Part]:
        """A sink for each image that changes."""
        return [_Part(self, number) for number in range(len(self._changed))]

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
                    header, rows = table_of(table, source.unit, image_name(source.header))
                    self._layout.mark(header, source.number)
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
