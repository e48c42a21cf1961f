"""Rasters of which every file holds one step: which files belong together, in which order, and what the axes across them mean.

A frame whose header says that it extends in space along one axis only, a slit, is a step of a raster. Its place comes from the
dataset keywords of DKIST (``DNAXIS``, ``DINDEXn`` …), else from the coordinate across the slit. Frames that are maps stay what they are.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .axes import kinds_of, role_of
from .errors import SolardnError
from .io.frames import Frames
from .polarization import whole_letter
from .worlds import beyond, number_of, pixel_axes, step_of

_ACROSS = {"STOKES": "STOKES", "SPECTRAL": "WAVE", "TEMPORAL": "TIME"}  # DTYPEn of DKIST to CTYPEn
_OTHER = {"LT": "LN", "LN": "LT"}  # the ends of the two coordinates of one frame on the sphere
_DATES = ("DATE-BEG", "DATE_BEG", "DATE-OBS", "DATE_OBS", "DATE-AVG")
_WIDE = 1.5  # times the usual step, from which on one looks as if a frame were missing


@dataclass(frozen=True)
class _Frame:
    """One step of a raster, as its header tells it."""

    path: Path
    group: tuple[Any, ...]  # what all steps of a raster have in common
    place: tuple[
        int, ...
    ]  # on the axes across the files, slowest first, counted from 1; empty where only a coordinate tells
    across: tuple[tuple[str, str], ...] = ()  # CTYPE and name of these axes
    coordinate: float = math.nan
    counted: bool = False  # the coordinate is the number of the step
    date: str = ""
    header: Mapping[str, Any] = field(default_factory=dict)  # of the axes, as `Frames` wants it, but for those across


def files_of(unit: Path | Frames) -> tuple[Path, ...]:
    """Return the files that are worked on together: one, or the steps of a raster."""
    return (unit,) if isinstance(unit, Path) else tuple(unit.paths)


def gather(paths: Sequence[Path], ext: str | int | None = None, axes: str | None = None) -> list[Path | Frames]:
    """Return files, those that are steps of one raster put together.

    Parameters
    ----------
    paths : sequence of pathlib.Path
    ext : str or int, optional
        FITS extension.
    axes : str, optional
        The user's word on the axes of each file: then nothing is put together.

    Returns
    -------
    list of pathlib.Path and Frames
        In the order of their first files. What cannot be read is returned as it is, to be refused when it is its turn.
    """
    if axes is not None or len(paths) < 2:
        return list(paths)
    groups: dict[tuple[Any, ...], list[_Frame]] = {}
    for path in paths:
        frame = _look_at(path, ext)
        if frame is not None:
            groups.setdefault(frame.group, []).append(frame)
    places = {path: place for place, path in enumerate(paths)}
    first: dict[Path, Frames] = {}
    taken: set[Path] = set()
    for members in groups.values():
        for frames in _by_keywords(members) if members[0].place else _by_coordinate(members):
            first[min(frames.paths, key=places.__getitem__)] = frames
            taken |= set(frames.paths)
    return [first.get(path, path) for path in paths if path in first or path not in taken]


def _look_at(path: Path, ext: str | int | None) -> _Frame | None:
    """Return what a file says of its place in a raster; None where it holds maps of its own, or nothing that is known."""
    from .io import open_source

    try:
        with contextlib.closing(open_source(path, ext)) as source:
            header, shape, unit = source.header, source.shape, source.unit
    except SolardnError:
        return None
    if not header or len(shape) < 2:
        return None
    kinds = kinds_of(header, len(shape))
    space = [number for number, kind in enumerate(kinds) if role_of(*kind) in ("y", "x")]
    slit = [number for number in space if shape[number] > 1]
    if len(slit) != 1:
        return None
    step = _across_slit(*kinds[slit[0]])
    own = _own_axes(header, kinds, shape)
    group = (shape, tuple(kinds), unit, str(header.get("DSETID", "")), whole_letter(header, len(shape)))
    date = next((str(header[key]) for key in _DATES if key in header), "")
    dataset = _dataset(header, step)
    if dataset is not None:
        return _Frame(path, (*group, dataset[1]), dataset[0], dataset[1], header=own)
    coordinate = _coordinate(header, kinds, shape, slit[0])
    counted = coordinate is None
    if coordinate is None:  # Hinode/SP has no coordinate across the slit, and counts
        coordinate = number_of(header, "SLITINDX", math.nan)
    if not math.isfinite(coordinate):
        return None
    return _Frame(path, (*group, step, counted), (), ((step, "raster steps"),), coordinate, counted, date, own)


def _across_slit(kind: str, unit: str) -> str:
    """Return what the coordinate across a slit is called: it is of the frame of the one along it."""
    if len(kind) == 4 and kind[2:] in _OTHER:
        return kind[:2] + _OTHER[kind[2:]]
    return "X" if role_of(kind, unit) == "y" else "Y"


def _own_axes(header: Mapping[str, Any], kinds: list[tuple[str, str]], shape: Sequence[int]) -> dict[str, Any]:
    """Return keywords of a frame's own axes; that of one pixel in space is left open, as the steps take its place."""
    n = len(shape)
    own: dict[str, Any] = {}
    along = pixel_axes(header, n)
    for number, (kind, unit) in enumerate(kinds):
        if shape[number] == 1 and role_of(kind, unit) in ("y", "x"):
            continue
        own |= {f"CTYPE{n - number}": kind, f"CUNIT{n - number}": unit}
        if kind == "STOKES":
            world = next(i for i, pixel in along.items() if pixel == n - number)
            keys = {f"CRPIX{n - number}": f"CRPIX{n - number}", f"CRVAL{n - number}": f"CRVAL{world}"}
            own |= {new: header[old] for new, old in keys.items() if old in header}
            own[f"CDELT{n - number}"] = step_of(header, world, n - number)
    return own


