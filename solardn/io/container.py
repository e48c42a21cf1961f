"""Outputs that are a file like the given one with many things in it, of which one array changes.

The results gather in hidden files beside the output, as other outputs do, so that a run that was killed can go on. When all maps are done,
the output is built around them beside its place, and put there whole.
"""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..layers import words_on
from ..provenance import Step, as_dict
from .place import put, writing
from .rawout import RawSink

Table = Mapping[str, NDArray[Any]]

RECORD = "solardn"
"""Name of the attribute or array that tells what was done: a list of processing steps, as JSON."""

BESIDE = "beside"
"""Key of a step in the record: the names of the arrays that it put beside its result."""

MAPS = "maps"
"""Name of the array with a row for each map, where all arrays of a file belong to one result."""

_PIECE = 8 * 2**20  # bytes of the results that are carried over at once, when the computation is over


class ContainerSink(RawSink):
    """Gathers the results; a child builds the output around them.

    Parameters
    ----------
    output : pathlib.Path
        As `check_place` returned it.
    layers : sequence of str
        Names of the further images.
    shape : tuple of int
    dtype : numpy.dtype
        As the values will be stored.
    resume : bool
        Go on with what an earlier run left.
    """

    def __init__(
        self, output: Path, layers: Sequence[str], shape: tuple[int, ...], dtype: np.dtype[Any], resume: bool
    ) -> None:
        paths = [output, *(output.with_name(f"{output.name}.{layer.lower()}") for layer in layers)]
        super().__init__(paths, b"", shape, dtype, resume)

    def build(self, place: Path, table: Table, remark: str) -> None:
        """Write the whole output to a place."""
        raise NotImplementedError

    def commit(self, table: Table, remark: str = "") -> None:
        """Build the output, and put it in its place."""
        built = self.output.with_name(f".{self.output.name}.solardn-built")
        try:
            with writing(self.output):
                remove(built)  # of a run that was killed
                self.build(built, table, remark)
                put(built, self.output)
        finally:
            remove(built)
        self.abort()


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def blocks(shape: Sequence[int], chunks: Sequence[int], itemsize: int) -> Iterator[tuple[slice, ...]]:
    """Yield parts of an array that are whole chunks each, of no more bytes than need be, in the order of storage."""
    block = [min(chunk, length) for chunk, length in zip(chunks, shape, strict=True)]
    for axis in reversed(range(len(shape))):
        room = max(1, _PIECE // (itemsize * math.prod(block)))
        block[axis] = min(block[axis] * room, shape[axis])
        if block[axis] < shape[axis]:
            break
    starts = (range(0, length, step) for length, step in zip(shape, block, strict=True))
    for corner in itertools.product(*starts):
        yield tuple(slice(first, min(first + step, n)) for first, step, n in zip(corner, block, shape, strict=True))


def free_name(wanted: str, taken: Collection[str]) -> str:
    """Return a name, with a number where it is taken."""
    return next(name for name in _numbered(wanted) if name not in taken)


def last_name(wanted: str, taken: Collection[str]) -> str | None:
    """Return the name that `free_name` gave last; None where it gave none."""
    given = list(itertools.takewhile(taken.__contains__, _numbered(wanted)))
    return given[-1] if given else None


def _numbered(wanted: str) -> Iterator[str]:
    return itertools.chain([wanted], (f"{wanted}{number}" for number in itertools.count(2)))


def only_one(
    path: Path,
    kind: str,
    cubes: Sequence[str],
    name: str | None,
    such: str,
    beside: Callable[[str], Collection[str]],
    whole: str = "file",
) -> str:
    """Return the name of the one array with maps that a file holds: a result is such a one, whatever it has beside it.

    Parameters
    ----------
    path : pathlib.Path
    kind, whole : str
        What arrays are called in it, and what it is.
    cubes : sequence of str
        The names of its arrays of numbers with two or more dimensions.
    name : str or None
        The array that was asked for, which it does not hold.
    such : str
        The one of several that is named as an example.
    beside : callable
        Takes the name of such an array, and returns the names of those that its last step put beside it.

    Raises
    ------
    InputError
        Another array was asked for, or there are several, or none.
    """
    named = ", ".join(cubes[:10]) + (", …" if len(cubes) > 10 else "")
    if name is not None:
        raise InputError(f"{path} has no {kind} {name}; those with two or more dimensions are {named or 'none'}")
    if not cubes:
        raise InputError(f"{path} holds no {kind} of numbers with two or more dimensions; give another {whole}")
    if len(cubes) > 1:
        described = {layer for cube in cubes for layer in beside(cube)}
        if len(results := [cube for cube in cubes if cube not in described]) == 1:
            return results[0]
        raise InputError(
            f"{path} holds {len(cubes)} {kind}s of two or more dimensions ({named}); name one, such as {path}::{such}"
        )
    return cubes[0]


def steps_with(before: Any, step: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the steps that a record tells of, and one more; None where it is no record of ours."""
    if before is None:
        return [step]
    steps = _steps(before)
    return None if steps is None else [*steps, step]


def steps_in(taken: Collection[str], read: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Return the steps that the records among some names tell of; none where there is no record of ours."""
    names = itertools.takewhile(taken.__contains__, _numbered(RECORD))
    return [step for name in names for step in _steps(read(name)) or ()]


def former_layers(steps: Sequence[dict[str, Any]], own: str, taken: Collection[str]) -> list[str]:
    """Return which arrays of those there are the last step put beside one: they describe a result that is no more once this changes.

    What steps before it put there went with the next one; an array that bears such a name now is somebody else's.
    """
    names = steps[-1].get(BESIDE, ()) if steps else ()
    return [name for name in names if name in taken and name != own]  # a layer has the record of its result


def step_with(step: Step, remark: str, beside: Sequence[str], former: Sequence[str]) -> dict[str, Any]:
    """Return a step for a record: with the names of the arrays that it puts beside its result, and a word on those that it leaves out."""
    made = as_dict(step, remark)
    made["history"] += [f"solardn: {words_on(former)}"] if former else []
    return made | ({BESIDE: list(beside)} if beside else {})


def _steps(record: Any) -> list[dict[str, Any]] | None:
    """Return the steps that a record tells of; None where it is no record of ours."""
    try:
        steps = json.loads(record) if isinstance(record, str | bytes) else record
    except ValueError:
        return None
    return steps if isinstance(steps, list) and all(isinstance(step, dict) for step in steps) else None


def records(table: Table) -> NDArray[Any]:
    """Return a table as one array, a row a map; texts are ASCII bytes."""
    columns = {
        name: column.astype(f"S{max(1, column.dtype.itemsize // 4)}") if column.dtype.kind == "U" else column
        for name, column in table.items()
    }
    rows = np.zeros(len(next(iter(columns.values()))), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return rows


def columns_of(rows: NDArray[Any]) -> dict[str, list[Any]]:
    """Return the columns of a table that `records` made; none of another array."""
    columns = {name: rows[name].tolist() for name in rows.dtype.names or () if rows.ndim == 1}
    return {
        name: [value.decode("ascii", "replace") if isinstance(value, bytes) else value for value in column]
        for name, column in columns.items()
    }
