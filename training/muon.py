"""Muon for convolutions: steps of one size in every direction that a kernel can take, in place of Adam's one size for every weight."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="solardn")
class Muon(keras.optimizers.Muon):
    """Keras's Muon, which knows dense layers only, with kernels of convolutions as matrices (height · width · channels in, filters).

    Biases, and the layers whose paths begin as one of ``exclude_layers`` does, are left to Adam. A matrix's step has the rms of Adam's (Liu et al. 2025,
    arXiv:2502.16982), so that learning rates of Adam suit. Source of the method: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) != 4 or variable.path.startswith(tuple(self.exclude_layers))

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, gradient + m * (self.momentum - 1))
        ahead = gradient + self.momentum * m if self.nesterov else m
        matrix = ops.reshape(ahead, (-1, variable.shape[-1]))
        step = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(step, variable.shape))
