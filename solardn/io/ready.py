"""Notes of files that are complete and go to their places, so that a run killed amid that knows its own outputs again.

The note of ``OUT`` lies beside it as ``.OUT.solardn-ready``. It holds what a rename leaves as it is, so that a file which someone else
put there is never taken for ours.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def note(hidden: Path, output: Path) -> None:
    """Note that what lies under a hidden name goes to its place."""
    _path(output).write_text(json.dumps([hidden.name, _identity(hidden)]))


def is_ours(output: Path, hidden: Path | None = None) -> bool:
    """Tell whether an output is there because a run that could not clear up put it there, from a hidden name if one is given."""
    try:
        name, identity = json.loads(_path(output).read_text())
        return identity == _identity(output) and hidden in (None, output.with_name(name))
    except (OSError, ValueError):
        return False


def forget(outputs: Sequence[Path]) -> None:
    """Remove the notes of outputs, that of the main one, which stands first, at last."""
    for output in reversed(outputs):
        _path(output).unlink(missing_ok=True)


def _path(output: Path) -> Path:
    return output.with_name(f".{output.name}.solardn-ready")


def _identity(path: Path) -> list[Any]:
    state = path.stat()
    return [state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns]
