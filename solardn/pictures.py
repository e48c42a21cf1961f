"""Pictures of maps of an observation and its result, both in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .comparison import Comparison, Pair
from .coordinates import Coordinates
from .cube import Index
from .errors import InputError
from .io import Source
from .plots import Tile, contact_sheet, quicklook, uncertainty_picture
from .samples import evenly

COLUMNS = 8
"""Most maps of one Stokes parameter on a contact sheet, spread evenly over them."""


def draw_one(path: Path, files: Comparison, index: Index, sigma: float) -> None:
    """Draw observation, result and residual of one map; see `solardn.plots.quicklook`.

    Parameters
    ----------
    path : pathlib.Path
    files : Comparison
    index : tuple of int
    sigma : float
        rms of its noise, in the data's units.
    """
    where = Coordinates(files.before)
    pair = _with_values(files, index)
    quicklook(
        path,
        pair.observation,
        pair.result,
        sigma,
        files.before.source.unit,
        where.title(index),
        where.frame(index),
    )


def draw_trust(path: Path, files: Comparison, index: Index, sigma: float, deviation: Source) -> None:
    """Draw observation, mean, standard deviation, and |mean| over that of one map; see `solardn.plots.uncertainty_picture`.

    Parameters
    ----------
    path, files, index, sigma
        As for `draw_one`.
    deviation : Source
        The standard deviation, of the cube's shape.
    """
    where, cube = Coordinates(files.before), files.before.cube
    pair = _with_values(files, index)
    own = cube.to_maps(deviation.read(cube.batch_of(index).selection))[0]
    uncertainty_picture(
        path,
        pair.observation,
        pair.result,
        own,
        sigma,
        files.before.source.unit,
        where.title(index),
        where.frame(index),
    )


def draw_sheet(path: Path, files: Comparison, sigmas: Mapping[Index, float]) -> None:
    """Draw maps of each Stokes parameter, spread evenly over wavelength and time; see `solardn.plots.contact_sheet`.

    Parameters
    ----------
    path : pathlib.Path
    files : Comparison
    sigmas : mapping
        rms of the noise, in the data's units, of every map that may be shown.
    """
    where, cube = Coordinates(files.before), files.before.cube
    rows: list[list[Tile]] = []
    for letter in dict.fromkeys(map(cube.letter, sigmas)):
        members = evenly([index for index in sigmas if cube.letter(index) == letter], COLUMNS)
        pairs = [pair for pair in map(files.pair, members) if pair]
        rows.append(
            [
                Tile(pair.observation, pair.result, sigmas[pair.index], "\n".join(where.words(pair.index)))
                for pair in pairs
            ]
        )
    contact_sheet(path, [row for row in rows if row], files.before.source.path.name)


def _with_values(files: Comparison, index: Index) -> Pair:
    pair = files.pair(index)
    if pair is None:
        raise InputError(
            f"map {index} of {files.before.source.label} holds no value, so there is nothing to draw; choose another with --quicklook-map"
        )
    return pair
