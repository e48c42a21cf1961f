"""Extensions that a result brings with it: to which image each belongs, how those of one name are told apart, and which of them a further run leaves out.

A further layer (`solardn.layers`) describes one result and no other, so it goes when that is denoised again. The table of maps stays: it tells of a step,
as the keywords of that step in the header do, and those are kept, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..errors import OutputError
from ..layers import LAYERS, OF
from .fitsfile import Span


def outdated(spans: Sequence[Span], changed: Collection[int]) -> list[int]:
    """Return the numbers of the extensions that describe images as they were before these changed."""
    return [n for n, span in enumerate(spans) if n not in changed and span.name in LAYERS and span.of in changed]


def refuse_twice(spans: Iterable[Span], layers: Sequence[str], path: object) -> None:
    """Refuse layers whose name an extension bears that solardn did not make: readers would take the one for the other."""
    foreign = {span.name for span in spans if span.of is None}
    for layer in layers:
        if layer in foreign:
            raise OutputError(
                f"{path} has an extension {layer} already, which readers would take for that of the result; give it another name first (EXTNAME)"
            )


class Versions:
    """Versions (EXTVER) for extensions whose name others bear already.

    Parameters
    ----------
    kept : iterable of Span
        The extensions that are carried over.
    """

    def __init__(self, kept: Iterable[Span]) -> None:
        self._last: dict[str, int] = {}
        for span in kept:
            self._last[span.name] = max(span.version, self._last.get(span.name, 0))

    def mark(self, header: Any, of: int) -> None:
        """Write into the header of a new extension its version, and the number of the image that it belongs to."""
        name = header["EXTNAME"]
        self._last[name] = self._last.get(name, 0) + 1
        header.set(OF, of, "number of the extension that it belongs to", after="EXTNAME")
        header.set("EXTVER", self._last[name], "counts the extensions of this name", after="EXTNAME")
