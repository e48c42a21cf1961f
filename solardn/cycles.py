"""How many passes of a network a map needs: one more while the residual holds structure, and while it brings the result nearer to the truth.

Whether a pass does so can be known without the truth (Stein's unbiased estimate of the risk): a pass adds d to the result x of a map y,
so the mean square error changes by ⟨d²⟩ − 2⟨d·(y − x)⟩ + 2⟨d·n⟩. The last term, how much of the noise n the pass puts back, is
measured by passing the map again with a little more noise of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .diagnosis import diagnose
from .errors import InputError
from .estimates import NoiseEstimate, sample
from .noise import estimate
from .spectrum import Array

Float = NDArray[np.float32]
Pass = Callable[[Float], Float]

MOST = 5
"""Most passes over one map."""

NUDGE = 0.1
"""Noise added to see how a pass responds, in units of the map's own."""

GAIN = 0.01
"""Least part of the noise's variance by which a pass must lower the mean square error."""

MARGIN = 0.25
"""Least gain relative to the noise a pass puts back: that is known only as well as the noise itself."""


def refine(
    run: Pass,
    data: Float,
    first: Float,
    holes: NDArray[np.bool_] | None = None,
    most: int = MOST,
    seed: int = 0,
) -> tuple[Float, int]:
    """Add passes over the residual as long as each is worth it.

    Parameters
    ----------
    run : callable
        One pass: takes a map (y, x) in network units, returns the denoised one.
    data : (y, x) array
        The observed map in network units, finite.
    first : (y, x) array
        What the first pass made of it.
    holes : (y, x) array of bool, optional
        Pixels that hold no observed value, and decide nothing.
    most : int
        Most passes, the first included.
    seed : int
        Of the noise that is added to see how a pass responds; the same seed gives the same result.

    Returns
    -------
    (y, x) array, int
        The result, and how many passes are in it; `first` and 1 where the noise of the map cannot be found.
    """
    try:
        noise = estimate(data, holes)
    except InputError:  # too small or without noise: nothing to decide with
        return first, 1
    valid = np.ones(data.shape, bool) if holes is None else ~holes
    seen = np.where(valid, data, np.nan)
    result, passes = first, 1
    nudge: NDArray[np.float64] | None = None
    nudged_data = nudged = first
    while passes < most and diagnose(seen, result, noise=noise).structured:
        residual = data - result
        addition = run(residual)
        if nudge is None:
            nudge = sample(noise, (data.shape[0], data.shape[1]), seed)
            nudged_data = data + np.float32(NUDGE) * nudge.astype(np.float32)
            nudged = run(nudged_data)
        response = run(nudged_data - nudged)
        put_back = 2 * nudge * ((response - addition) / NUDGE).astype(np.float64)
        if not _worth_it(addition[valid].astype(np.float64), residual[valid], put_back[valid], noise):
            break
        result, nudged, passes = result + addition, nudged + response, passes + 1
    return result, passes


def _worth_it(addition: Array, residual: Float, put_back: Array, noise: NoiseEstimate) -> bool:
    """Tell whether adding `addition` lowers the mean square error, beyond doubt, from values at some pixels."""
    change = addition * addition - 2 * addition * residual + put_back
    independent = change.size * min(1.0, float((noise.spectrum > 0.1 * noise.spectrum.max()) @ noise.area))
    doubt = 2 * float(np.std(change)) / np.sqrt(independent)
    return bool(np.mean(change) < -max(doubt, GAIN * noise.sigma**2, MARGIN * float(np.mean(put_back))))
