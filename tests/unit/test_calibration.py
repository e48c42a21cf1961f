"""What standard deviations are multiplied by: a factor, or factors over σ; what is no calibration is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solardn.calibration import calibration_of
from solardn.errors import ModelError

OVER_SIGMA = {
    "factor": 1.2,
    "sigmas": [0.01, 0.1, 1.0],
    "factors": [4.0, 2.0, 1.0],
    "coverage_1": 0.69,
    "coverage_2": 0.95,
}


def test_a_card_without_one_changes_nothing() -> None:
    found = calibration_of(None, "net")
    assert (found.at(np.ones(3, np.float32)), found.measured) == (1, False)


def test_factors_are_interpolated_over_log_sigma_and_held_beyond_the_ends() -> None:
    found = calibration_of(OVER_SIGMA, "net")
    sigma = np.array([0, 0.001, 0.01, 10**-1.5, 0.1, 1, 50], np.float32)
    np.testing.assert_allclose(found.at(sigma), [4, 4, 4, 8**0.5, 2, 1, 1], rtol=1e-5)
    assert found.at(sigma).dtype == np.float32
    after = sigma * found.at(sigma)
    assert (np.diff(after) > 0).all()  # a larger σ stays a larger one


def test_it_is_told_in_words() -> None:
    assert (
        calibration_of(OVER_SIGMA, "net").words
        == "sigma calibrated by 1 to 4 (69.0 % within 1 sigma on simulated truth)"
    )
    assert calibration_of({"factor": 1.25}, "net").words == "sigma calibrated by 1.25"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"coverage_1": 0.7}, "tells no factor"),
        ({"factor": "much"}, "tells no factor"),
        ({"factor": -1}, "factor of -1.0; a positive number"),
        ({"factor": 1, "sigmas": [1, 2], "factors": [1, float("nan")]}, "factor of nan"),
        ({"factor": 1, "sigmas": [1, 2], "factors": [1]}, "does not rise"),
        ({"factor": 1, "sigmas": [2, 1], "factors": [1, 1]}, "does not rise"),
        ({"factor": 1, "sigmas": [1, 2], "factors": [4, 1]}, "does not rise"),
    ],
)
def test_what_is_none_is_refused(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=f"network 'net' .*{says}"):
        calibration_of(entry, "net")
