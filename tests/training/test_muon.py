"""The optimiser: a kernel steps alike in every direction, whatever the gradient's own sizes; outputs and biases follow Adam."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from training.muon import Muon  # noqa: E402


def test_a_kernel_steps_alike_in_every_direction_and_outputs_follow_adam() -> None:
    inputs = keras.Input((None, None, 3))
    hidden = keras.layers.Conv2D(8, 3, name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(1, 3, name="noise")(hidden))
    model.build((None, None, None, 3))
    optimizer = Muon(1e-2, weight_decay=None, adam_weight_decay=None, exclude_layers=("noise/",))
    optimizer.build(model.trainable_variables)
    before = [v.numpy() for v in model.trainable_variables]
    rng = np.random.default_rng(0)
    scales = 10.0 ** -np.arange(8)  # of the gradients of each filter: over seven orders of magnitude
    gradients = [
        rng.standard_normal(v.shape) * (scales if v.path == "hidden/kernel" else 1) for v in model.trainable_variables
    ]
    optimizer.apply([keras.ops.convert_to_tensor(g.astype(np.float32)) for g in gradients], model.trainable_variables)
    steps = {v.path: v.numpy() - old for v, old in zip(model.trainable_variables, before, strict=True)}
    kernel = steps["hidden/kernel"].reshape(27, 8)
    sizes = np.linalg.svd(kernel, compute_uv=False) / (1e-2 * 0.2 * 27**0.5)
    assert sizes[0] < 1.3
    assert sizes[2] > 0.6  # a hundredth of the gradient, and as long a step; five iterations reach no farther down
    np.testing.assert_allclose(steps["noise/kernel"], -1e-2 * np.sign(gradients[2]), rtol=1e-3)
    np.testing.assert_allclose(steps["hidden/bias"], -1e-2 * np.sign(gradients[1]), rtol=1e-3)
