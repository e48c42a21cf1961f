"""Pictures: they are written, and what cannot be drawn is said in a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from solardn.errors import InputError, MissingExtra, OptionError, OutputError
from solardn.plots import quicklook

pytest.importorskip("matplotlib")
NOISE = np.random.default_rng(0).standard_normal((48, 60))


@pytest.mark.parametrize("name", ["a.png", "a.pdf", "A.PNG"])
def test_quicklook_is_written(tmp_path: Path, name: str) -> None:
    data = NOISE.copy()
    data[3:9, 5] = np.nan
    quicklook(tmp_path / name, data, 0.1 * data, 1.0, unit="G", title="a.fits V", extent=(-10, 10, 0, 8))
    assert (tmp_path / name).stat().st_size > 10_000


@pytest.mark.parametrize("shape", [(1, 1), (4, 200), (20, 7)])
def test_quicklook_takes_any_shape(tmp_path: Path, shape: tuple[int, int]) -> None:
    quicklook(tmp_path / "a.png", np.ones(shape), np.full(shape, np.nan), 1.0)
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("result", "sigma", "words"), [(NOISE[1:], 1.0, "one shape"), (NOISE, 0.0, "positive"), (NOISE, np.nan, "positive")]
)
def test_what_cannot_be_drawn(tmp_path: Path, result: np.ndarray, sigma: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        quicklook(tmp_path / "a.png", NOISE, result, sigma)


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"solardn\[plot\]"):
        quicklook(tmp_path / "a.png", NOISE, NOISE, 1.0)


def test_format_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.png, \.pdf"):
        quicklook(tmp_path / "a.jpeg2", NOISE, NOISE, 1.0)


def test_a_picture_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        quicklook(tmp_path / "no" / "a.png", NOISE, NOISE, 1.0)
