"""What the processor can do at best: a matrix product in float32, the kind of arithmetic that convolutions are made of."""

from __future__ import annotations

import numpy as np

from .timing import Spread, paired


def matrix_product(side: int = 2048, seconds: float = 3.0) -> Spread:
    """Return the GFLOP/s of numpy's product of two square matrices, on all cores."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((side, side), np.float32) for _ in range(2))
    out = np.empty_like(a)
    times = paired({"product": lambda: np.matmul(a, b, out=out)}, seconds=seconds, most=20).spread("product")
    return times.inverse(2 * side**3 / 1e9)
