"""One dataset of an HDF5 file (also netCDF-4); the output is a copy of the file in which only that dataset changes."""

from __future__ import annotations

import contextlib
import json
import math
import os
import posixpath
import shutil
from collections.abc import Collection, Mapping, Sequence
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
from .numpy import check_real, read_as
from .reading import reading

_CACHE, _CACHE_SHARE = 64 * 2**20, 8
"""The most bytes of chunks that are kept unpacked, as neighbouring maps often share them; and which part of the memory."""

_IN_USE = ("unable to lock file", "already open for write")  # what HDF5 says of a file that is not broken

_LIST = (
    "DIMENSION_LIST",
    "REFERENCE_LIST",
    "CLASS",
    "NAME",
)  # attributes that belong to scales of dimensions, not to values


class Hdf5Source:
    """One dataset of an HDF5 file.

    Parameters
    ----------
    path : pathlib.Path
    name : str, optional
        Path of the dataset in the file; by default the only one with two or more dimensions.

    Raises
    ------
    InputError, MissingExtra
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path
        self._file = _opened(path, _CACHE)
        try:
            with reading(str(path), "HDF5"):
                self.dataset = _chosen(self._file, name, path)
            self.name = str(self.dataset.name).strip("/")
            self.label = f"{path}::{self.name}"
            self.shape: tuple[int, ...] = tuple(self.dataset.shape or ())  # None where it is empty
            check_real(self.dataset.dtype, self.label)
            attributes = dict(self.dataset.attrs)
            self._packing = Packing(attributes, self.label)
            self.header: Mapping[str, Any] = header_of(attributes, _axis_names(self.dataset), self.shape)
            self.unit = unit_of(attributes)
            self.stored = f"{self.dataset.dtype.newbyteorder('=')}{self._packing.words}" + (
                f", {self.dataset.compression}" if self.dataset.compression else ""
            )
            self.dtype = read_as(self.dataset.dtype)
        except BaseException:
            self._file.close()
            raise

    def keep_within(self, memory: int) -> int:
        """Let chunks that are kept unpacked take no more than a part of the memory, and return that in bytes."""
        cache = min(_CACHE, memory // _CACHE_SHARE)
        self._file.close()  # a cache has its size from when the file is opened
        self._file = _opened(self.path, cache)
        self.dataset = self._file[self.name]
        return cache

    def read(self, selection: Selection) -> NDArray[np.floating]:
        """Return a part of the dataset."""
        with reading(self.label):
            raw = np.asarray(self.dataset[selection])
        return self._packing.unpacked(raw, self.dtype)

    @property
    def output_words(self) -> str:
        """What an output is, for people."""
        left = words_on(self.former)
        copied = f"as the dataset {self.name} in a copy of the HDF5 file, everything else carried over"
        return copied + (left and f", {left}")

    def outputs(self, output: Path, layers: Sequence[str]) -> list[Path]:
        """Return the files of an output: one; it may not lie where other datasets would not find the files that their values come from."""
        for where, name in _from_other_files(self._file, but=self.name):
            if (self.path.parent / name).exists() and not (output.parent / name).exists():
                raise OutputError(
                    f"{output}: the virtual dataset {where} takes its values from {name} beside {self.path}, and would hold none there; put it at {output.parent / name} first (a link will do), or name an OUTPUT beside {self.path}"
                )
        return [output]

    def output_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return the size of the output in bytes, before compression."""
        return self.path.stat().st_size + layers * form.dtype.itemsize * math.prod(self.shape)

    def needed_bytes(self, layers: int, form: Form = FLOAT32) -> int:
        """Return what it takes on the disk while it is made: the results gather first."""
        return self.output_bytes(layers, form) + layers * form.dtype.itemsize * math.prod(self.shape)

    def sink(
        self, output: Path, layers: Sequence[str], step: Step, *, form: Form = FLOAT32, resume: bool = False
    ) -> ContainerSink:
        """Begin a copy of the file, with a dataset beside this one for each further layer."""
        return _Hdf5Sink(self, output, layers, step, form.dtype, resume)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The processing steps that the dataset's record tells of."""
        return _steps(self.dataset)

    @property
    def former(self) -> list[str]:
        """The names of the datasets that the last step put beside this one, as far as they are there."""
        return _former(self.dataset)

    @property
    def table(self) -> dict[str, list[Any]]:
        """The columns of the table of maps beside the dataset; empty without one."""
        group = self.dataset.parent
        name = last_name(f"{self.name.rpartition('/')[2]}_maps", group)
        return columns_of(group[name][()]) if name and hasattr(group[name], "dtype") else {}

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def _opened(path: Path, cache: int) -> Any:
    """Open a file for reading, with so many bytes for chunks that are kept unpacked."""
    h5py = need("h5py", "hdf5", str(path))
    with reading(str(path), "HDF5"):
        try:
            return h5py.File(path, "r", rdcc_nbytes=cache)
        except OSError as error:
            if not any(words in str(error) for words in _IN_USE):
                raise
            raise InputError(
                f"{path} is in use by another program ({error}); close it there or, if nothing writes to it, set HDF5_USE_FILE_LOCKING=FALSE (after a crash run 'h5clear -s' on a copy)"
            ) from error


