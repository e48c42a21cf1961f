"""What training minimises: the rms error of each patch, and the likelihood of the variance."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray


def expected_error(snr: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return about what error, in noise rms, `stokes` reaches at a signal-to-noise (within 7 % on maps kept for validation).

    Errors are divided by it, so that each signal-to-noise counts alike, as in a geometric mean over cases.
    """
    power = snr**0.65
    return np.asarray(0.03 + 0.82 * power / (2 + power), np.float32)


@keras.saving.register_keras_serializable(package="solardn")
def rms_error(truth: Any, mean: Any) -> Any:
    """Return the rms error of each patch, shape (n,): between a squared and a logarithmic error, robust to few hard patches."""
    return ops.sqrt(ops.mean(ops.square(ops.cast(mean, "float32") - truth), axis=(1, 2, 3)) + 1e-4)


@keras.saving.register_keras_serializable(package="solardn")
def likelihood(error: Any, log_variance: Any) -> Any:
    """Return half the negative Gaussian log likelihood of an error under a variance, averaged over each patch, shape (n,).

    The variance has a floor of (0.03 σ)²: without it, a variance that fell too low in one strong pixel outweighed all else.
    """
    variance = ops.exp(ops.cast(log_variance, "float32")) + 1e-3
    return 0.5 * ops.mean(ops.log(variance) + ops.square(error) / variance, axis=(1, 2, 3))
