"""An image of a FITS output while it is written: its place, and what its header is to tell of its values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checksum import folded, words_sum
from .fitsheader import DESCRIBED, with_checksums
from .form import Form
from .raw import RawArray

_VALUES = 2**17  # looked at in one go


@dataclass
class WrittenImage:
    """An image of the output: its header, its place, and what is known of its values so far.

    Attributes
    ----------
    header : astropy.io.fits.Header
        Without what only all values tell: checksums, and extremes and means where it has them.
    begin : int
        First byte of the header.
    array : RawArray
        Its values in the file.
    form : Form
        How they are stored.
    words : int
        Their sum for the checksum.
    count, low, high, total, squares
        Finite values so far: how many, their extremes, and the sums of them and of their squares.
    """

    header: Any
    begin: int
    array: RawArray
    form: Form
    words: int = 0
    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    squares: float = 0.0

    def add(self, block: NDArray[Any]) -> None:
        """Take note of values that were written, in the byte order of the file."""
        self.words = folded(self.words + words_sum(block))
        if not any(key in self.header for key in DESCRIBED):
            return
        flat = block.reshape(-1)
        for start in range(0, flat.size, _VALUES):  # a piece at a time, so that no copy of a large map is made
            piece = flat[start : start + _VALUES]
            good = piece[np.isfinite(piece)].astype(np.float64)
            if not good.size:
                continue
            self.count += good.size
            self.low, self.high = min(self.low, float(good.min())), max(self.high, float(good.max()))
            self.total += float(good.sum())
            self.squares += float((good * good).sum())

    def complete(self) -> bytes:
        """Return the final header."""
        if self.count:
            mean = self.total / self.count
            rms = math.sqrt(max(self.squares / self.count - mean**2, 0))
            mean, rms = (float(f"{value:.7g}") for value in (mean, rms))  # further digits depend on the pieces written
            for key, value in zip(DESCRIBED, (self.low, self.high, mean, rms), strict=True):
                if key in self.header:
                    self.header[key] = value
        return with_checksums(self.header, self.words)
