"""One array of a .npz file: a zip archive of .npy files, stored or deflated. The others are kept."""

from __future__ import annotations

import io
import json
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ..errors import InputError
from ..layers import RESULT, words_on
from ..provenance import Step
from .container import (
    MAPS,
    RECORD,
    ContainerSink,
    Table,
    columns_of,
    former_layers,
    free_name,
    last_name,
    only_one,
    records,
    step_with,
    steps_in,
    steps_with,
)
from .form import FLOAT32, Form
from .numpy import NumpySource, npy_header
from .place import writing
from .room import check_temporary

_ERRORS = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError)
_LOCAL = 30  # bytes of a member's own header before its name
_PIECE = 2**20


class NpzSource(NumpySource):
    """One array of a .npz file.

    Parameters
    ----------
    path : pathlib.Path
    name : str, optional
        Of the array; by default the only one with two or more dimensions.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path, self.label = path, str(path)
        self._file: Any = None
        try:
            with zipfile.ZipFile(path) as archive:
                self.info = _chosen(archive, name, path)
                self.name = self.info.filename.removesuffix(".npy")
                self.label = f"{path}::{self.name}"
                self._file, end = self._opened(archive)
            self._look(end)
        except _ERRORS as error:
            self.close()
            raise InputError(f"{self.label} cannot be read ({error}); get the whole file again") from error
        except BaseException:
            self.close()
            raise

    def _opened(self, archive: zipfile.ZipFile) -> tuple[Any, int]:
        """Return a file that stands where the array begins, and where it ends: unpacked to a temporary file if need be."""
        if self.info.compress_type == zipfile.ZIP_STORED:
            file = self.path.open("rb", buffering=0)
            file.seek(self.info.header_offset)
            name, extra = struct.unpack("<26x2H", file.read(_LOCAL))
            begin = file.seek(self.info.header_offset + _LOCAL + name + extra)
            return file, begin + self.info.file_size
        folder = check_temporary(self.info.file_size, f"{self.label} is unpacked")
        unpacked = tempfile.TemporaryFile("w+b", buffering=0, prefix="solardn-")  # noqa: SIM115 - closed with the source
        with writing(folder), archive.open(self.info) as packed:
            while piece := packed.read(_PIECE):
                view = memoryview(piece)
                while view:
                    view = view[unpacked.write(view) :]
        unpacked.seek(0)
        return unpacked, self.info.file_size

    @property
    def output_words(self) -> str:
        """What an output is, for people."""
        left = words_on(self.former)
        return f"as the array {self.name} of a .npz file, its other arrays carried over" + (left and f", {left}")

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files of an output: one."""
        return [output]

    def output_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the size of the output in bytes, without compression."""
        return self.path.stat().st_size + super().output_bytes(layers, form)

    def needed_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return what it takes on the disk while it is made: the results gather first."""
        return self.output_bytes(layers, form) + super().output_bytes(layers, form)

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> ContainerSink:
        """Begin a .npz file with the same arrays, and one more for each further layer."""
        return _NpzSink(self, output, layers, step, form.dtype.newbyteorder("<"), resume)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The processing steps of this array that the file's record tells of."""
        with zipfile.ZipFile(self.path) as archive:
            return _steps(archive, self.name)

    @property
    def former(self) -> list[str]:
        """The names of the arrays that the last step put beside this one, as far as they are there."""
        with zipfile.ZipFile(self.path) as archive:
            return _former(archive, self.name)

    @property
    def table(self) -> dict[str, list[Any]]:
        """The columns of the table of this array's maps; empty without one."""
        with zipfile.ZipFile(self.path) as archive:
            names = _names(archive)
            name = last_name(f"{self.name}_maps", names)
            if name is None and self.name == RESULT and MAPS in names:
                name = MAPS  # where several arrays were made of a .npy file
            if name is None:
                return {}
            with archive.open(f"{name}.npy") as member:
                return columns_of(npy.read_array(member, allow_pickle=False))

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()


