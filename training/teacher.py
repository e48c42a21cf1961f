"""Learn from a larger network instead of the truth: what no network can know of the truth does not blur the steps then (distillation)."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops


def taught_by(teacher: keras.Model, noisy: tf.Tensor, seed: int, step: tf.Tensor) -> tf.Tensor:
    """Return what a teacher makes of maps, shape (n, y, x, 1), seen mirrored, turned and of either sign, at random.

    The mean over all 16 views, towards which a training tends that is shown one of them each time, is nearer to the truth than what
    the teacher makes of a map as it is.

    Parameters
    ----------
    teacher : keras.Model
        Gives the mean alone.
    noisy : tensor, shape (n, y, x, 1)
        Square maps in units of the noise.
    seed, step : int
        Decide on the view.
    """
    turned, up, left, negative = tf.unstack(tf.random.stateless_uniform((4,), (seed, tf.cast(step, tf.int32))) < 0.5)
    sign = tf.where(negative, -1.0, 1.0)
    seen = _mirrored(tf.cond(turned, lambda: _transposed(noisy), lambda: noisy), up, left)
    found = _mirrored(ops.cast(teacher(sign * seen, training=False), "float32"), up, left)
    return tf.stop_gradient(sign * tf.cond(turned, lambda: _transposed(found), lambda: found))


def _transposed(maps: Any) -> Any:
    return tf.transpose(maps, (0, 2, 1, 3))


def _mirrored(maps: Any, up: Any, left: Any) -> Any:
    maps = tf.cond(up, lambda: tf.reverse(maps, (1,)), lambda: maps)
    return tf.cond(left, lambda: tf.reverse(maps, (2,)), lambda: maps)
