"""The network that tells how strong the noise is, window by window: built in Keras, trained on simulated maps, evaluated in numpy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from .bank import bank
from .noiseexamples import Examples, examples
from .recipes import BANKS, RUNS

Tensor: TypeAlias = keras.KerasTensor
WIDTH, HEADS = 64, 8
SEED, TRUTH_SEED, TRUTHS = 22, 3, 8000
STEPS, FILES = 6000, 24
LEAST, MOST = -5.0, 2.0
"""Bounds of the logarithm of the error that the network states."""


@keras.saving.register_keras_serializable(package="solardn")
class Pool(layers.Layer):
    """Means over the windows that are used, each head with weights of its own, repeated for every window."""

    def call(self, scores: Tensor, values: Tensor, used: Tensor) -> Tensor:
        """Return (maps, heads × values) from scores (…, heads) and values (…, heads × values) of windows."""
        n, parts = ops.shape(values)[0], values.shape[-1] // HEADS
        scores = ops.reshape(scores + (used - 1) * 1e4, (n, -1, HEADS))
        weights = ops.softmax(scores, axis=1)
        grouped = ops.reshape(values, (n, -1, HEADS, parts))
        return ops.reshape(ops.sum(weights[..., None] * grouped, axis=1), (n, HEADS * parts))


def _nearby(x: Tensor, used: Tensor) -> Tensor:
    pool = layers.AveragePooling2D(3, 1, "same")
    return pool(x * used) / ops.maximum(pool(used), 1e-3)


def build(features: int) -> keras.Model:
    """Return the network: from (maps, rows, columns, features) and where windows are used to the level of each window and of the map."""
    seen, used = keras.Input((None, None, features), name="seen"), keras.Input((None, None, 1), name="used")
    x = layers.Dense(WIDTH, "relu", name="in_1")(seen)
    x = layers.Dense(WIDTH, "relu", name="in_2")(x)
    for name in ("round1", "round2"):
        pooled = Pool()(
            layers.Dense(HEADS, name=f"{name}_score")(x), layers.Dense(WIDTH, name=f"{name}_value")(x), used
        )
        context = layers.Dense(WIDTH, "relu", name=f"{name}_context")(pooled)
        joined = layers.Dense(WIDTH, name=f"{name}_x")(x) + layers.Dense(WIDTH, name=f"{name}_near")(_nearby(x, used))
        x = ops.relu(joined + layers.Dense(WIDTH, name=f"{name}_all")(context)[:, None, None])
    pooled = Pool()(layers.Dense(HEADS, name="out_score")(x), layers.Dense(WIDTH, name="out_value")(x), used)
    context = layers.Dense(WIDTH, "relu", name="out_context")(pooled)
    return keras.Model([seen, used], [layers.Dense(2, name="window")(x), layers.Dense(2, name="map")(context)])


def _loss(found: Tensor, level: Tensor, weight: Tensor) -> Tensor:
    """Return the negative log likelihood of errors with a Laplace distribution of the width that is stated."""
    stated = ops.clip(found[..., 1], LEAST, MOST)
    return ops.sum(weight * (ops.abs(found[..., 0] - level) * ops.exp(-stated) + stated)) / ops.sum(weight)


def batches(data: Examples, count: int, seed: int) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield batches for ever: of each map every second window along both axes, and at times only those in a rectangle."""
    rng = np.random.default_rng(seed)
    most = data.used.shape[1]
    while True:
        order = rng.permutation(len(data.snr))
        for start in range(0, len(order) - count + 1, count):
            chosen = np.sort(order[start : start + count])
            height, width = (most if rng.random() < 0.7 else rng.integers(6, most + 1) for _ in "yx")
            y, x = rng.integers(0, most - height + 2), rng.integers(0, most - width + 2)
            part = (chosen, slice(y, y + height, 2), slice(x, x + width, 2))
            seen, used, level = data.features[part], data.used[part], data.level[part]
            if not used.any(axis=(1, 2)).all():
                continue
            weight = used.astype(np.float32)
            if rng.random() < 0.5:
                seen, weight, level = seen.swapaxes(1, 2), weight.swapaxes(1, 2), level.swapaxes(1, 2)
            whole = 0.5 * np.log((np.exp(2 * level) * weight).sum((1, 2)) / weight.sum((1, 2)))
            yield seen.astype(np.float32), weight[..., None], level, whole.astype(np.float32)


def train(steps: int = STEPS, count: int = 48, files: int = FILES, out: Path = RUNS / "noise-level") -> Path:
    """Train the network and return the file of its weights."""
    keras.utils.set_random_seed(SEED)
    data = examples(out / "examples", bank(BANKS, "truth", TRUTHS, TRUTH_SEED), files, SEED)
    features = data.features.shape[-1]
    network = build(features)
    warming = min(100, steps // 2)
    schedule = keras.optimizers.schedules.CosineDecay(1e-4, steps - warming, warmup_target=2e-3, warmup_steps=warming)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-4, global_clipnorm=1.0)
    optimizer.build(network.trainable_variables)

    shapes = ((None, None, None, features), (None, None, None, 1), (None, None, None), (None,))

    @tf.function(input_signature=[tf.TensorSpec(shape) for shape in shapes])
    def step(seen: tf.Tensor, used: tf.Tensor, level: tf.Tensor, whole: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            windows, maps = network((seen, used), training=True)
            loss = _loss(windows, level, used[..., 0]) + _loss(maps, whole, ops.ones_like(whole))
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    losses = []
    for number, batch in zip(range(1, steps + 1), batches(data, count, SEED), strict=False):
        losses.append(float(step(*batch)))
        if number % 100 == 0 or number == steps:
            print(f"{number} loss {np.mean(losses[-100:]):.3f}", flush=True)
    path = out / "weights.npz"
    np.savez_compressed(path, **{name: one.astype(np.float16) for name, one in weights_of(network).items()})
    return path


def weights_of(network: keras.Model) -> dict[str, Any]:
    """Return the weights by layer and kind, as `solardn.noisenet.tell` takes them."""
    return {v.path.replace("/", "."): np.asarray(v, np.float32) for v in network.trainable_variables}
