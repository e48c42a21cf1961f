"""The networks that ship: U-Nets at half resolution and below, which subtract the noise they find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import layers, ops

from export.layers import DepthToSpace, MCDropout, NearestUpsample, SpaceToDepth

Tensor: TypeAlias = keras.KerasTensor
MULTIPLE = 16
"""Maps must be multiples of this many pixels high and wide."""


@dataclass(frozen=True)
class Shape:
    """What a network is built from.

    Attributes
    ----------
    filters : tuple of int
        At 1/2, 1/4, 1/8 and 1/16 of the map's resolution.
    blocks : tuple of str
        Places with a residual block, of ``in``, ``down1``, ``down2``, ``up1`` and ``up0``; one that is named twice has two.
    beside : bool
        On the way up, whether features are set beside those of the same level on the way down (which doubles what the next
        convolution costs), or added to them.
    """

    filters: tuple[int, int, int, int] = (32, 64, 128, 96)
    blocks: tuple[str, ...] = ("down1",)
    beside: bool = False


LEAN = Shape()
"""Of ``stokes`` and ``stokes-bayes``."""
LARGE = Shape(blocks=2 * ("in", "down1", "down2", "up1") + 4 * ("up0",), beside=True)
"""Of ``stokes-best``."""
SHAPES = (LEAN, LARGE)
OUTPUT_LAYERS = ("noise/", "var/")
"""Those that write results, as their weights' paths begin."""


@keras.saving.register_keras_serializable(package="solardn")
class Differences(keras.initializers.HeNormal):
    """He's initial weights, three filters of four without response to a constant.

    A strong signal is a large constant with small noise on it: a network that begins with differences learns ten times sooner.
    """

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None, **kwargs: Any) -> Any:
        """Return weights of shape (height, width, channels in, filters)."""
        weights = super().__call__(shape, dtype, **kwargs)
        keep = np.arange(shape[-1]) % 4 == 0
        return weights - ops.where(keep, 0.0, 1.0) * ops.mean(weights, axis=(0, 1, 2), keepdims=True)


def _conv(
    x: Tensor,
    filters: int,
    name: str,
    size: int = 3,
    strides: int = 1,
    activation: str | None = "relu",
    dtype: str | None = None,
    start: str | keras.initializers.Initializer = "he_normal",
) -> Tensor:
    return layers.Conv2D(
        filters, size, strides, padding="same", activation=activation, kernel_initializer=start, name=name, dtype=dtype
    )(x)


def _up(x: Tensor, skip: Tensor, filters: int, name: str, beside: bool = True) -> Tensor:
    """Bring features to the next finer level: thinned out first, where it is cheap, then repeated and joined with the skip."""
    x = NearestUpsample(2, name=f"{name}_repeat")(_conv(x, filters, f"{name}_thin", size=1, activation=None))
    return (layers.Concatenate if beside else layers.Add)(name=f"{name}_join")([x, skip])


def _block(x: Tensor, filters: int, name: str) -> Tensor:
    """Add what two convolutions find; nothing at first, so that a network grown by a block begins as it was."""
    found = _conv(_conv(x, filters, f"{name}_1"), filters, f"{name}_2", activation=None, start="zeros")
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, found]))


def _widest(x: Tensor, filters: int, deepest: int) -> Tensor:
    """Add what is seen at 1/16 of the resolution, nothing at first: spectra of the noise and the largest structures."""
    deep = _conv(_conv(x, deepest, "down3_1", strides=2), deepest, "down3_2")
    thin = _conv(deep, filters, "up2_thin", size=1, activation=None, start="zeros")
    found = NearestUpsample(2, name="up2_repeat")(thin)
    return layers.ReLU(name="up2_relu")(layers.Add(name="up2_add")([x, found]))


def stokes(shape: Shape = LEAN, rate: float | None = None, kind: str = "channel") -> keras.Model:
    """Build the network for Stokes maps in units of the noise, channels last, sizes multiples of `MULTIPLE`.

    Parameters
    ----------
    shape : Shape
        What it is built from.
    rate : float, optional
        Rate of Monte-Carlo dropout. With one, dropout stands behind the encoder (so that all samples share it), and a second
        output ``log_variance`` grows from the encoder alone.
    kind : {"element", "channel"}
        Kind of dropout.

    Returns
    -------
    keras.Model
        From (n, y, x, 1) to ``mean``, or to ``[mean, log_variance]``.
    """
    f0, f1, f2, deepest = shape.filters
    inputs = keras.Input((None, None, 1), name="map")

    def drop(x: Tensor, name: str) -> Tensor:
        return x if rate is None else MCDropout(rate, kind, name=name)(x)

    def block(x: Tensor, filters: int, place: str) -> Tensor:
        for number in range(shape.blocks.count(place)):
            x = _block(x, filters, f"{place}_block{number + 1 if number else ''}")
        return x

    # A signal of 100 noise rms leaves no digits for the noise in bfloat16: what sees the map itself computes in float32.
    x = SpaceToDepth(2, name="fold", dtype="float32")(inputs)
    x = _conv(x, f0, "in_1", dtype="float32", start=Differences(seed=1))
    skip0 = x = block(_conv(x, f0, "in_2"), f0, "in")
    x = _conv(x, f1, "down1_1", strides=2)
    skip1 = x = block(_conv(x, f1, "down1_2"), f1, "down1")
    x = _conv(x, f2, "down2_1", strides=2)
    x = _conv(x, f2, "down2_2")
    x = block(_conv(x, f2, "down2_3"), f2, "down2")
    deep = x = _widest(x, f2, deepest)
    x = drop(x, "drop2")
    x = _up(x, skip1, f1, "up1", shape.beside)
    x = _conv(x, f1, "up1_1")
    x = block(drop(_conv(x, f1, "up1_2"), "drop1"), f1, "up1")
    x = _up(x, skip0, f0, "up0", shape.beside)
    x = _conv(x, f0, "up0_1")
    x = block(_conv(x, f0, "up0_2"), f0, "up0")
    found = DepthToSpace(2, name="unfold", dtype="float32")(_conv(x, 4, "noise", activation=None, start="zeros"))
    mean = layers.Subtract(name="mean", dtype="float32")([inputs, found])
    if rate is None:
        return keras.Model(inputs, mean, name="stokes")
    v = _conv(_up(deep, skip1, f0, "var1"), f0 + f0 // 2, "var1_1")
    v = _conv(_up(v, skip0, f0, "var0"), f0, "var0_1")
    v = _conv(v, f0, "var0_2")
    log_variance = DepthToSpace(2, name="log_variance", dtype="float32")(
        _conv(v, 4, "var", activation=None, start="zeros")
    )
    return keras.Model(inputs, [mean, log_variance], name="stokes-bayes")
