"""Files that are compressed as a whole: told by their first bytes when they are read, by the end of their name when they are written."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

OPENERS: Mapping[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
"""What opens a file, by its first two bytes."""

PACKERS: Mapping[str, Callable[[Any], Any]] = {
    ".gz": lambda file: gzip.GzipFile("", "wb", 6, file, mtime=0),  # no time, so that the same data give the same bytes
    ".bz2": partial(bz2.BZ2File, mode="wb"),
    ".xz": partial(lzma.LZMAFile, mode="wb"),
}
"""What compresses into an open file, by the end of its name."""