def _dataset(header: Mapping[str, Any], step: str) -> tuple[tuple[int, ...], tuple[tuple[str, str], ...]] | None:
    """Return place and axes of a file in a dataset of DKIST, slowest first; None where the keywords are not all there."""
    try:
        numbers = range(int(header["DNAXIS"]), int(header["DAAXES"]), -1)
        place = tuple(int(header[f"DINDEX{n}"]) for n in numbers)
        types = [str(header[f"DTYPE{n}"]).strip().upper() for n in numbers]
    except (KeyError, ValueError, TypeError):
        return None
    if types.count("SPATIAL") != 1:
        return None
    names = [str(header.get(f"DPNAME{n}", kind)).strip() for n, kind in zip(numbers, types, strict=True)]
    kinds = [step if kind == "SPATIAL" else _ACROSS.get(kind, "") for kind in types]
    return place, tuple(zip(kinds, names, strict=True))


def _coordinate(
    header: Mapping[str, Any], kinds: list[tuple[str, str]], shape: Sequence[int], slit: int
) -> float | None:
    """Return the coordinate of the frame across its slit."""
    n = len(shape)
    inside = [n - k for k, kind in enumerate(kinds) if k != slit and shape[k] == 1 and role_of(*kind) in ("y", "x")]
    along = {world: pixel for world, pixel in pixel_axes(header, n).items() if pixel in inside}
    along |= {world: world for world, kind in beyond(header, n) if role_of(kind, "") in ("y", "x")}
    for world, pixel in along.items():
        value, reference = number_of(header, f"CRVAL{world}", math.nan), number_of(header, f"CRPIX{pixel}", 1)
        coordinate = value + (1 - reference) * step_of(header, world, pixel)
        if math.isfinite(coordinate):
            return coordinate
    return None


def _by_keywords(members: list[_Frame]) -> list[Frames]:
    """Return the one cube that frames with places make, or why they do not."""
    across = members[0].across
    taken: dict[tuple[int, ...], Path] = {}
    problem = ""
    for frame in members:
        if frame.place in taken:
            problem = f"{taken[frame.place]} and {frame.path} have the same place in their dataset (DINDEXn {frame.place[::-1]}); leave one out"
        taken[frame.place] = frame.path
    if len(members) < 2:
        return []
    places = [sorted({place[k] for place in taken}) for k in range(len(across))]
    step = next(k for k, (kind, _) in enumerate(across) if role_of(kind, "") in ("y", "x"))
    for (kind, _), values in zip(across, places, strict=True):
        if kind == "STOKES" and len({b - a for a, b in itertools.pairwise(values)}) > 1:
            problem = f"the raster that {members[0].path} belongs to has the Stokes parameters {values} of DINDEXn, with one in between left out; give them in separate runs"
    lost = sorted(set(range(places[step][0], places[step][-1] + 1)) - set(places[step]))
    lengths = tuple(map(len, places))
    if len(places[step]) < 2:
        return []
    if not problem and (lost or len(taken) < math.prod(lengths)):
        what = (
            f"step {lost[0]} of {places[step][0]} to {places[step][-1]}"
            if lost
            else f"{math.prod(lengths) - len(taken)} of {math.prod(lengths)} files"
        )
        problem = _lacks(members[0], what)
    header = _joined(members[0], across, places)
    ordered = tuple(taken[place] for place in sorted(taken))
    shown = " × ".join(f"{length} {name}" for length, (_, name) in zip(lengths, across, strict=True))
    return [Frames(ordered, lengths, header, f"put together as {shown}, as DINDEXn says", problem)]


