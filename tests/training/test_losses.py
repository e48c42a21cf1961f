"""What the variance of a network is trained to tell."""

import numpy as np
import pytest

from training.coverage import miss


@pytest.mark.filterwarnings("ignore")  # TensorFlow warns about itself
@pytest.mark.parametrize("freedom", [3, 200])
def test_the_best_sigma_covers_one_and_two_sigma_alike(freedom):
    pytest.importorskip("keras")
    from training.losses import coverage_loss

    error = 0.5 * np.random.default_rng(0).standard_t(freedom, (1, 300, 300, 1)).astype(np.float32)
    sigmas = np.geomspace(0.25, 1.2, 60)
    losses = [float(coverage_loss(error, np.full_like(error, 2 * np.log(sigma)))[0]) for sigma in sigmas]
    best = sigmas[int(np.argmin(losses))]
    misses = [miss({k: float((np.abs(error) < k * sigma).mean()) for k in (1, 2)}) for sigma in sigmas]
    assert best == pytest.approx(sigmas[int(np.argmin(misses))], rel=0.06)
    if freedom > 100:
        assert best == pytest.approx(0.5, rel=0.03)
    else:
        assert best < 0.9 * error.std()  # a few large errors do not raise it
