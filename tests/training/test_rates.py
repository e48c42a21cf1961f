"""The learning rate over a training."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("steps", [600, 8_000])
def test_the_rate_rises_and_falls_to_a_hundredth(steps: int) -> None:
    pytest.importorskip("keras")
    from training.train import LEFT, Plan, rates

    rate = rates(Plan(steps=steps, rate=4e-4))
    assert float(rate(0)) == pytest.approx(4e-4 / 30)
    assert float(rate(300)) == pytest.approx(4e-4)
    assert float(rate((steps + 300) // 2)) == pytest.approx(2e-4, rel=0.02)
    assert float(rate(steps)) == pytest.approx(4e-4 * LEFT) == pytest.approx(4e-6)
