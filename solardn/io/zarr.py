"""One array of a zarr folder, of format 2 or 3; the output is a copy of the folder in which only that array changes."""

from __future__ import annotations

import base64
import json
import math
import posixpath
import shutil
import stat
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cube import Selection
from ..errors import InputError, OutputError
from ..extras import need
from ..layers import words_on
from ..provenance import Step
from .attributes import PACKING, Packing, header_of, unit_of
from .container import (
    RECORD,
    ContainerSink,
    Table,
    blocks,
    former_layers,
    free_name,
    only_one,
    step_with,
    steps_in,
    steps_with,
)
from .form import FLOAT32, Form
from .numpy import check_real, read_as
from .reading import reading

_AGAIN = "get the whole folder again"
_NAMES = "_ARRAY_DIMENSIONS"  # where xarray puts the names of the axes in format 2


class ZarrSource:
    """One array of a zarr folder.

    Parameters
    ----------
    path : pathlib.Path
        The folder: an array, or a group.
    name : str, optional
        Path of the array in the group; by default the only one with two or more dimensions.

    Raises
    ------
    InputError, MissingExtra
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        zarr = need("zarr", "zarr", str(path))
        self.path = path
        with reading(str(path), "zarr", _AGAIN):
            root = zarr.open(str(path), mode="r")
            self.array, self.name = _chosen(zarr, root, name, path)
        self.label = f"{path}::{self.name}" if self.name else str(path)
        self.shape: tuple[int, ...] = tuple(self.array.shape)
        stored = np.dtype(self.array.dtype)
        check_real(stored, self.label)
        attributes = dict(self.array.attrs) | _fill_of(self.array)
        self._packing = Packing(attributes, self.label)
        names = getattr(self.array.metadata, "dimension_names", None) or attributes.get(_NAMES)
        self.header: Mapping[str, Any] = header_of(
            attributes, names if names and len(names) == len(self.shape) else [None] * len(self.shape), self.shape
        )
        self.unit = unit_of(attributes)
        self.stored = f"{stored.newbyteorder('=')}{self._packing.words}, zarr {self.array.metadata.zarr_format}"
        self.dtype = read_as(stored)

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the array."""
        with reading(self.label, again=_AGAIN):
            raw = np.asarray(self.array[selection])
        return self._packing.unpacked(raw, self.dtype)

    @property
    def output_words(self) -> str:
        """What an output is, for people."""
        left = words_on(self.former)
        copied = f"as the array {self.name} in a copy of the zarr folder, everything else carried over"
        return copied + (left and f", {left}") if self.name else "as a zarr folder"

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the folders of an output: one; an array that is in no group has none for its further layers."""
        if layers and not self.name:
            raise OutputError(
                f"{self.path} is a single array, with no group for {', '.join(layers)} beside it; leave that out, or put the array into a group"
            )
        return [output]

    def output_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the size of the output in bytes, before compression."""
        own = self.path / self.name
        others = sum(file.stat().st_size for file in _files(self.path) if own not in file.parents)
        return others + layers * form.dtype.itemsize * math.prod(self.shape)

    def needed_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return what it takes on the disk while it is made: the results gather first."""
        return self.output_bytes(layers, form) + layers * form.dtype.itemsize * math.prod(self.shape)

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> ContainerSink:
        """Begin a copy of the folder, with an array beside this one for each further layer."""
        return _ZarrSink(self, output, layers, step, form.dtype.newbyteorder("<"), resume)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The processing steps that the array's record tells of."""
        return _steps(self.array)

    @property
    def former(self) -> list[str]:
        """The names of the arrays that the last step put beside this one, as far as they are there."""
        return _former(self.array, self.path / self.name) if self.name else []

    @property
    def table(self) -> dict[str, list[Any]]:
        """The columns of the table of maps in the last of them; empty without one."""
        columns = self.steps[-1].get("maps", {}) if self.steps else {}
        return {name: [math.nan if value is None else value for value in column] for name, column in columns.items()}

    def close(self) -> None:
        """Do nothing: no file is held open."""


