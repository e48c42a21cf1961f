"""Room on disks: whether a file finds it, before hours of work are done for it."""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import OutputError

_BLOCK = 512  # bytes of what the system counts in


def size_words(count: float) -> str:
    """Return a number of bytes in words."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:  # which is said as 1e+03
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def check_space(output: Path, size: int, others: Sequence[Path] = ()) -> None:
    """Refuse an output of so many bytes that its disk cannot hold; what an earlier run left of it is there already.

    Parameters
    ----------
    output : pathlib.Path
    size : int
        Of all files that are written, in bytes.
    others : sequence of pathlib.Path
        The places of further files that belong to it.

    Raises
    ------
    OutputError
    """
    left = sum(_allocated(place) for place in {output, *others})
    _check(output.parent, size - left, f"the output {output}", "on its disk", "free some, or write elsewhere")


def check_temporary(size: int, what: str) -> Path:
    """Return the folder for temporary files when it has room for one of so many bytes.

    Parameters
    ----------
    size : int
    what : str
        What is put there, as the subject of a sentence.

    Raises
    ------
    OutputError
    """
    folder = Path(tempfile.gettempdir())
    _check(folder, size, f"{what} in {folder} and", "there", "set TMPDIR to a folder with more")
    return folder


def _check(folder: Path, size: int, what: str, where: str, instead: str) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(f"{what} needs {size_words(size)}, and {where} {size_words(free)} are left; {instead}")


def _allocated(output: Path) -> int:
    """Return the bytes that hidden files of an earlier run take on the disk: holes in them take none."""
    name = glob.escape(output.name)
    parts = [*output.parent.glob(f".{name}.solardn-part"), *output.parent.glob(f".{name}.*.solardn-part")]
    return sum(_BLOCK * getattr(part.stat(), "st_blocks", 0) for part in parts)
