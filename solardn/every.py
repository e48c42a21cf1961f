"""All images of a FITS file, each with its own axes and its own noise; they appear together in one output."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, OptionError
from .io import Format, format_of, ready
from .io.address import meant
from .io.container import blocks
from .io.fits import FitsSource
from .io.fitsfile import Unpacked, images_of, unpacked
from .io.fitslayout import Image
from .io.fitsout import FitsSink
from .io.form import FLOAT32, Form
from .io.place import check_place
from .io.rawout import RawSink
from .io.room import check_space
from .journal import journal_path
from .plan import extension_or_file
from .provenance import Step
from .summary import Summary


def treat_every(
    treat: Callable[[Unpacked, int, Together], Summary],
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    layers: int,
    form: Form,
    overwrite: bool,
    resume: bool,
    **beside: Any,
) -> Summary:
    """Send each image of a FITS file through the way from file to file, and put all results into one output.

    Parameters
    ----------
    treat : callable
        Sends one image through: called with the file, the number of the extension, and where its results gather.
    input, output : path
    layers : int
        Images that come of each.
    form, overwrite, resume
        As for `solardn.files.denoise_file`.
    **beside
        ``mask_ext`` and ``noise_map``; extensions that they name are not treated themselves.

    Returns
    -------
    Summary
        Of the first image; it holds those of the others, and why some stay as they are: no maps, or no noise in them.

    Raises
    ------
    InputError
        No image can be denoised.
    """
    path = meant(input, "all")[0]
    place = check_place(output, [path], overwrite, resume=resume)
    done: list[Summary] = []
    left: list[str] = []
    with images_in(path, beside) as (file, numbers):
        together = Together(file, place, numbers)
        together.check_space(layers, form)
        try:
            for number in numbers:
                try:
                    done.append(treat(file, number, together))
                except (InputError, OptionError) as error:
                    left.append(str(error))
            check_some(path, done, left)
            together.finish()
        except BaseException:
            together.abort(keep=resume)
            raise
    return replace(done[0], others=tuple(done[1:]), left=tuple(left))


@contextlib.contextmanager
def images_in(path: Path, choices: Mapping[str, Any]) -> Iterator[tuple[Unpacked, list[int]]]:
    """Give a FITS file, unpacked meanwhile, and the numbers of all its images but those that are named as masks or noise maps of the others.

    Raises
    ------
    InputError
        It is no FITS file, which alone has extensions.
    """
    path = meant(path, "all")[0]
    if format_of(path) is not Format.FITS:
        raise InputError(f"{path} is no FITS file, so --ext all means nothing; name one of its arrays, or leave it out")
    beside = choices.get("mask_ext"), extension_or_file(choices.get("noise_map", "off"))[0]
    with unpacked(path) as file:
        yield file, images_of(file, [name for name in beside if name is not None])


def check_some(path: Path, done: Sequence[Any], left: Sequence[str]) -> None:
    """Refuse a file of which no image can be denoised; the reason why the first stays as it is stands for all.

    Raises
    ------
    InputError
    """
    if not done:
        raise InputError(f"{path} holds no image that can be denoised: {left[0] if left else 'it has none'}")


class Together:
    """Results of several images of one file, which gather beside the output until all are there.

    Parameters
    ----------
    file : Unpacked
    place : pathlib.Path
        Of the output, as `check_place` returned it.
    numbers : sequence of int
        Of its images.
    """

    def __init__(self, file: Unpacked, place: Path, numbers: Sequence[int]) -> None:
        self._file, self._place, self._numbers = file, place, numbers
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._sinks: dict[int, _Gathering] = {}

    def check_space(self, layers: int, form: Form) -> None:
        """Refuse an output that the disk cannot hold, with the results while they gather."""
        size = 0
        for number in self._numbers:
            with contextlib.closing(FitsSource(self._file, number)) as source:
                self._shapes[number] = source.shape
                size = max(size, source.needed_bytes(0, form)) + 2 * (
                    source.needed_bytes(layers, form) - source.needed_bytes(0, form)
                )
        check_space(self._place, size)

    def place(self, number: str | int | None) -> Path:
        """Return what the hidden files of one image are called after."""
        return self._place.with_name(f"{self._place.name}.{number}")

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> _Gathering:
        """Begin to gather the results of one image; the output is its `place`."""
        number = int(output.suffix[1:])
        sink = _Gathering(output, self._shapes[number], layers, step, form, resume)
        self._sinks[number] = sink
        return sink

    def finish(self) -> None:
        """Write the output from all results, and put it in its place."""
        ready = {number: sink for number, sink in self._sinks.items() if sink.done}
        with contextlib.ExitStack() as stack:
            images = []
            said = _said([*ready], self._numbers)
            for number, one in ready.items():
                source = stack.enter_context(contextlib.closing(FitsSource(self._file, number)))
                images.append(Image(source, replace(one.step, history=(*one.step.history, said)), one.form))
            first, layers = images[0], next(iter(ready.values())).layers
            sink = FitsSink(first.source, self._place, layers, first.step, first.form, others=images[1:])
            try:
                for part, gathered in zip(sink.parts, ready.values(), strict=True):
                    gathered.hand_over(part)
            finally:
                sink.abort()
        self.abort()

    def abort(self, *, keep: bool = False) -> None:
        """Leave nothing behind, or what a later run needs to go on."""
        for sink in self._sinks.values():  # only these: what else lies there is that of another run
            sink.abort(keep=keep)
            if not keep:
                journal_path(sink.output).unlink(missing_ok=True)
        if self._sinks and not keep:
            ready.forget([self._place])


class _Gathering(RawSink):
    """The results of one image, in hidden files."""

    def __init__(
        self,
        place: Path,
        shape: tuple[int, ...],
        layers: Sequence[str],
        step: Step,
        form: Form,
        resume: bool,
    ) -> None:
        paths = [place, *(place.with_name(f"{place.name}.{layer.lower()}") for layer in layers)]
        super().__init__(paths, b"", shape, form.dtype, resume)
        self.layers, self.step, self.form = layers, step, form
        self.done: tuple[Mapping[str, NDArray[Any]], str] | None = None

    def commit(self, table: Mapping[str, NDArray[Any]], remark: str = "") -> None:
        """Take note that all is there; the files stay until the output is written."""
        self.done = table, remark

    def hand_over(self, sink: Any) -> None:
        """Write everything into the part of the output that is this image's."""
        for layer, array in enumerate(self.arrays):
            chunk = (*(1 for _ in array.shape[:-2]), *array.shape[-2:])
            for piece in blocks(array.shape, chunk, array.dtype.itemsize):
                sink.write(layer, piece, np.asarray(array.read(piece)))
        table, remark = self.done or ({}, "")
        sink.commit(table, remark)


def _said(done: Sequence[int], numbers: Sequence[int]) -> str:
    left = [number for number in numbers if number not in done]
    others = f"; left as they are: {', '.join(map(str, left))}" if left else ""
    return f"solardn: extensions denoised in this file: {', '.join(map(str, done))}{others}"
