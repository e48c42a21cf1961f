"""The networks whose weights come without their architecture, in Keras 3.

Both were published with A&A 629, A99 (2019). Layers carry the names under which Keras 2.1.6 stored their weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from .layers import NearestUpsample, ReflectionPad

REFERENCE = "Díaz Baso, de la Cruz Rodríguez & Danilovic 2019, A&A 629, A99, doi:10.1051/0004-6361/201936069"


@dataclass(frozen=True)
class Architecture:
    """A network's layers, and what is known of every network that has them.

    Attributes
    ----------
    build : callable
        Returns the Keras model, with random weights.
    outputs : tuple of str
        Name of each output of the model, in the model's order.
    input_sigma : float
        rms of the noise in training, unless the user says otherwise: the authors worked in units of the continuum intensity
        with noise near 2e-3.
    description, reference : str
        For the card.
    """

    build: Callable[[], keras.Model]
    outputs: tuple[str, ...]
    description: str
    input_sigma: float = 2e-3
    reference: str = REFERENCE


def _convolve(x: Any, number: int, filters: int, size: int = 3, *, reflect: bool) -> Any:
    """Convolution ``conv2d_<number>`` with ReLU; the size of the map is kept."""
    if reflect and size == 3:
        x = ReflectionPad(name=f"reflection_padding2d_{number}")(x)
    padding = "valid" if reflect and size == 3 else "same"
    return keras.layers.Conv2D(filters, size, padding=padding, activation="relu", name=f"conv2d_{number}")(x)


def _unet_trunk(x: Any, *, reflect: bool) -> Any:
    """Two poolings, 32, 64 and 128 filters, two convolutions per level: ``conv2d_1`` to ``conv2d_12``."""
    top = _convolve(_convolve(x, 1, 32, reflect=reflect), 2, 32, reflect=reflect)
    x = keras.layers.MaxPooling2D(name="max_pooling2d_1")(top)
    middle = _convolve(_convolve(x, 3, 64, reflect=reflect), 4, 64, reflect=reflect)
    x = keras.layers.MaxPooling2D(name="max_pooling2d_2")(middle)
    x = _convolve(_convolve(x, 5, 128, reflect=reflect), 6, 128, reflect=reflect)
    x = _convolve(NearestUpsample(name="up_sampling2d_1")(x), 7, 64, size=2, reflect=reflect)
    x = keras.layers.Concatenate(name="concatenate_1")([middle, x])
    x = _convolve(_convolve(x, 8, 64, reflect=reflect), 9, 64, reflect=reflect)
    x = _convolve(NearestUpsample(name="up_sampling2d_2")(x), 10, 32, size=2, reflect=reflect)
    x = keras.layers.Concatenate(name="concatenate_2")([top, x])
    return _convolve(_convolve(x, 11, 32, reflect=reflect), 12, 32, reflect=reflect)


def build_unet() -> keras.Model:
    """Return the deterministic U-Net: reflection padding, one output, the denoised map."""
    start = keras.Input((None, None, 1), name="map")
    end = keras.layers.Conv2D(1, 1, name="conv2d_13")(_unet_trunk(start, reflect=True))
    return keras.Model(start, end, name="unet")


@keras.saving.register_keras_serializable(package="solardn")
class LogVariance(keras.layers.Layer):
    """The authors' form of the natural log variance: −|x| − 12."""

    def call(self, inputs: Any) -> Any:
        """Return (n, y, x, c) as values of at most −12."""
        return -keras.ops.abs(inputs) - 12.0

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output, that of the input."""
        return input_shape


def build_bayes() -> keras.Model:
    """Return the Bayesian U-Net: zero padding, outputs log variance and mean.

    The authors' MCDropout layers had rate 0 and carry no weights, so they are left out here; `export.dropout` puts masks at
    their places.
    """
    start = keras.Input((None, None, 1), name="map")
    mean = keras.layers.Conv2D(1, 1, name="linear_output")(_unet_trunk(start, reflect=False))
    branch = start
    for number in range(13, 21):
        branch = _convolve(branch, number, 32, reflect=False)
    branch = keras.layers.Conv2D(1, 1, name="conv2d_21")(branch)
    return keras.Model(start, [LogVariance(name="variance_output")(branch), mean], name="bayes")


ARCHITECTURES = {
    "unet": Architecture(
        build_unet, ("mean",), "U-Net of depth 2 with reflection padding; Stokes maps in units of the continuum"
    ),
    "bayes": Architecture(
        build_bayes,
        ("log_variance", "mean"),
        "U-Net of depth 2 with zero padding and a branch for the log variance; Stokes maps in units of the continuum",
    ),
}
"""Architectures by the name that ``--architecture`` takes."""
