"""An axis of a map cut into windows of one length, and the part of each that is kept; see `solardn.tiling`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """One tile along one axis: the window is ``start:stop`` of the map, of which ``first:last`` is kept."""

    start: int
    stop: int
    first: int
    last: int

    @property
    def window(self) -> slice:
        """What the network sees, in pixels of the map."""
        return slice(self.start, self.stop)

    @property
    def core(self) -> slice:
        """What is kept, in pixels of the map."""
        return slice(self.first, self.last)

    @property
    def inner(self) -> slice:
        """What is kept, in pixels of the window."""
        return slice(self.first - self.start, self.last - self.start)


def round_up(pixels: int, multiple: int) -> int:
    """Return the smallest multiple of `multiple` that is not below `pixels`."""
    return -(-pixels // multiple) * multiple


def along(length: int, edge: int, multiple: int, tile: int, least: int, workers: int) -> list[list[Span]]:
    """Return ways to cut an axis: the coarsest that `tile` allows, and finer ones; no window is below `least`."""
    fewest = max(1, -(-(length - 2 * edge) // tile))
    return [_cut(length, edge, multiple, fewest + more, least) for more in range(workers)]


def _cut(length: int, edge: int, multiple: int, count: int, least: int) -> list[Span]:
    """Cut an axis into at most `count` spans with windows of one length, not below `least`."""
    core = max(round_up(-(-(length - 2 * edge) // count), multiple), round_up(least, multiple) - 2 * edge, multiple)
    window = core + 2 * edge
    if count == 1 or window >= length:
        return [Span(0, length, 0, length)]
    starts = [*range(0, length - window, core), length - window]
    lasts = [*(start + edge + core for start in starts[:-1]), length]
    firsts = [0, *lasts[:-1]]
    return [Span(start, start + window, *ends) for start, *ends in zip(starts, firsts, lasts, strict=True)]