class _NpzSink(ContainerSink):
    """A .npz file in which one array changes; what was done is in the array ``solardn``, as JSON, and the maps' table in another."""

    def __init__(
        self, source: NpzSource, output: Path, layers: Sequence[str], step: Step, dtype: np.dtype[Any], resume: bool
    ) -> None:
        super().__init__(output, layers, source.shape, dtype, resume)
        self._source, self._layers, self._step = source, layers, step

    def build(self, place: Path, table: Table, remark: str) -> None:
        """Write the archive."""
        try:
            self._build(place, table, remark)
        except _ERRORS as error:  # another array is damaged
            raise InputError(f"{self._source.path} cannot be read ({error}); get the whole file again") from error

    def _build(self, place: Path, table: Table, remark: str) -> None:
        """Write members in their order, then those that are new."""
        source = self._source
        with zipfile.ZipFile(source.path) as given, zipfile.ZipFile(place, "w", allowZip64=True) as made:
            former = source.former
            names = _names(given) - {*former}
            beside = [free_name(f"{source.name}_{layer.lower()}", names) for layer in self._layers]
            step = step_with(self._step, remark, beside, former) | {"array": source.name}
            record, steps = self._record(given, names, step)
            for info in given.infolist():
                if info.filename == source.info.filename:
                    self._write_layer(made, info.filename, 0)
                elif info.filename.removesuffix(".npy") not in {record, *former}:
                    with given.open(info) as member, made.open(_like(info), "w", force_zip64=True) as copy:
                        shutil.copyfileobj(member, copy, _PIECE)
            for number, name in enumerate(beside, 1):
                self._write_layer(made, f"{name}.npy", number)
            self._write_array(made, record, np.array(json.dumps(steps)))
            if any(len(column) > 1 for column in table.values()):
                self._write_array(made, free_name(f"{source.name}_maps", names), records(table))

    def _record(
        self, given: zipfile.ZipFile, names: set[str], step: dict[str, Any]
    ) -> tuple[str, list[dict[str, Any]]]:
        """Return the name and text of the record: the one that is there goes on, if it is ours."""
        before = _text(given, f"{RECORD}.npy") if RECORD in names else None
        steps = steps_with(before, step) if before != "" else None
        return (RECORD, steps) if steps else (free_name(RECORD, names), [step])

    def _write_layer(self, made: zipfile.ZipFile, filename: str, layer: int) -> None:
        array = self.arrays[layer]
        array.file.seek(0)
        with made.open(_like(self._source.info, filename), "w", force_zip64=True) as member:
            member.write(npy_header(array.shape, array.dtype))
            shutil.copyfileobj(array.file, member, _PIECE)

    def _write_array(self, made: zipfile.ZipFile, name: str, values: Any) -> None:
        data = io.BytesIO()
        npy.write_array(data, values, allow_pickle=False)
        made.writestr(_like(self._source.info, f"{name}.npy"), data.getvalue())


def _like(info: zipfile.ZipInfo, filename: str | None = None) -> zipfile.ZipInfo:
    """Return a member's description for a new archive."""
    new = zipfile.ZipInfo(filename or info.filename, info.date_time)
    new.compress_type, new.external_attr, new.comment = info.compress_type, info.external_attr, info.comment
    return new


def _names(archive: zipfile.ZipFile) -> set[str]:
    """Return the names of the arrays in an archive."""
    return {info.filename.removesuffix(".npy") for info in archive.infolist()}


def _steps(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    """Return the processing steps of an array that the record in an archive tells of."""
    steps = steps_in(_names(archive), lambda record: _text(archive, f"{record}.npy"))
    return [step for step in steps if step.get("array", name) == name]


def _former(archive: zipfile.ZipFile, name: str) -> list[str]:
    """Return the names of the arrays that the last step put beside one, as far as they are there."""
    return former_layers(_steps(archive, name), name, _names(archive))


def _text(archive: zipfile.ZipFile, filename: str) -> str:
    """Return a member's text, empty where it is another array."""
    with archive.open(filename) as member:
        try:
            values = npy.read_array(member, allow_pickle=False)
        except ValueError:
            return ""
    return str(values) if values.shape == () and values.dtype.kind == "U" else ""


def _chosen(archive: zipfile.ZipFile, name: str | None, path: Path) -> zipfile.ZipInfo:
    """Return the member to take."""
    arrays = {info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename.endswith(".npy")}
    if not arrays:
        raise InputError(f"{path} is a zip archive without arrays in it; give a .npz file, or unpack it")
    if name in arrays:
        return arrays[name]
    cubes = [name for name, info in arrays.items() if _dimensions(archive, info) >= 2]
    such = next(iter(cubes), "")
    return arrays[only_one(path, "array", cubes, name, such, lambda cube: _former(archive, cube))]


def _dimensions(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    with archive.open(info) as member:
        try:
            reader = npy.read_array_header_1_0 if npy.read_magic(member) == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = reader(member)
        except ValueError:
            return 0
    return len(shape) if dtype.kind in "iufc" else 0
