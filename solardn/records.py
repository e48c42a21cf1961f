"""What a result keeps about how it came about: the processing steps of its header, and the table of its maps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .io import Source
from .io.quiet import quiet

_STEP = re.compile(r"PR[A-Z]+\d+[A-Z]?|PARENTXT|CREATOR|VERS_SW|DATE")

TABLE = "SOLARDN"
"""Name of the extension with one row a map."""


def provenance_of(source: Source) -> list[tuple[str, str]]:
    """Return keywords of processing steps and the lines of HISTORY, in the header's order."""
    header = source.header
    found = [(key, str(header[key])) for key in dict.fromkeys(header) if _STEP.fullmatch(key)]
    history = header.get("HISTORY", "")
    lines = history.splitlines() if isinstance(history, str) else list(map(str, history))
    return found + [("HISTORY", line) for line in lines if line.strip()]


def table_of(source: Source) -> dict[str, Sequence[Any]]:
    """Return the columns of the table of maps that a FITS result carries; empty without one."""
    plain = getattr(source, "plain", None)
    if plain is None:
        return {}
    from astropy.io import fits

    with quiet(), fits.open(plain) as hdus:
        if TABLE not in hdus:
            return {}
        data = hdus[TABLE].data
        return {name: data[name].tolist() for name in data.names}
