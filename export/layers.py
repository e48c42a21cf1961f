"""Keras layers that networks are trained with and that convert to single ONNX nodes.

All are channels_last, registered (a saved ``.keras`` file opens without further ado once this module is imported) and run on the
torch and the tensorflow backend of Keras.
"""

from __future__ import annotations

from typing import Any

import keras

Shape = tuple[int | None, ...]


def _times(size: int | None, factor: int) -> int | None:
    return None if size is None else size * factor


@keras.saving.register_keras_serializable(package="solardn")
class NearestUpsample(keras.layers.Layer):
    """Repeat each pixel ``factor`` times along y and x; one ONNX ``Resize``.

    Keras' own ``UpSampling2D`` converts to Tile and Transpose nodes instead.

    Parameters
    ----------
    factor : int
        How many pixels one becomes, along each axis.
    """

    def __init__(self, factor: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        """Return (n, y, x, c) as (n, factor · y, factor · x, c)."""
        shape = keras.ops.shape(inputs)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            return tf.raw_ops.ResizeNearestNeighbor(
                images=inputs, size=tf.stack([shape[1] * self.factor, shape[2] * self.factor])
            )
        batch, height, width, channels = shape
        repeated = keras.ops.broadcast_to(
            inputs[:, :, None, :, None, :], (batch, height, self.factor, width, self.factor, channels)
        )
        return keras.ops.reshape(repeated, (batch, height * self.factor, width * self.factor, channels))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output, (n, y, x, c)."""
        batch, height, width, channels = input_shape
        return (batch, _times(height, self.factor), _times(width, self.factor), channels)

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to build the layer again."""
        return {**super().get_config(), "factor": self.factor}


class _Blocks(keras.layers.Layer):
    """What layers of blocks of ``block`` × ``block`` pixels have in common."""

    def __init__(self, block: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.block = block

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to build the layer again."""
        return {**super().get_config(), "block": self.block}


@keras.saving.register_keras_serializable(package="solardn")
class SpaceToDepth(_Blocks):
    """Turn blocks of ``block`` × ``block`` pixels into channels; one ONNX ``SpaceToDepth``.

    Pixel (by, bx) of a block and channel c become channel (by · block + bx) · channels + c.

    Parameters
    ----------
    block : int
        Side of a block, in pixels.
    """

    def call(self, inputs: Any) -> Any:
        """Return (n, y, x, c) as (n, y / block, x / block, block² · c)."""
        return keras.ops.space_to_depth(inputs, self.block, data_format="channels_last")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output, (n, y, x, c)."""
        batch, height, width, channels = input_shape
        half = [None if size is None else size // self.block for size in (height, width)]
        return (batch, *half, _times(channels, self.block**2))


@keras.saving.register_keras_serializable(package="solardn")
class DepthToSpace(_Blocks):
    """Turn channels into blocks of ``block`` × ``block`` pixels: the inverse of `SpaceToDepth`; one ONNX ``DepthToSpace``.

    Parameters
    ----------
    block : int
        Side of a block, in pixels.
    """

    def call(self, inputs: Any) -> Any:
        """Return (n, y, x, c) as (n, block · y, block · x, c / block²)."""
        return keras.ops.depth_to_space(inputs, self.block, data_format="channels_last")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output, (n, y, x, c)."""
        batch, height, width, channels = input_shape
        depth = None if channels is None else channels // self.block**2
        return (batch, _times(height, self.block), _times(width, self.block), depth)


@keras.saving.register_keras_serializable(package="solardn")
class ReflectionPad(keras.layers.Layer):
    """Pad y and x by reflection, the border pixel not repeated; one ONNX ``Pad``.

    Parameters
    ----------
    width : int
        Pixels added on each side.
    """

    def __init__(self, width: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width

    def call(self, inputs: Any) -> Any:
        """Return (n, y, x, c) as (n, y + 2 · width, x + 2 · width, c)."""
        sides = (self.width, self.width)
        return keras.ops.pad(inputs, ((0, 0), sides, sides, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output, (n, y, x, c)."""
        batch, height, width, channels = input_shape
        padded = [None if size is None else size + 2 * self.width for size in (height, width)]
        return (batch, *padded, channels)

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to build the layer again."""
        return {**super().get_config(), "width": self.width}


KINDS = ("element", "channel")
"""What a dropout drops: single elements, or whole channels of a map."""


@keras.saving.register_keras_serializable(package="solardn")
class MCDropout(keras.layers.Layer):
    """Dropout that marks its place for Monte-Carlo sampling after conversion.

    Active when called with ``training=True``; otherwise the identity. What is kept is divided by 1 − rate. A converted network is
    deterministic and remembers the places, at which ``python -m export dropout`` puts masks.

    Parameters
    ----------
    rate : float
        Fraction dropped, in [0, 1).
    kind : {"element", "channel"}
        Drop single elements, or whole channels of a map.
    seed : int, optional
        Seed of the masks in training; without one they differ from run to run, and element masks are drawn faster on torch.
    """

    def __init__(self, rate: float, kind: str = "channel", seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"the dropout rate {rate} is not in [0, 1)")
        if kind not in KINDS:
            raise ValueError(f"the dropout kind {kind!r} is not known; take one of {', '.join(KINDS)}")
        self.rate = rate
        self.kind = kind
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return (n, y, x, c) with what is dropped set to 0 in training, unchanged otherwise."""
        if not training or self.rate == 0:
            return inputs
        shape = (None, 1, 1, None) if self.kind == "channel" else None
        return keras.random.dropout(inputs, self.rate, noise_shape=shape, seed=self.generator)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output, that of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to build the layer again."""
        return {**super().get_config(), "rate": self.rate, "kind": self.kind, "seed": self.seed}
