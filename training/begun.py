"""What a training began with: one that goes on does so with the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from solardn.errors import OptionError


def keep(folder: Path, record: dict[str, Any], ways_out: str) -> None:
    """Note in the folder of a training what it begins with, or find it noted.

    Raises
    ------
    OptionError
        The training there was begun with something else; ``ways_out`` says what to do then.
    """
    noted = folder / "record.json"
    if noted.exists():
        before, now = read(folder), json.loads(json.dumps(record))
        other = [f"{key} {before.get(key)!r}, not {now[key]!r}" for key in now if before.get(key) != now[key]]
        if other:
            raise OptionError(f"the training in {folder} was begun with {'; '.join(other)}; {ways_out}")
    folder.mkdir(parents=True, exist_ok=True)
    noted.write_text(json.dumps(record, indent=1))


def read(folder: Path) -> dict[str, Any]:
    """Return what the training in a folder began with."""
    found: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return found
