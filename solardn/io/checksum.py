"""The FITS checksum: a ones' complement sum of 32-bit words, written so that a whole extension sums to all ones.

The sum does not depend on the order of the words, so maps may be added as they are written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALL_ONES = 0xFFFFFFFF
_PUNCTUATION = set(b":;<=>?@[\\]^_`")


def words_sum(data: bytes | NDArray[Any]) -> int:
    """Return the plain sum of big-endian 32-bit words; `folded` brings sums of sums to 32 bits.

    Parameters
    ----------
    data : bytes or ndarray
        A whole number of words, in the byte order of the file.
    """
    array = (
        np.frombuffer(data, ">u4") if isinstance(data, bytes) else np.ascontiguousarray(data).reshape(-1).view(">u4")
    )
    return int(array.sum(dtype=np.uint64))


def folded(total: int) -> int:
    """Return a sum in 32 bits, each carry added at the low end."""
    while total > _ALL_ONES:
        total = (total & _ALL_ONES) + (total >> 32)
    return total


def encoded(total: int) -> str:
    """Return the 16 letters that make an extension of this sum, with them in place of zeros, sum to all ones."""
    complement = _ALL_ONES - folded(total)
    letters = np.zeros((4, 4), int)  # (byte of the word, which of the four letters that add up to it)
    for place in range(4):
        byte = complement >> 24 - 8 * place & 0xFF
        quarters = [byte // 4 + ord("0")] * 4
        quarters[0] += byte % 4
        while any(quarter in _PUNCTUATION for quarter in quarters):
            for first in (0, 2):
                if quarters[first] in _PUNCTUATION or quarters[first + 1] in _PUNCTUATION:
                    quarters[first] += 1
                    quarters[first + 1] -= 1
        letters[place] = quarters
    text = "".join(chr(value) for value in letters.T.reshape(-1))
    return text[-1] + text[:-1]  # the value begins one byte before a word does
