"""Calibration: one factor where that is enough, a map of factors over σ where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from solardn.calibration import calibration_of
from solardn.errors import ModelError


def _errors(wrong):
    """Return |error| and σ at three levels; σ is off by a factor that depends on the level."""
    rng = np.random.default_rng(0)
    levels = {}
    for level, (size, off) in wrong.items():
        true = size * rng.uniform(0.7, 1.3, 40_000)
        levels[level] = np.abs(true * rng.standard_normal(40_000)), true / off
    return levels


def test_one_factor_where_that_is_enough():
    pytest.importorskip("keras")
    from training.calibrate import fitted

    found = fitted(_errors({0.5: (0.1, 1.5), 2.0: (0.3, 1.5), 8.0: (1.0, 1.5)}))
    assert found["factor"] == pytest.approx(1.5, rel=0.02)
    assert "sigmas" not in found
    assert found["coverage_1"] == pytest.approx(0.683, abs=0.01)


def test_factors_over_sigma_where_one_does_not_serve_all_levels():
    pytest.importorskip("keras")
    from training.calibrate import fitted
    from training.coverage import WITHIN

    found = fitted(_errors({0.5: (0.1, 1.0), 2.0: (0.3, 1.6), 8.0: (1.0, 2.5)}))
    for first, second in found["by_snr"].values():
        assert abs(first - 0.683) < WITHIN[1]
        assert abs(second - 0.954) < WITHIN[2]
    calibration = calibration_of(found, "net")
    sigma = np.geomspace(0.01, 3, 200).astype(np.float32)
    assert (np.diff(sigma * calibration.at(sigma)) > 0).all()
    low, high = calibration.at(np.array([1e-4, 100], np.float32))
    assert (low, high) == pytest.approx((found["factors"][0], found["factors"][-1]), rel=1e-5)


def test_nonsense_in_a_card_is_refused():
    for entry, said in (
        ({"factor": -1}, "a positive number is needed"),
        ({"sigmas": [1.0]}, "tells no factor"),
        ({"factor": 1.0, "sigmas": [1.0, 2.0], "factors": [1.0]}, "does not rise"),
        ({"factor": 1.0, "sigmas": [1.0, 2.0], "factors": [1.0, 0.4]}, "does not rise"),
    ):
        with pytest.raises(ModelError, match=said):
            calibration_of(entry, "net")
