"""Pairs of maps from a user's own observations: the same scene twice, each time with noise of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from solardn.api import Denoiser
from solardn.cube import Axis, Cube, Index
from solardn.errors import InputError, OptionError
from solardn.levels import find_levels
from solardn.plan import Plan, look_at

from .independence import check_independent, spread

_MOVED = 1.2
"""How much more than by noise pairs may differ before it is worth a word."""
SMALLEST = (64, 96)
"""Height and width of the smallest maps that one can train on, in pixels."""


@dataclass(frozen=True)
class Asked:
    """What to take pairs from.

    Attributes
    ----------
    files : tuple of str
        Cubes in FITS or .npy.
    partner : str, optional
        A file whose maps pair with those of the only one in ``files``, place by place; without it, neighbours in a cube pair.
    along : {"time", "wavelength"}, optional
        Axis along which neighbours pair; found when not given.
    step : int
        Distance of neighbours along it.
    axes, stokes : str, optional
        As for ``solardn denoise``.
    """

    files: tuple[str, ...]
    partner: str | None = None
    along: str | None = None
    step: int = 1
    axes: str | None = None
    stokes: str | None = None


@dataclass(frozen=True)
class Stack:
    """The maps of one file, and which of them pair.

    Attributes
    ----------
    maps : ndarray, shape (n, y, x), float32
        In the data's units, mapped from disk.
    sigma : ndarray, shape (n,)
        rms of their noise.
    pairs : ndarray, shape (m, 2)
        Numbers of the maps of each pair.
    """

    maps: NDArray[np.float32]
    sigma: NDArray[np.float64]
    pairs: NDArray[np.intp]

    def __str__(self) -> str:
        """Describe the pairs in words."""
        (_, height, width), change = self.maps.shape, self.change
        count = f"{len(self.pairs)} pair{'' if len(self.pairs) == 1 else 's'}"
        said = f"{count} of {height} × {width} pixels, noise rms {np.median(self.sigma):.3g}"
        if change > _MOVED:
            return f"{said}; they differ {change:.1f} times as much as noise would make them: a network may learn to blur what moves"
        return f"{said}; they differ by noise alone ({change:.2f})"

    @property
    def change(self) -> float:
        """The rms difference of pairs in units of what noise alone would make it (median): 1 where the scene stood still."""
        found = [
            float(np.std(self.maps[a] - self.maps[b])) / np.hypot(self.sigma[a], self.sigma[b])
            for a, b in spread(self.pairs)
        ]
        return float(np.median(found))


def read(asked: Asked, folder: Path) -> list[Stack]:
    """Return the pairs of all files, copied into a folder the first time.

    Raises
    ------
    InputError
        A file cannot be used: its maps are too small, hold pixels without value, or do not pair, or their noise is not independent.
    OptionError
        An option is nonsense, or the folder holds other pairs.
    """
    if asked.partner is not None and len(asked.files) != 1:
        raise OptionError(f"--partner goes with one file of --pairs, not with {len(asked.files)}; give one")
    done = folder / "pairs.json"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(asked.files):
            _copy(file, asked, folder / f"maps-{number}.npy", folder / f"pairs-{number}.npz")
        done.write_text(json.dumps(asdict(asked)))
    stacks = []
    for number in range(len(asked.files)):
        with np.load(folder / f"pairs-{number}.npz") as found:
            stacks.append(Stack(open_memmap(folder / f"maps-{number}.npy", mode="r"), found["sigma"], found["pairs"]))
    return stacks


def _copy(file: str, asked: Asked, maps: Path, pairs: Path) -> None:
    """Check a file's maps, copy them, and note which of them pair."""
    with look_at(file, axes=asked.axes, stokes=asked.stokes) as plan:
        if asked.partner is None:
            chosen = [(plan, index) for index in plan.cube.indices() if plan.denoises(index)]
            found = neighbours(plan, asked.along, asked.step)
            _write(plan.source.label, chosen, found, maps, pairs)
            return
        with look_at(asked.partner, axes=asked.axes, stokes=asked.stokes) as other:
            if plan.cube.shape != other.cube.shape:
                raise InputError(
                    f"{plan.source.label} has the shape {plan.cube.shape} and its partner {other.source.label} {other.cube.shape}; give two files of one shape"
                )
            if not _alike(plan, other):
                raise InputError(
                    f"{plan.source.label} has the axes {_said(plan.cube)} and its partner {other.source.label} {_said(other.cube)}, so their maps do not pair place by place; say with --axes what the axes of both are, or give two files of one order"
                )
            chosen = [(p, index) for p in (plan, other) for index in p.cube.indices() if p.denoises(index)]
            half = len(chosen) // 2
            found = [(i, half + i) for i in range(half)]
            _write(f"{plan.source.label} and {other.source.label}", chosen, found, maps, pairs)


