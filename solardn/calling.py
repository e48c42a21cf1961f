"""Who called this package: warnings point to that code, not into the package."""

from __future__ import annotations

import sys

_PACKAGE = __name__.partition(".")[0]


def outside() -> int:
    """Return the ``stacklevel`` for a warning of the caller that points to the code that called this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    return level
