"""Noisy patches and their noisy partners, cut from pairs of maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .batches import Batch
from .network import MULTIPLE
from .observed import Stack

_PIXELS = 12 * 128**2
"""Pixels of a batch."""


@dataclass(frozen=True)
class PairBatches:
    """Draws batches of patches and their partners; batch number n of a seed is always the same.

    Attributes
    ----------
    stacks : list of Stack
        The pairs.
    seed : int
        Seed of the batches.
    """

    stacks: list[Stack]
    seed: int

    @property
    def size(self) -> int:
        """Height and width of the patches, in pixels."""
        return min(
            128,
            *(
                side // MULTIPLE * MULTIPLE
                for stack in self.stacks
                for side in (stack.maps.shape[1], trained_width(stack))
            ),
        )

    def __call__(self, number: int) -> Batch:
        """Return batch ``number``; its ``truth`` is the noisy partner."""
        rng = np.random.default_rng([self.seed, number])
        share = np.array([len(stack.pairs) * stack.maps[0].size for stack in self.stacks], float)
        drawn = [
            self._draw(rng, self.stacks[rng.choice(len(share), p=share / share.sum())])
            for _ in range(_PIXELS // self.size**2)
        ]
        first, second, snr = (np.array(part) for part in zip(*drawn, strict=True))
        return Batch(first[..., None], second[..., None], snr)

    def _draw(self, rng: np.random.Generator, stack: Stack) -> tuple[NDArray[Any], NDArray[Any], float]:
        pair = stack.pairs[rng.integers(len(stack.pairs))]
        first, second = pair if rng.random() < 0.5 else pair[::-1]
        y = rng.integers(0, stack.maps.shape[1] - self.size + 1)
        x = rng.integers(0, trained_width(stack) - self.size + 1)
        part = np.s_[y : y + self.size, x : x + self.size]
        partner = self.partner(stack, first, second)
        both = np.stack([stack.maps[first][part], partner[part]]) / stack.sigma[first]
        snr = float(np.sqrt(max(np.mean(both[0] * both[1]), 0.0)))
        both = np.rot90(both, int(rng.integers(4)), axes=(1, 2))
        if rng.random() < 0.5:
            both = both[:, :, ::-1]
        # The noise level a user states is never exact.
        factor = rng.choice([-1, 1]) * np.exp(rng.normal(0, 0.12))
        return *(both * factor).astype(np.float32), snr

    def partner(self, stack: Stack, first: int, second: int) -> NDArray[np.float32]:
        """Return what a map is to become: the other of its pair."""
        found: NDArray[np.float32] = stack.maps[second]
        return found


def trained_width(stack: Stack) -> int:
    """Return how many columns serve for training; those beyond, an eighth and at least 32, serve for validation."""
    width = int(stack.maps.shape[2])
    return width - max(32, width // 64 * 8)
