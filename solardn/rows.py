"""The table of maps that a result keeps, as far as it fits the image, and the noise levels that the run took."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .columns import IMAGE, TABLE, image_name, place_column
from .cube import Cube, Index
from .io import Source
from .io.quiet import quiet
from .layers import OF
from .provenance import EACH
from .records import last_parameters


def table_of(source: Source, cube: Cube) -> tuple[dict[str, Sequence[Any]], str]:
    """Return the columns of the table of maps that a result carries for an image, and in words why one that does not fit it is not used.

    The columns are empty without a table that fits: one by which maps have been cut off since, or that came to stand for another image.
    """
    columns, image = _table_beside(source)
    why = _misfit(columns, image, source, cube) if columns else ""
    return ({}, f"the table of maps of {source.label} is not used: {why}") if why else (columns, "")


def _table_beside(source: Source) -> tuple[dict[str, Sequence[Any]], str | None]:
    """Return the columns of the table that stands for an image, and the name that it gives the image; None where it does not say."""
    plain, number = getattr(source, "plain", None), getattr(source, "number", None)
    if plain is None:
        return dict(getattr(source, "table", {})), None
    from astropy.io import fits

    with quiet(), fits.open(plain) as hdus:
        tables = [hdu for hdu in hdus if hdu.name == TABLE]
        own = [hdu for hdu in tables if hdu.header.get(OF, number) == number]
        if not own:
            return {}, None
        data = own[-1].data  # the last: those of earlier runs stand before it
        return {name: data[name].tolist() for name in data.names}, own[-1].header.get(IMAGE)


def _misfit(columns: Mapping[str, Sequence[Any]], image: str | None, source: Source, cube: Cube) -> str:
    """Say why a table is not that of an image's maps; nothing where it is."""
    name = image_name(source.header)
    if image not in (None, name):
        return f"it belongs to {_called(image)}, and this is {_called(name)}"
    if not {"NOISE", *map(place_column, cube.rest)} <= columns.keys():
        return f"it has no rows for maps counted over axes {[axis.number for axis in cube.rest]}"
    places = _places(columns, cube)
    if sorted(places) != list(cube.indices()):
        return f"its {len(places)} rows are not those of this image's maps ({cube.n_maps})"
    letters = columns.get("STOKES", ())
    if any(letter != cube.letter(place) for letter, place in zip(letters, places, strict=False)):
        return f"it is of Stokes {', '.join(dict.fromkeys(letters))}, and this image of {', '.join(dict.fromkeys(cube.letters)) or 'unknown ones'}"
    return ""


def _called(image: str) -> str:
    return repr(image) if image else "an image without a name"


def _places(columns: Mapping[str, Sequence[Any]], cube: Cube) -> list[Index]:
    """Return the index of the map that each row of a table is of."""
    counted = [columns[place_column(axis)] for axis in cube.rest]
    return [tuple(column[row] for column in counted) for row in range(len(columns["NOISE"]))]


def recorded_levels(source: Source, cube: Cube) -> tuple[dict[Index, float], str]:
    """Return the rms of the noise that a result records of each of its maps, in the data's units, and in words why its table is not used.

    Levels are empty where it records none; one that its last step took for all maps is that of each, also without a table.
    """
    columns, unused = table_of(source, cube)
    if columns:
        rows = zip(_places(columns, cube), columns["NOISE"], strict=True)
        return {place: sigma for place, sigma in rows if math.isfinite(sigma) and sigma > 0}, ""
    sigma = _level_of_all(last_parameters(source))
    return {} if sigma is None else dict.fromkeys(cube.indices(), sigma), unused


def _level_of_all(known: Mapping[str, Any]) -> float | None:
    """Return the noise level that a step took for all of its maps alike; None where they had several, or it says none."""
    low, high = known.get("noise_sigma_range", (0, 0))
    alike = low == high and known.get("noise_sigma_from") != EACH
    return float(known["noise_sigma"]) if alike and "noise_sigma" in known else None
