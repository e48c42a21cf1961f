"""An upper bound on the noise of a map, from what a network leaves of it.

A network makes x̂ of a map y with noise of rms σ. For any network ⟨(y − x̂)²⟩ + ⟨n·x̂⟩ is σ² plus by how much the network errs more than it
must: ⟨n·x̂⟩, the noise that it puts back, is measured by adding a little more noise of the same kind. Where that falls below the σ²
found in the power spectra, something of the signal was taken for noise there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .noise import NoiseEstimate, sample, spread

Float = NDArray[np.float32]
Run = Callable[[Float, float], Float]

LEAST = 0.07
"""Least part by which a bound must lie below a level to replace it: the network's own bias is smaller."""

MOST_TIMES = 8
"""The network is scaled with the level, so a lower level gives another bound; so many times at most."""

NUDGE = 0.1
"""Noise added, in units of the map's own."""

SIZE = 512
"""Height and width, pixels, of the part of a map that is looked at."""


def bounded(run: Run, data: Float, found: NoiseEstimate, seed: int = 0) -> NoiseEstimate:
    """Lower a noise level that a network shows to be too high.

    Parameters
    ----------
    run : callable
        The network: takes a map (y, x) and the rms of its noise, both in the data's units, returns the denoised map.
    data : (y, x) array of float32
        The map; pixels that are not finite do not count.
    found : NoiseEstimate
        What its power spectra say.
    seed : int
        Of the noise that is added; the same seed gives the same result.

    Returns
    -------
    NoiseEstimate
        `found`, or the same with all its levels lower by one factor.
    """
    height, width = data.shape
    top, left = max(0, height - SIZE) // 2, max(0, width - SIZE) // 2
    part = (slice(top, top + SIZE), slice(left, left + SIZE))
    plane = np.ascontiguousarray(data[part])
    valid = np.isfinite(plane)
    if not valid.any():
        return found
    nudge = NUDGE * sample(found, (height, width), seed)[part]
    level = float(np.sqrt(np.mean(spread(found, (height, width))[part][valid] ** 2)))
    factor = 1.0
    for _ in range(MOST_TIMES):
        sigma, more = factor * found.sigma, (factor * nudge).astype(np.float32)
        first, second = run(plane, sigma)[valid], run(plane + more, sigma)[valid]
        residual, response = (plane[valid] - first).astype(np.float64), (second - first).astype(np.float64)
        square = float(np.mean(residual**2)) + float(np.mean(more[valid] * response)) / NUDGE**2
        bound = float(np.sqrt(max(square, 0.0))) / level
        if not 0 < bound < (1 - LEAST) * factor:
            break
        factor = bound
    if factor == 1:
        return found
    return replace(
        found,
        sigma=factor * found.sigma,
        coarse=factor * found.coarse,
        spectrum=factor**2 * found.spectrum,
        method=f"{found.method}; lowered by {1 - factor:.0%} to what the network leaves",
    )
