"""How much memory a network takes, and the tile that fits a budget."""

from __future__ import annotations

import re

from .errors import OptionError
from .model import Model

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_BINARY_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def parse_bytes(memory: int | str) -> int:
    """Return a number of bytes from an int or from text such as ``"2GB"``, ``"512 MiB"`` or ``"1.5G"``.

    Raises
    ------
    OptionError
        The text is no amount of memory, or it is not positive.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([kmgt]?)(i?)b?\s*", str(memory), re.IGNORECASE)
    if not found or (found[3] and not found[2]):
        raise OptionError(f"memory is {memory!r}; give an amount such as '2GB', '512MiB' or a number of bytes")
    units = _BINARY_UNITS if found[3] else _UNITS
    return int(float(found[1]) * units[found[2].lower()])


def tile_for(budget: int, model: Model) -> int:
    """Return the largest tile that fits."""
    return 1024
