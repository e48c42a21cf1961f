"""What comes where in a FITS output: images that change, their further layers, and all that is carried over byte for byte."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..layers import LAYERS
from ..provenance import Step
from .beside import Versions, outdated, refuse_twice
from .checksum import folded, words_sum
from .fitsfile import Span
from .fitsheader import carried_header, layer_header, padded, result_header, with_checksums
from .fitsimage import WrittenImage
from .fitssizes import BLOCK
from .form import Form
from .place import PartFile
from .raw import RawArray

if TYPE_CHECKING:
    from .fits import FitsSource

_PIECE = 2**20  # bytes carried over in one go; whole words


@dataclass(frozen=True)
class Image:
    """One image of the input that changes: which, what is recorded of it, and how its values are stored."""

    source: FitsSource
    step: Step
    form: Form


class Layout:
    """The place of every extension of an output.

    Parameters
    ----------
    changed : sequence of Image
        Of one file, from which everything else is carried over.
    layers : sequence of str
        Names of the extensions for the further layers of each.
    part : PartFile
        Where they are written.
    output : pathlib.Path
        What it will be called.

    Attributes
    ----------
    images : list of WrittenImage
        In the order (changed image, layer).
    copies : list of (Span, int)
        What is carried over: where it is in the input, and where in the output.
    end : int
        The first byte after all of them.
    """

    def __init__(self, changed: Sequence[Image], layers: Sequence[str], part: PartFile, output: Path) -> None:
        self.images: list[WrittenImage] = []
        self.copies: list[tuple[Span, int]] = []
        self.end = 0
        self._source, self._part, self._output = changed[0].source, part, output
        self._lay_out({image.source.number: image for image in changed}, layers, changed[0].form)

    def _lay_out(self, changed: dict[int, Image], layers: Sequence[str], form: Form) -> None:
        source = self._source
        gone = outdated(source.spans, changed)
        kept = {number: span for number, span in enumerate(source.spans) if number not in gone}
        refuse_twice(source.spans, layers, source.path)  # of a raster, only the first frame has been looked at so far
        # A compressed image is a table, which no file begins with: all move behind an empty primary one.
        first = 1 if form.compress and 0 in changed else 0
        self._numbers = {number: first + place for place, number in enumerate(kept)}
        made: dict[int, list[WrittenImage]] = {}
        with source.plain.open("rb") as given:
            for number, span in kept.items():
                if number in changed:
                    one = changed[number]
                    former = [source.spans[n].name for n in gone if source.spans[n].of == number]
                    header = result_header(one.source, one.step, one.form, self._output.name, former)
                    for layer in layers:
                        if link := LAYERS[layer].link:
                            header[link] = (LAYERS[layer].keywords["HDUNAME"], LAYERS[layer].words)
                    made[number] = [self._next(header, one)]
                else:
                    self.copies.append((span, self.end))
                    self.end += len(carried_header(given, span, 0, self._of(span))) + padded(span.end - span.data)
        self._versions = Versions(kept.values())
        for number, one in changed.items():
            for layer in layers:
                header = layer_header(made[number][0].header, one.source.shape, layer)
                self.mark(header, number)
                made[number].append(self._next(header, one))
            self.images += made[number]

    def _next(self, header: Any, about: Image) -> WrittenImage:
        """Give an image the next place."""
        begin, shape = self.end, about.source.shape
        data = begin + len(with_checksums(header, 0))
        array = RawArray(self._part.file, data, shape, about.form.dtype.newbyteorder(">"), str(self._output))
        self.end = data + padded(array.dtype.itemsize * math.prod(shape))
        return WrittenImage(header, begin, array, about.form)

    def _of(self, span: Span) -> int | None:
        """Return the number that the image to which an extension belongs has in the output."""
        return span.of if span.of is None else self._numbers.get(span.of, span.of)

    def mark(self, header: Any, of: int) -> None:
        """Write into the header of a new extension its version, and the number of the image of the input that it belongs to."""
        self._versions.mark(header, self._numbers[of])

    def carry_over(self) -> None:
        """Write the extensions that do not change; those without a checksum get one."""
        part = self._part
        with self._source.plain.open("rb") as given:
            for span, place in self.copies:
                of = self._of(span)
                length, words, begin = len(carried_header(given, span, 0, of)), 0, span.data
                given.seek(begin)
                part.file.seek(place + length)
                while begin < span.end:
                    piece = given.read(min(_PIECE, span.end - begin))
                    if not piece:  # the last block was not filled up
                        break
                    part.write(piece)
                    words = folded(words + words_sum(piece + bytes(-len(piece) % 4)))
                    begin += len(piece)
                part.file.seek(place)
                part.write(carried_header(given, span, words, of))
        part.file.truncate(self.end)


def output_bytes(source: FitsSource, layers: int, form: Form) -> int:
    """Return the size of an output like this source with so many images like its own, rounded up."""
    others = sum(span.end - span.header + BLOCK for number, span in enumerate(source.spans) if number != source.number)
    header = len(source.raw_header) + 4 * BLOCK
    return others + layers * (header + padded(form.dtype.itemsize * math.prod(source.shape)))
