"""Dropout masks as a pure function of (seed, layer, channel, row, column), in numpy.

`export.dropout` writes the same arithmetic into an ONNX graph, bit for bit. All of it is modulo 2³². From (seed, layer, channel) comes
a key; from the key and the row a number A, from the key and the column a number B, both odd; a unit is kept where A · B mod 2³²
is at least rate · 2³². Only the last step works on as many numbers as there are units. (A xor B in place of A · B would be cheaper
and wrong: the four corners of every rectangle would then add up to nothing.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

SHIFTS = (16, 15, 16)
FACTORS = (0x7FEB352D, 0x846CA68B)
"""Shifts and factors of the hash ``lowbias32`` (C. Wellons, public domain)."""

SEED, UNIT, ROW, COLUMN, CHANNEL = 0x9E3779B9, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F, 0x165667B1
"""Combined by xor with each quantity, so that equal numbers of different meaning hash differently."""


def lowbias32(words: Words) -> Words:
    """Return a hash of each word: every bit of the input moves about half of the bits of the output."""
    for shift, factor in zip(SHIFTS, (*FACTORS, 1), strict=True):
        words = (words ^ (words >> np.uint32(shift))) * np.uint32(factor)
    return words


def threshold(rate: float) -> int:
    """Return the word below which a unit is dropped."""
    return round(rate * 2**32)


def unit_words(layer: int, channels: int) -> Words:
    """Return the hash of (layer, channel) for each channel of a layer."""
    return lowbias32((np.arange(channels, dtype=np.uint32) + np.uint32(layer << 16)) ^ np.uint32(UNIT))


def keys(seeds: Sequence[int] | Words, layer: int, channels: int) -> Words:
    """Return the keys (seeds, channels) of a layer."""
    sample = lowbias32(np.atleast_1d(np.asarray(seeds, dtype=np.uint32)) ^ np.uint32(SEED))
    return lowbias32(sample[:, None] ^ unit_words(layer, channels))


def element_mask(
    seeds: Sequence[int] | Words,
    layer: int,
    shape: tuple[int, int, int],
    rate: float,
    origin: tuple[int, int] = (0, 0),
) -> NDArray[np.bool_]:
    """Return where elements are kept.

    Parameters
    ----------
    seeds : sequence of int
        One per sample, each in [0, 2³²).
    layer : int
        Number of the layer in the order of the graph, from 0.
    shape : tuple of int
        Channels, height and width of the layer's values, the latter two in the layer's own pixels.
    rate : float
        Fraction dropped, in [0, 1).
    origin : tuple of int
        Row and column of the first pixel in the whole map, in the layer's own pixels.

    Returns
    -------
    NDArray[np.bool_]
        Shape (seeds, channels, height, width).
    """
    channels, height, width = shape
    key = keys(seeds, layer, channels)[..., None]
    rows = lowbias32(np.arange(origin[0], origin[0] + height, dtype=np.uint32) ^ np.uint32(ROW))
    columns = lowbias32(np.arange(origin[1], origin[1] + width, dtype=np.uint32) ^ np.uint32(COLUMN))
    a = lowbias32(key ^ rows) | np.uint32(1)
    b = lowbias32(key ^ columns) | np.uint32(1)
    return np.asarray(a[..., :, None] * b[..., None, :] >= np.uint32(threshold(rate)))


def channel_mask(seeds: Sequence[int] | Words, layer: int, channels: int, rate: float) -> NDArray[np.bool_]:
    """Return which channels are kept, (seeds, channels); the parameters are those of `element_mask`."""
    return np.asarray(lowbias32(keys(seeds, layer, channels) ^ np.uint32(CHANNEL)) >= np.uint32(threshold(rate)))
