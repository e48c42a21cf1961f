"""Whether two maps of one scene have noise of their own: without that, a network learns to keep what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from solardn.cube import Index
from solardn.errors import InputError
from solardn.spectrum import rings, window_size, window_spectra

_LOOKED_AT = 9
"""Pairs of a file whose noise is looked at."""
_COMMON = 1.4
"""Power of the sum over that of the difference, where it is least, beyond which two maps have noise in common.

It is 1 for independent noise (0.65 to 1.1 as measured) and 3 for noise correlated by one half.
"""


def spread(pairs: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield some pairs, spread evenly."""
    yield from pairs[np.unique(np.linspace(0, len(pairs) - 1, _LOOKED_AT).round().astype(int))]


def check_independent(label: str, maps: NDArray[np.float32], indices: Sequence[Index], pairs: NDArray[np.intp]) -> None:
    """Refuse pairs that are identical or have noise in common.

    Parameters
    ----------
    label : str
        Where the maps come from, for the error message.
    maps : ndarray, shape (n, y, x)
    indices : sequence of tuple of int
        What to call each map.
    pairs : ndarray, shape (m, 2)
        Numbers of the maps of each pair.

    Raises
    ------
    InputError
    """
    for a, b in pairs:
        if np.mean(maps[a] == maps[b]) > 0.5:
            raise InputError(
                f"maps {indices[a]} and {indices[b]} of {label} are identical in most pixels, so their noise is not independent; leave out repeated frames"
            )
    ratio = float(np.median([common_noise(maps[a], maps[b]) for a, b in spread(pairs)]))
    if ratio > _COMMON:
        raise InputError(
            f"paired maps of {label} have noise in common (their sum has {ratio:.1f} times the power of their difference even where there is least structure); take maps further apart with --step, or data before interpolation"
        )


def common_noise(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return how much more power the sum of two maps has than their difference, where that is least.

    Where there is no structure, it is (1 + ρ) / (1 − ρ) for noise of correlation ρ. Compared are the rings of spatial frequency in
    which the difference, which is noise, has power, in windows; the tenth percentile stands for windows and rings without structure.
    """
    size = window_size(first.shape) or min(first.shape)
    valid = np.ones(first.shape, bool)
    both, noise = (
        window_spectra(plane.astype(np.float64), valid, size).power for plane in (first + second, first - second)
    )
    mean = noise.mean(axis=(0, 1))
    many = rings(size).counts > 30
    used = many & (mean > 0.02 * np.percentile(mean[many], 95))
    both, noise = both[..., used], noise[..., used]
    return float(np.percentile(both[noise > 0] / noise[noise > 0], 10))