class _ZarrSink(ContainerSink):
    """A zarr folder in which one array changes; what was done is in its attribute ``solardn``, and with it the table of maps."""

    def __init__(
        self, source: ZarrSource, output: Path, layers: Sequence[str], step: Step, dtype: np.dtype[Any], resume: bool
    ) -> None:
        super().__init__(output, layers, source.shape, dtype, resume)
        self._source, self._layers, self._step = source, layers, step

    def build(self, place: Path, table: Table, remark: str) -> None:
        """Copy the folder but for the array, and write that anew."""
        zarr = need("zarr", "zarr", str(self.output))
        source, old = self._source, self._source.array
        own, former = source.path / source.name, source.former

        def left(folder: str, names: list[str]) -> list[str]:
            if own in (Path(folder), *Path(folder).parents):
                return names
            return former if source.name and Path(folder) == own.parent else []

        shutil.copytree(source.path, place, ignore=left, copy_function=shutil.copyfile)
        for folder in (place, *(inside for inside in place.rglob("*") if inside.is_dir())):
            folder.chmod(folder.stat().st_mode | stat.S_IRWXU)  # an archive's folders may be read only
        parent, _, name = source.name.rpartition("/")
        taken = {path.name for path in (source.path / parent).iterdir()} - {*former}
        beside = [free_name(f"{name}_{layer.lower()}", taken) for layer in self._layers]
        step = step_with(self._step, remark, beside, former)
        if any(len(column) > 1 for column in table.values()):
            step["maps"] = {name: _plain(column) for name, column in table.items()}
        attributes = {key: value for key, value in dict(old.attrs).items() if key not in PACKING}
        steps = steps_with(attributes.get(RECORD), step)
        record, steps = (RECORD, steps) if steps else (free_name(RECORD, attributes), [step])
        self._write(zarr, place, source.name, attributes | {record: steps}, 0)
        for number, one in enumerate(beside, 1):
            self._write(zarr, place, f"{parent}/{one}".strip("/"), attributes, number)
        for folder in _consolidated(source.path):
            zarr.consolidate_metadata(str(place / folder), zarr_format=old.metadata.zarr_format)

    def _write(self, zarr: Any, place: Path, name: str, attributes: dict[str, Any], layer: int) -> None:
        old, values = self._source.array, self.arrays[layer]
        made = zarr.create_array(
            str(place),
            name=name or None,
            shape=old.shape,
            dtype=values.dtype,
            chunks=old.chunks,
            shards=getattr(old, "shards", None),
            compressors=old.compressors or None,
            fill_value=np.nan,  # 0 would be a missing value to xarray
            attributes=attributes,
            dimension_names=getattr(old.metadata, "dimension_names", None),
            zarr_format=old.metadata.zarr_format,
            overwrite=bool(name),
            **_layout(old),
        )
        for part in blocks(old.shape, getattr(old, "shards", None) or old.chunks, values.dtype.itemsize):
            made[part] = values.read(part)


def _layout(old: Any) -> dict[str, Any]:
    """Return in what order an array's values lie in its chunks, and how these are named; other filters are made for values of its own type."""
    if old.metadata.zarr_format == 2:
        return {
            "order": old.order,
            "chunk_key_encoding": {"name": "v2", "separator": old.metadata.dimension_separator},
        }
    from zarr.codecs import TransposeCodec

    return {
        "filters": [one for one in old.filters if isinstance(one, TransposeCodec)],
        "chunk_key_encoding": old.metadata.chunk_key_encoding,
    }


def _chosen(zarr: Any, root: Any, name: str | None, path: Path) -> tuple[Any, str]:
    """Return the array to take, and its path in the group."""
    if isinstance(root, zarr.Array):
        if name not in (None, "/"):
            raise InputError(f"{path} is a single array and holds no {name}; name {path} alone")
        return root, ""
    if name is not None and name in root and isinstance(root[name], zarr.Array):
        return root[name], name
    arrays = sorted(_arrays(zarr, root, ""))
    cubes = [found for found in arrays if root[found].ndim >= 2 and root[found].dtype.kind in "iuf"]
    largest = max(cubes, key=lambda cube: root[cube].size, default="")

    def beside(cube: str) -> list[str]:
        return [posixpath.join(posixpath.dirname(cube), layer) for layer in _former(root[cube], path / cube)]

    found = only_one(path, "array", cubes, name, largest, beside, whole="folder")
    return root[found], found


def _steps(array: Any) -> list[dict[str, Any]]:
    """Return the processing steps that an array's record tells of."""
    attributes = dict(array.attrs)
    return steps_in(attributes, attributes.__getitem__)


def _former(array: Any, place: Path) -> list[str]:
    """Return the names of the arrays that the last step put beside one in a group, as far as they are there."""
    return former_layers(_steps(array), place.name, {path.name for path in place.parent.iterdir()})


def _arrays(zarr: Any, group: Any, prefix: str) -> Iterator[str]:
    for name, member in group.members():
        if isinstance(member, zarr.Array):
            yield prefix + name
        else:
            yield from _arrays(zarr, member, f"{prefix}{name}/")


def _consolidated(root: Path) -> list[Path]:
    """Return the groups whose metadata are also gathered in one file."""
    found = [path.parent for path in root.rglob(".zmetadata")]
    found += [
        path.parent for path in root.rglob("zarr.json") if json.loads(path.read_text()).get("consolidated_metadata")
    ]
    return [path.relative_to(root) for path in sorted(found, reverse=True)]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _fill_of(array: Any) -> dict[str, Any]:
    """Return the attribute ``_FillValue`` as xarray keeps it: as the fill of the array in format 2, as text of a double in format 3."""
    if array.metadata.zarr_format == 2:
        return {"_FillValue": array.fill_value} if array.fill_value and _NAMES in array.attrs else {}
    fill = array.attrs.get("_FillValue")
    if array.dtype.kind != "f" or not isinstance(fill, str):
        return {}
    try:
        return {"_FillValue": struct.unpack("<d", base64.b64decode(fill))[0]}
    except (ValueError, struct.error):
        return {}


def _plain(column: NDArray[Any]) -> list[Any]:
    """Return a column as JSON knows it: null for what is no number."""
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in column.tolist()]