class _Hdf5Sink(ContainerSink):
    """An HDF5 file in which one dataset changes; what was done is in its attribute ``solardn``, the maps' table beside it."""

    def __init__(
        self, source: Hdf5Source, output: Path, layers: Sequence[str], step: Step, dtype: np.dtype[Any], resume: bool
    ) -> None:
        super().__init__(output, layers, source.shape, dtype, resume)
        self._source, self._layers, self._step = source, layers, step

    def build(self, place: Path, table: Table, remark: str) -> None:
        """Copy the file, and write what is new into the copy."""
        h5py = need("h5py", "hdf5", str(self.output))
        shutil.copyfile(self._source.path, place)
        with h5py.File(place, "r+") as made:
            old = made[self._source.name]
            group, name = old.parent, str(old.name).rpartition("/")[2]
            former = self._source.former
            for one in former:
                _remove(group, one)
            beside = [free_name(f"{name}_{layer.lower()}", group) for layer in self._layers]
            for number, one in enumerate(beside, 1):
                self._fill(_like(group, one, old, self.arrays[number].dtype), number)
            links = _links_to(self._source.dataset.parent, {*former} - {*beside})
            for link in links:
                del made[link]
            step = step_with(self._step, remark, beside, [*former, *links])
            steps = steps_with(_plain_text(old.attrs.get(RECORD)), step)
            record, steps = (RECORD, steps) if steps else (free_name(RECORD, old.attrs), [step])
            if old.dtype.newbyteorder("=") == self.arrays[0].dtype and _keeps_values(old):
                result = old
                for key in set(PACKING) & set(result.attrs):
                    del result.attrs[key]
                    if key == "_FillValue":
                        result.attrs[key] = old.dtype.type(np.nan)
            else:
                result = old = _replaced(group, name, old, self.arrays[0].dtype)  # no handle keeps the old one's room
            self._fill(result, 0)
            result.attrs[record] = json.dumps(steps)
            if any(len(column) > 1 for column in table.values()):
                group.create_dataset(free_name(f"{name}_maps", group), data=records(table))

    def _fill(self, dataset: Any, layer: int) -> None:
        chunks = dataset.chunks or (1,) * len(dataset.shape)
        for part in blocks(dataset.shape, chunks, dataset.dtype.itemsize):
            dataset[part] = self.arrays[layer].read(part)


def _keeps_values(dataset: Any) -> bool:
    """Tell whether what is written into a dataset stays in its own file, and as it is.

    The values of a virtual or external one lie in other files, which belong to the input, and scale-offset rounds them.
    """
    return not (dataset.is_virtual or dataset.external or dataset.scaleoffset is not None)


def _like(group: Any, name: str, old: Any, dtype: np.dtype[Any]) -> Any:
    """Make a dataset of the same shape, chunks, filters, attributes and scales of dimensions, for floating values."""
    from h5py import h5d, h5p, h5s, h5t, h5z

    if old.chunks:
        properties = old.id.get_create_plist()
        for lossy in (h5z.FILTER_SCALEOFFSET, h5z.FILTER_NBIT):  # they are made for another type
            with contextlib.suppress(ValueError, RuntimeError):
                properties.remove_filter(lossy)
    else:
        properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    properties.set_attr_creation_order(0)
    properties.set_fill_value(np.full((), np.nan, dtype))
    space = h5s.create_simple(old.shape, tuple(h5s.UNLIMITED if n is None else n for n in old.maxshape))
    h5d.create(group.id, name.encode(), h5t.py_create(dtype), space, properties)
    new = group[name]
    for key, value in old.attrs.items():
        if key not in (*PACKING, *_LIST):
            new.attrs.create(key, value, dtype=old.attrs.get_id(key).dtype)
    if "_FillValue" in old.attrs:
        new.attrs["_FillValue"] = dtype.type(np.nan)
    for number, dimension in enumerate(old.dims):
        if dimension.label:
            new.dims[number].label = dimension.label
        for scale in dimension.values():
            new.dims[number].attach_scale(scale)
    return new