def _lacks(frame: _Frame, what: str) -> str:
    return f"the raster that {frame.path} belongs to lacks {what}, so its maps have holes; add what is missing, or give only steps that are complete"


def _lost_count(scan: list[_Frame]) -> str:
    """Return what is wrong with a scan whose steps are counted, where one is missing."""
    if not scan[0].counted:
        return ""
    numbers = {round(frame.coordinate) for frame in scan}
    lost = sorted({*range(min(numbers), max(numbers) + 1)} - numbers)
    return _lacks(scan[0], f"step {lost[0]} of {min(numbers)} to {max(numbers)}") if lost else ""


def _gap(scan: list[_Frame]) -> str:
    """Return where a frame seems to be missing, by the widest step; it is no error, as a slit may be moved at will."""
    steps = [abs(b.coordinate - a.coordinate) for a, b in itertools.pairwise(scan)]
    usual, widest = statistics.median(steps), max(steps)
    if widest < _WIDE * usual:
        return ""
    return f", with a step of {widest / usual:.3g} times the usual one behind {scan[steps.index(widest)].path.name}: see that no frame is missing there"


def _by_coordinate(members: list[_Frame]) -> list[Frames]:
    """Return the rasters that frames make whose coordinate across the slit goes one way, in the order of time, or why they do not."""
    ordered = sorted(members, key=lambda frame: (frame.date, _numbered(frame.path.name)))
    differences = [b.coordinate - a.coordinate for a, b in itertools.pairwise(ordered)]
    if not any(differences):
        return []
    sign = 1 if sum(d > 0 for d in differences) >= sum(d < 0 for d in differences) else -1
    scans: list[list[_Frame]] = [ordered[:1]]
    torn: dict[int, str] = {}
    for (before, frame), difference in zip(itertools.pairwise(ordered), differences, strict=True):
        if sign * difference > 0:
            scans[-1].append(frame)
        elif frame.date == before.date:
            scans[-1].append(frame)
            torn.setdefault(len(scans) - 1, _disorder(before, frame))
        else:  # the slit went back, and another scan begins
            scans.append([frame])
    how = "put together as {} raster steps in the order of time, by the coordinate across the slit"
    return [
        Frames(
            tuple(f.path for f in scan),
            (len(scan),),
            _joined(scan[0], scan[0].across, [[*range(1, len(scan) + 1)]]),
            how.format(len(scan)) + ("" if number in torn else _gap(scan)),
            torn.get(number) or _lost_count(scan),
        )
        for number, scan in enumerate(scans)
        if len(scan) > 1
    ]


def _numbered(name: str) -> list[str | int]:
    """Return what orders names by the numbers in them: step2 before step10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _disorder(before: _Frame, frame: _Frame) -> str:
    dates = f"both have the date {frame.date}" if frame.date else "they have no date"
    return f"the slit does not go on from {before.path} to {frame.path}, and {dates}, so that the order of the steps is not known; give the files of one scan alone, named in their order"


def _joined(frame: _Frame, across: Sequence[tuple[str, str]], places: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return keywords of the whole cube's axes: the frame's own, and after them those across the files."""
    header, n = dict(frame.header), len(frame.group[0])
    for number, ((kind, _), values) in enumerate(zip(reversed(across), reversed(places), strict=True), n + 1):
        header[f"CTYPE{number}"] = kind
        if kind == "STOKES":
            delta = values[1] - values[0] if len(values) > 1 else 1
            header |= {f"CRPIX{number}": 1.0, f"CRVAL{number}": float(values[0]), f"CDELT{number}": float(delta)}
    letter = frame.group[4]
    if letter is not None:
        last = n + len(across) + 1
        header |= {"WCSAXES": last, f"CTYPE{last}": "STOKES", f"CRVAL{last}": letter}
    return header
