"""The table of maps that an output holds beside its result: what it and its columns are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .cube import Axis

TABLE = "SOLARDN"
"""Name of the extension with one row a map."""

IMAGE = "OF_NAME"
"""Keyword of the table in FITS: the name of the image that it belongs to."""

_NO_NAME = "COMPRESSED_IMAGE"
"""What astropy calls a compressed image that has no name."""

IN_UNIT = ("NOISE", "RESIDRMS", "FILL")
"""Columns that are in the data's unit."""


def image_name(header: Mapping[str, Any]) -> str:
    """Return by which name an image and its table know each other: EXTNAME, with EXTVER where that is not 1; empty without one."""
    name, version = str(header.get("EXTNAME", "")).strip().upper(), header.get("EXTVER", 1)
    return "" if name == _NO_NAME else name if version == 1 else f"{name},{version}"


def place_column(axis: Axis) -> str:
    """Return the name of the column that holds a map's place on an axis; the first is 0."""
    return f"I_{axis.role.upper()}{axis.number}"


def axis_of(column: str) -> int | None:
    """Return the number of the axis whose places a column holds; None where it holds something else."""
    found = re.fullmatch(r"I_[A-Z]+(\d+)", column)
    return int(found[1]) if found else None