def _replaced(group: Any, name: str, old: Any, dtype: np.dtype[Any]) -> Any:
    """Put a dataset of another type in the place of one."""
    passing = free_name(f"{name}_solardn", group)
    new = _like(group, passing, old, dtype)
    _remove(group, name)
    group.move(passing, name)
    return new


def _remove(group: Any, name: str) -> None:
    """Remove a dataset, and what the scales of its dimensions say of it: it would come to stand for other datasets."""
    for dimension in group[name].dims:
        for scale in dimension.values():
            dimension.detach_scale(scale)
    del group[name]


def _links_to(group: Any, names: Collection[str]) -> list[str]:
    """Return the soft links of a file that lead to one of these datasets of a group."""
    from h5py import h5l

    datasets, file = [group[name] for name in names], group.file
    found: list[str] = []

    def visit(name: bytes, info: Any) -> None:
        with contextlib.suppress(RuntimeError, OSError):  # it leads in a circle, or into a file that cannot be read
            if info.type == h5l.TYPE_SOFT and file.get(name) in datasets:
                found.append(os.fsdecode(name))

    file.id.links.visit(visit, info=True)
    return found


def _axis_names(dataset: Any) -> list[str | None]:
    """Return what the axes are called: by their labels, or by the names of their scales, as netCDF has it."""
    names: list[str | None] = []
    for dimension in dataset.dims:
        scales = [str(scale.name).rpartition("/")[2] for scale in dimension.values()]
        names.append(dimension.label or (scales[0] if scales else None))
    return names


def _from_other_files(file: Any, but: str) -> list[tuple[str, str]]:
    """Return the virtual datasets of a file but for one, each with the files that it is put together from."""
    found: list[tuple[str, str]] = []

    def visit(where: str, thing: Any) -> None:
        if where != but and getattr(thing, "is_virtual", False):
            names = dict.fromkeys(part.file_name for part in thing.virtual_sources())
            found.extend((where, name) for name in names if name != ".")

    file.visititems(visit)
    return found


def _chosen(file: Any, name: str | None, path: Path, passed: tuple[str, ...] = ()) -> Any:
    """Return the dataset to take; links that were passed on the way to it lead nowhere new."""
    h5py = need("h5py", "hdf5", str(path))
    if name is not None:
        link = file.get(name, getlink=True) if name != "/" and name in file else None
        if isinstance(link, h5py.ExternalLink):
            raise InputError(f"{path}::{name} lies in another file, {link.filename}; give {link.filename}::{link.path}")
        if isinstance(link, h5py.SoftLink):
            if name in passed:
                raise InputError(
                    f"{path}::{passed[0]} is a link that leads back to itself; name the dataset it stands for"
                )
            return _chosen(file, posixpath.join(posixpath.dirname(name), link.path), path, (*passed, name))
        if name in file and isinstance(file[name], h5py.Dataset):
            return file[name]
    cubes: list[str] = []

    def visit(where: str, thing: Any) -> None:
        if isinstance(thing, h5py.Dataset) and thing.dtype.kind in "iuf" and len(thing.shape or ()) >= 2:
            cubes.append(where)

    file.visititems(visit)
    largest = max(cubes, key=lambda cube: file[cube].size, default="")

    def beside(cube: str) -> list[str]:
        return [posixpath.join(posixpath.dirname(cube), layer) for layer in _former(file[cube])]

    return file[only_one(path, "dataset", cubes, name, largest, beside)]


def _steps(dataset: Any) -> list[dict[str, Any]]:
    """Return the processing steps that a dataset's record tells of."""
    return steps_in(dataset.attrs, lambda name: _plain_text(dataset.attrs[name]))


def _former(dataset: Any) -> list[str]:
    """Return the names of the datasets that the last step put beside one, as far as they are there."""
    return former_layers(_steps(dataset), posixpath.basename(dataset.name), dataset.parent)


def _plain_text(value: Any) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
