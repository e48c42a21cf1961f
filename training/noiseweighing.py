"""What `solardn.weighing` learns: which of two noise levels to believe, from maps whose noise is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from solardn.errors import InputError
from solardn.noise import both

from . import noisemaps
from .bank import SIZE as MAP
from .fields import Field, Rng

MAPS, SEED, NETWORKS, WIDTH, EPOCHS, BATCH = 8000, 72, 4, 48, 60, 64


class Seen(NamedTuple):
    """Maps as the two ways see them.

    Attributes
    ----------
    features : (maps, features) array
        `solardn.weighing.Views.features`.
    level, told : (maps,) arrays
        Logarithms of the two levels over the true one.
    snr : (maps,) array
        rms of the signal over that of the noise.
    """

    features: NDArray[np.float32]
    level: NDArray[np.float64]
    told: NDArray[np.float64]
    snr: NDArray[np.float64]


def example(rng: Rng, truths: Field) -> tuple[Field, float, float]:
    """Return a noisy map, sometimes a small one, the rms of its noise, and that of its signal over the noise's."""
    field, sigma, snr = noisemaps.example(rng, truths, least=0.3, most=16)
    if rng.random() < 0.12:  # windows are smaller in small maps
        height, width = rng.integers(64, MAP + 1, 2)
        y, x = rng.integers(0, MAP + 1 - height), rng.integers(0, MAP + 1 - width)
        field, sigma = field[y : y + height, x : x + width], sigma[y : y + height, x : x + width]
    return field, float(np.sqrt(np.mean(sigma**2))), snr


def draw(truths: Field, count: int, seed: int) -> Seen:
    """Draw maps and look at them both ways.

    Parameters
    ----------
    truths : ndarray, shape (fields, y, x)
        A bank of truths (`training.bank`).
    count : int
        Number of maps.
    seed : int
    """
    rows = []
    for number in track(range(count), description="looking at maps"):
        field, sigma, snr = example(np.random.default_rng([seed, number]), truths)
        try:
            seen, unit = both(field)
        except InputError:  # no noise to be told from the signal
            continue
        if seen is not None:
            true = sigma / unit
            rows.append((seen.features, np.log(seen.level / true), np.log(seen.told / true), snr))
    return Seen(*(np.array(column) for column in zip(*rows, strict=True)))


def fit(seen: Seen, seed: int, epochs: int = EPOCHS) -> list[NDArray[Any]]:
    """Train one network and return its weights; the features have mean 0 and deviation 1.

    It gives the share of the second level, and how far the result may be wrong, which weighs the maps. A correction beyond both levels was tried as well:
    no better on maps like these, and wrong by more on others.
    """
    import keras
    import tensorflow as tf
    from keras import layers, ops

    keras.utils.set_random_seed(seed)
    count = len(seen.features)
    inputs = keras.Input((seen.features.shape[1],))
    x = layers.GaussianNoise(0.03)(inputs)
    for _ in range(2):
        x = layers.Dropout(0.2)(layers.Dense(WIDTH, "relu")(x))
    last = layers.Dense(2, kernel_initializer=keras.initializers.RandomNormal(stddev=0.015))
    network = keras.Model(inputs, last(x))
    last.bias.assign([0.0, -2.5])
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, epochs * (count // BATCH), alpha=0.005)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.02, global_clipnorm=2.0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(network.trainable_variables)

    @tf.function
    def step(features: tf.Tensor, level: tf.Tensor, told: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            share, stated = ops.unstack(network(features, training=True), 2, axis=1)
            error = level + (told - level) * ops.sigmoid(share)
            stated = ops.clip(stated, -4.5, 1.0)
            loss = ops.mean(ops.abs(error) * ops.exp(-stated) + stated)
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)

    rng = np.random.default_rng(seed)
    level, told = (one.astype(np.float32) for one in (seen.level, seen.told))
    for _ in range(epochs):
        order = rng.permutation(count)
        for start in range(0, count - BATCH + 1, BATCH):
            some = order[start : start + BATCH]
            step(seen.features[some], level[some], told[some])
    return [np.asarray(one) for one in network.get_weights()]


def train(seen: Seen, path: Path, networks: int = NETWORKS, epochs: int = EPOCHS) -> Path:
    """Train several networks from other starts, whose mean is taken, and write their weights to a file."""
    mean, deviation = seen.features.mean(axis=0), seen.features.std(axis=0) + 1e-3
    scaled = seen._replace(features=np.clip((seen.features - mean) / deviation, -5, 5))
    trained = zip(*(fit(scaled, seed, epochs) for seed in range(networks)), strict=True)
    names = [f"{layer}.{kind}" for layer in ("first", "second", "out") for kind in ("kernel", "bias")]
    weights: dict[str, Any] = {name: np.stack(one).astype(np.float16) for name, one in zip(names, trained, strict=True)}
    np.savez_compressed(path, mean=mean, deviation=deviation, **weights)
    return path
