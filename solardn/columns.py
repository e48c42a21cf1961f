"""The table of maps that an output holds beside its result: what it and its columns are called."""

from __future__ import annotations

import re

from .cube import Axis

TABLE = "SOLARDN"
"""Name of the extension with one row a map."""

IN_UNIT = ("NOISE", "RESIDRMS", "FILL")
"""Columns that are in the data's unit."""


def place_column(axis: Axis) -> str:
    """Return the name of the column that holds a map's place on an axis; the first is 0."""
    return f"I_{axis.role.upper()}{axis.number}"


def axis_of(column: str) -> int | None:
    """Return the number of the axis whose places a column holds; None where it holds something else."""
    found = re.fullmatch(r"I_[A-Z]+(\d+)", column)
    return int(found[1]) if found else None
