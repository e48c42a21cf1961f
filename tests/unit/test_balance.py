"""Noise levels of the Stokes parameters held against each other."""

from __future__ import annotations

import numpy as np
import pytest

from solardn.balance import raised
from solardn.samples import Group

LINE = np.array([1.0, 0.95, 0.8, 0.6, 0.8, 0.95, 1.0])
"""rms of the noise along a line: fewer photons in its core; relative to the continuum."""


def along_the_line(**efficiencies: float) -> dict[Group, float]:
    return {
        (letter, place): 1e-3 * least * factor
        for letter, factor in efficiencies.items()
        for place, least in enumerate(LINE)
    }


def test_a_level_raised_in_the_wings_stands_out() -> None:
    levels = along_the_line(Q=1.0, U=1.1, V=0.9)
    for place in (2, 4):
        levels["V", place] *= 1.31
    (found,) = raised(levels)
    assert (found.stokes, found.wavelengths) == ("V", (2, 4))
    assert found.factor == pytest.approx(1.31)


def test_levels_raised_at_most_wavelengths_stand_out_without_making_others_do_so() -> None:
    levels = along_the_line(Q=1.0, U=1.1, V=0.9)
    for place in range(5):
        levels["V", place] *= 2
    assert [(one.stokes, one.wavelengths) for one in raised(levels)] == [("V", (0, 1, 2, 3, 4))]


def test_neither_modulation_nor_the_line_nor_small_errors_stand_out() -> None:
    levels = along_the_line(Q=1.0, U=1.4, V=0.7)
    errors = np.random.default_rng(0).normal(1, 0.03, len(levels))
    assert not raised({group: sigma * error for (group, sigma), error in zip(levels.items(), errors, strict=True)})


def test_too_little_tells_nothing() -> None:
    wrong = {("V", 1): 9e-3}
    assert not raised(along_the_line(Q=1.0, V=1.0) | wrong)
    assert not raised({(letter, place): 1e-3 for letter in "QUV" for place in (0, 1)} | wrong)
    assert not raised({})