def _alike(plan: Plan, other: Plan) -> bool:
    """Tell whether two cubes of one shape have the same maps to train on, in the same order, as far as is known."""
    cubes = plan.cube, other.cube
    indices, theirs = ([index for index in one.cube.indices() if one.denoises(index)] for one in (plan, other))
    letters = [{cube.letter(index) for cube in cubes} - {""} for index in indices]
    return (plan.cube.y, plan.cube.x, indices) == (other.cube.y, other.cube.x, theirs) and max(map(len, letters)) < 2


def _said(cube: Cube) -> str:
    """Return what the axes of a cube are, in words."""
    letters = f" of Stokes {''.join(cube.letters)}" if cube.letters else ""
    return ", ".join(axis.role for axis in cube.axes) + letters


def neighbours(plan: Plan, along: str | None, step: int) -> list[tuple[int, int]]:
    """Return the numbers, among the maps that are denoised, of those a step apart along an axis.

    Raises
    ------
    InputError
        There is no such axis, or it is too short.
    """
    cube, label = plan.cube, plan.source.label
    axis = _axis(cube, along, label)
    if axis.length <= step:
        raise InputError(
            f"{label} has {axis.length} map{'' if axis.length == 1 else 's'} along its axis {axis.number} ({axis.role}), too few for pairs {step} apart; give a longer series, or two files with --partner"
        )
    place = cube.rest.index(axis)
    numbers = {index: n for n, index in enumerate(index for index in cube.indices() if plan.denoises(index))}

    def after(index: Index) -> Index:
        return (*index[:place], index[place] + step, *index[place + 1 :])

    return [(n, numbers[after(index)]) for index, n in numbers.items() if after(index) in numbers]


def _axis(cube: Cube, along: str | None, label: str) -> Axis:
    if along is not None:
        axis = next((axis for axis in cube.rest if axis.role == along), None)
        if axis is None:
            raise InputError(
                f"{label} has no axis of {along}; name it with --axes {along}=N, where 0 is the slowest axis"
            )
        return axis
    series = [axis for axis in cube.rest if axis.role in ("time", "wavelength") and axis.length > 1]
    others = [axis for axis in cube.rest if axis.role == "other" and axis.length > 1]
    if series:
        return min(series, key=lambda axis: axis.role)  # time before wavelength
    if len(others) == 1:
        return others[0]
    raise InputError(
        f"{label}, of shape {cube.shape}, has no axis of time or wavelength along which maps pair; name it with --axes time=N, or give a second file with --partner"
    )


def _write(
    label: str,
    chosen: Sequence[tuple[Plan, Index]],
    pairs: Sequence[tuple[int, int]],
    to_maps: Path,
    to_pairs: Path,
) -> None:
    height, width = chosen[0][0].cube.map_shape
    if height < SMALLEST[0] or width < SMALLEST[1]:
        raise InputError(
            f"{label} has maps of {height} × {width} pixels, too small to train on; at least {SMALLEST[0]} × {SMALLEST[1]} are needed"
        )
    stored = open_memmap(to_maps, mode="w+", dtype=np.float32, shape=(len(chosen), height, width))
    denoiser = Denoiser(device="cpu")
    levels = {key: find_levels(plan, denoiser) for key, plan in {id(plan): plan for plan, _ in chosen}.items()}
    sigma = np.empty(len(chosen))
    for number, (plan, index) in enumerate(chosen):
        stored[number] = plan.read_map(index)
        absent, fills = plan.found_missing(index, stored[number])
        if absent.any():
            kinds = ", ".join(["NaN or infinite", *(f"filled with {value:g}" for value in fills)])
            raise InputError(
                f"map {index} of {plan.source.label} has {np.count_nonzero(absent)} pixels without value ({kinds}); cut the cube to where all maps have values"
            )
        sigma[number] = levels[id(plan)][plan.cube.group(index)].noise_sigma
    check_independent(label, stored, [index for _, index in chosen], np.array(pairs))
    stored.flush()
    np.savez(to_pairs, sigma=sigma, pairs=np.array(pairs))
