"""Frames that make one cube together: files of one slit position each, whose maps lie across them.

Each frame is read once, into a temporary file, because a map takes a line of pixels from every one of them. The results gather beside the
output of the first frame, and become files like the given ones when all maps are done.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..columns import axis_of
from ..cube import Selection
from ..errors import InputError
from ..provenance import Step
from . import ready
from .address import meant, split
from .fits import FitsSource
from .form import FLOAT32, Form
from .place import writing
from .raw import RawArray
from .rawout import RawSink
from .room import check_temporary


@dataclass(frozen=True)
class Frames:
    """Files that make one cube, in the order of its slower axes.

    Attributes
    ----------
    paths : tuple of pathlib.Path
        In C order of `lengths`.
    lengths : tuple of int
        Of the axes that run across the files, slowest first.
    header : mapping of str to value
        What is said of the cube's axes, these and the frames' own.
    how : str
        How the files were put together, in words.
    problem : str
        Why they make no cube, where they do not; empty otherwise.
    """

    paths: tuple[Path, ...]
    lengths: tuple[int, ...]
    header: Mapping[str, Any]
    how: str
    problem: str = ""

    @property
    def name(self) -> str:
        """The name that stands for all: the first file's."""
        return self.paths[0].name


class FramesSource:
    """The cube of a set of frames; its shape is (axes across the files, axes of a frame).

    Parameters
    ----------
    frames : Frames
    ext : str or int, optional
        Name or number of the extension in each of them.

    Raises
    ------
    InputError
        They make no cube, or differ in shape.
    """

    def __init__(self, frames: Frames, ext: str | int | None = None) -> None:
        if frames.problem:
            raise InputError(frames.problem)
        self.frames, self._ext = frames, ext
        self.paths = tuple(split(path)[0] for path in frames.paths)
        self.path = self.paths[0]
        with contextlib.closing(FitsSource(*meant(frames.paths[0], ext))) as first:
            self._frame = first.shape
            self.dtype, self.stored, self.unit = first.dtype, first.stored, first.unit
            done = {key: first.header[key] for key in first.header if key.startswith(("PRSTEP", "PRPROC", "PRMODE"))}
        self.label = f"{self.path} and {len(frames.paths) - 1} more ({frames.how})"
        self.shape = (*frames.lengths, *self._frame)
        self.header: Mapping[str, Any] = {**frames.header, **done}
        self._stack = contextlib.ExitStack()
        self._lock = Lock()
        self._raw: RawArray | None = None

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the cube."""
        with self._lock:
            if self._raw is None:
                self._raw = self._put_together()
        return self._raw.read(selection)

    def _put_together(self) -> RawArray:
        """Return all frames, one after the other in a temporary file."""
        folder = check_temporary(self.dtype.itemsize * math.prod(self.shape), f"{self.label} is put together")
        temporary = tempfile.TemporaryFile("w+b", buffering=0, prefix="solardn-")  # noqa: SIM115 - closed with the source
        file = self._stack.enter_context(temporary)
        with writing(folder):
            for path in self.frames.paths:
                with self._opened(path) as frame:
                    values = np.ascontiguousarray(frame.read((slice(None),) * len(self._frame)), self.dtype)
                view = memoryview(values.reshape(-1).view(np.uint8))
                while view:
                    view = view[file.write(view) :]
        return RawArray(file, 0, self.shape, self.dtype, self.label)

    @contextlib.contextmanager
    def _opened(self, path: Path) -> Iterator[FitsSource]:
        with contextlib.closing(FitsSource(*meant(path, self._ext))) as frame:
            if frame.shape != self._frame:
                raise InputError(
                    f"{frame.label} has the shape {frame.shape} and {self.path} has {self._frame}, so they are no steps of one raster; denoise them in separate runs"
                )
            yield frame

    @property
    def output_words(self) -> str:
        """What an output is, for people."""
        return f"as {len(self.paths)} FITS files like the given ones"

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files of an output: one for each frame, beside that of the first."""
        with self._opened(self.frames.paths[0]) as frame:
            frame.outputs(output, layers)  # which may be refused
        return [output, *(output.with_name(path.name) for path in self.paths[1:])]

    def output_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the size of the outputs in bytes."""
        with self._opened(self.frames.paths[0]) as frame:
            return len(self.frames.paths) * frame.output_bytes(layers, form)

    def needed_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return what they take on the disk while they are made: the results gather first."""
        return self.output_bytes(layers, form) + layers * form.dtype.itemsize * math.prod(self.shape)

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> _FramesSink:
        """Begin files like the frames."""
        return _FramesSink(self, output, layers, step, form, resume)

    def close(self) -> None:
        """Release the temporary file."""
        self._stack.close()

    def write_frame(
        self,
        place: int,
        output: Path,
        layers: Sequence[str],
        step: Step,
        form: Form,
        parts: Sequence[RawArray],
        table: _Table,
        remark: str = "",
    ) -> None:
        """Write the output of one frame from the results of all."""
        path = self.frames.paths[place]
        outer = np.unravel_index(place, self.frames.lengths)
        number = ", ".join(f"{1 + int(k)} of {n}" for k, n in zip(outer, self.frames.lengths, strict=True))
        said = f"solardn: maps put together from {len(self.frames.paths)} files ({self.frames.how}); this is {number}"
        own = replace(step, parent=self.paths[place].name, history=(*step.history, said))
        with self._opened(path) as frame:
            sink = frame.sink(output, layers, own, form=form)
            try:
                whole = (slice(None),) * len(self._frame)
                for layer, part in enumerate(parts):
                    sink.write(layer, whole, part.read((*map(int, outer), *whole)))
                sink.commit(table, remark)
            finally:
                sink.abort()


_Table = Mapping[str, NDArray[Any]]


class _FramesSink(RawSink):
    """Results of all frames, one array a layer; files like the frames are made of them at the end."""

    def __init__(
        self, source: FramesSource, output: Path, layers: Sequence[str], step: Step, form: Form, resume: bool
    ) -> None:
        gathered = [output, *(output.with_name(f"{output.name}.{layer.lower()}") for layer in layers)]
        super().__init__(gathered, b"", source.shape, form.dtype, resume)
        self._source, self._layers, self._step, self._form = source, layers, step, form

    def commit(self, table: _Table, remark: str = "") -> None:
        """Write all files into a hidden folder, then put them in their places."""
        places = self._source.outputs(self.output, self._layers)
        folder = self.output.with_name(f".{self.output.name}.solardn-frames")
        with writing(self.output):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        try:
            for number, place in enumerate(places):
                self._source.write_frame(
                    number,
                    folder / place.name,
                    self._layers,
                    self._step,
                    self._form,
                    self.arrays,
                    self._rows(table, number),
                    remark,
                )
            with writing(self.output):
                for place in places:
                    ready.note(folder / place.name, place)
                    (folder / place.name).replace(place)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.abort()

    def _rows(self, table: _Table, number: int) -> _Table:
        """Return the rows of the maps that cross a frame: those at its places on the axes across the files."""
        outer = np.unravel_index(number, self._source.frames.lengths)
        wanted = np.ones(len(next(iter(table.values()))), bool)
        for axis, place in enumerate(outer):
            for name in table:
                if axis_of(name) == axis:
                    wanted &= table[name] == place
        return {name: column[wanted] for name, column in table.items()}
