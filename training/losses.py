"""What training minimises: the rms error of each patch, and how badly σ tells how large errors are."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from .coverage import NOMINAL, WITHIN


def expected_error(snr: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return about what error, in noise rms, `stokes` reaches at a signal-to-noise (within 7 % on maps kept for validation).

    Errors are divided by it, so that each signal-to-noise counts alike, as in a geometric mean over cases.
    """
    power = snr**0.65
    return np.asarray(0.03 + 0.82 * power / (2 + power), np.float32)


@keras.saving.register_keras_serializable(package="solardn")
def rms_error(truth: Any, mean: Any, beside: Any = 0.01) -> Any:
    """Return the rms error of each patch, shape (n,): between a squared and a logarithmic error, robust to few hard patches.

    Parameters
    ----------
    truth, mean : tensor, shape (n, y, x, 1)
    beside : float or tensor, shape (n,)
        An error that is there in any case, rms. Towards a teacher's results that is the teacher's own, of which the distance to them is
        independent.
    """
    return ops.sqrt(ops.mean(ops.square(ops.cast(mean, "float32") - truth), axis=(1, 2, 3)) + ops.square(beside))


@keras.saving.register_keras_serializable(package="solardn")
def coverage_loss(error: Any, log_variance: Any) -> Any:
    """Return how badly σ tells quantiles of the error, averaged over each patch, shape (n,).

    Where it is least, the error is within 1 and 2 σ at 68 and 95 % of the pixels, or misses both by shares in proportion to what is
    allowed (quantile regression, Koenker & Bassett 1978, of log |error|). A Gaussian likelihood gives the rms instead, which few large
    errors raise: σ is then too large for most of the pixels.
    """
    over = ops.log(ops.abs(error) + 1e-3) - 0.5 * ops.cast(log_variance, "float32")
    total = 0.0
    for k, allowed in WITHIN.items():
        beyond = over - np.float32(np.log(k))
        total += WITHIN[1] / allowed * ops.maximum(NOMINAL[k] * beyond, (NOMINAL[k] - 1) * beyond)
    return ops.mean(total, axis=(1, 2, 3))
