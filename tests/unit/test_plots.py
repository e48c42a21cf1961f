"""Pictures: they are written, and what cannot be drawn is said in a sentence."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

from solardn.coordinates import Frame
from solardn.errors import InputError, MissingExtra, OptionError, OutputError
from solardn.figures import look, trust
from solardn.plots import Tile, contact_sheet, quicklook, uncertainty_picture

pytest.importorskip("matplotlib")
NOISE = np.random.default_rng(0).standard_normal((48, 60))
ARCSEC = Frame((-10, 10, 0, 8), ("x [arcsec]", "y [arcsec]"))


@pytest.mark.parametrize("name", ["a.png", "a.pdf", "A.PNG"])
def test_quicklook_is_written(tmp_path: Path, name: str) -> None:
    data = NOISE.copy()
    data[3:9, 5] = np.nan
    quicklook(tmp_path / name, data, 0.1 * data, 1.0, unit="G", title="a.fits V", frame=ARCSEC)
    start = (tmp_path / name).read_bytes()[:4]
    assert start == (b"%PDF" if name.endswith("pdf") else b"\x89PNG")


def test_quicklook_shows_three_maps_on_one_symmetric_scale_of_3_sigma() -> None:
    figure = look(NOISE, 0.1 * NOISE, 0.5, "G", "a.fits, Stokes V", ARCSEC)
    maps = [axes.images[0] for axes in figure.get_axes() if axes.images]
    assert [image.get_clim() for image in maps] == [(-1.5, 1.5)] * 3
    assert [tuple(image.get_extent()) for image in maps] == [ARCSEC.extent] * 3
    np.testing.assert_allclose(maps[2].get_array(), maps[0].get_array() - maps[1].get_array())
    assert figure.get_suptitle() == "a.fits, Stokes V, noise σ = 0.5 G"
    titles = [axes.get_title() for axes in figure.get_axes()]
    assert titles[:3] == ["observation", "result", "residual (observation − result)"]
    assert "[G]" in [axes.get_ylabel() for axes in figure.get_axes()]


@pytest.mark.parametrize("shape", [(1, 1), (4, 200), (20, 7)])
def test_quicklook_takes_any_shape(tmp_path: Path, shape: tuple[int, int]) -> None:
    quicklook(tmp_path / "a.png", np.ones(shape), np.full(shape, np.nan), 1.0)
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize("deviation", [0.1, 0.0, np.nan])
def test_uncertainty_is_drawn(tmp_path: Path, deviation: float) -> None:
    uncertainty_picture(tmp_path / "a.png", NOISE, 0.2 * NOISE, np.full(NOISE.shape, deviation), 1.0, "G", "V", ARCSEC)
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_the_3_sigma_contour_lies_where_the_mean_is_3_sigma() -> None:
    mean = np.linspace(0, 6, 61) * np.ones((20, 1))
    figure = trust(mean, mean, np.ones(mean.shape), 1.0)
    places = [line.vertices[:, 0] for axes in figure.get_axes() for c in axes.collections for line in c.get_paths()]
    contour = next(place for place in places if len(place) >= 20)
    np.testing.assert_allclose(contour, 30, atol=0.01)


def test_a_contact_sheet_has_three_panels_a_map(tmp_path: Path) -> None:
    tile = Tile(NOISE, 0 * NOISE, 1.0, "Stokes V")
    contact_sheet(tmp_path / "a.pdf", [[tile] * 3, [tile]], "a.fits")
    assert (tmp_path / "a.pdf").read_bytes()[:4] == b"%PDF"
    with pytest.raises(InputError, match="at least one map"):
        contact_sheet(tmp_path / "b.pdf", [])


@pytest.mark.parametrize(
    ("result", "sigma", "words"), [(NOISE[1:], 1.0, "one shape"), (NOISE, 0.0, "positive"), (NOISE, np.nan, "positive")]
)
def test_what_cannot_be_drawn(tmp_path: Path, result: np.ndarray, sigma: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        quicklook(tmp_path / "a.png", NOISE, result, sigma)
    with pytest.raises(InputError, match=words):
        uncertainty_picture(tmp_path / "a.png", NOISE, result, result, sigma)


def test_missing_matplotlib_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'solardn\[plot\]'"):
        quicklook(tmp_path / "a.png", NOISE, NOISE, 1.0)


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"must end|let its name end"):
        quicklook(tmp_path / "a.jpeg2", NOISE, NOISE, 1.0)


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        quicklook(tmp_path / "no" / "a.png", NOISE, NOISE, 1.0)


def test_texts_of_files_are_shown_as_they_are_and_whole(tmp_path: Path) -> None:
    name = r"$\foo$ of " + "a_very_long_name_" * 8 + ".fits"
    figure = look(NOISE, 0.1 * NOISE, 0.5, r"$\bar$", name)
    figure.draw_without_rendering()  # takes no formula for one
    box = figure._suptitle.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    quicklook(tmp_path / "a.png", NOISE, 0.1 * NOISE, 0.5, r"$\bar$", f"日{name}")
    contact_sheet(tmp_path / "b.png", [[Tile(NOISE, NOISE, 1.0, name)]], name)
    uncertainty_picture(tmp_path / "c.png", NOISE, NOISE, NOISE**2, 1.0, r"$\bar$", name)


@pytest.mark.parametrize(("shape", "axis"), [((600, 30), "x"), ((1, 400), "y")])
def test_numbers_along_a_short_side_do_not_lie_on_each_other(shape: tuple[int, int], axis: str) -> None:
    figure = look(np.ones(shape), np.zeros(shape), 1.0)
    figure.draw_without_rendering()
    axes = figure.get_axes()[0]
    ticks = getattr(axes, f"{axis}axis").get_ticklabels()
    low, high = sorted(getattr(axes, f"get_{axis}lim")())
    shown = [t for t, at in zip(ticks, getattr(axes, f"get_{axis}ticks")(), strict=True) if low <= at <= high]
    boxes = [t.get_window_extent() for t in shown]
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))
