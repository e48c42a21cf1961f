"""Which part of a file is meant: ``FILE::NAME`` names one of the arrays in it."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import OptionError

MARK = "::"


def split(address: str | os.PathLike[str]) -> tuple[Path, str | None]:
    """Return the file of an address and the part it names, if any; a file whose own name holds ``::`` is meant as it is."""
    text = os.fspath(address)
    if MARK not in text or Path(text).exists():
        return Path(text), None
    file, _, part = text.partition(MARK)
    return Path(file), part.strip("/") or "/"


def meant(address: str | os.PathLike[str], ext: str | int | None) -> tuple[Path, str | int | None]:
    """Return the file of an address, and the part of it that is meant: the one it names, or `ext`.

    Raises
    ------
    OptionError
        Both are given.
    """
    path, part = split(address)
    if part is not None and ext is not None:
        raise OptionError(f"{path}::{part} names a part and --ext {ext} another; leave one out")
    return path, part if ext is None else ext
