"""Where maps lie and what they are called, from headers; and the map that a user names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from solardn.choice import index_of
from solardn.coordinates import Coordinates, Frame
from solardn.cube import Axis, Cube
from solardn.errors import OptionError
from solardn.plan import look_at

SKY = {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CUNIT1": "arcsec", "CUNIT2": "arcsec", "CDELT1": 0.5, "CDELT2": 0.25,
       "CRPIX1": 1, "CRPIX2": 1, "CRVAL1": 100.0, "CRVAL2": -20.0}  # fmt: skip


def frame_of(path: Path, shape: tuple[int, ...], **cards: object) -> tuple[Frame, str]:
    fits.PrimaryHDU(np.zeros(shape, np.float32), fits.Header(cards)).writeto(path, overwrite=True)
    with look_at(path) as plan:
        where = Coordinates(plan)
        index = (0,) * (len(shape) - 2)
        return where.frame(index), where.title(index)


def test_edges_are_in_arcsec_where_the_header_says(tmp_path: Path) -> None:
    frame, title = frame_of(tmp_path / "a.fits", (10, 20), **SKY)
    assert frame.extent == pytest.approx((99.75, 109.75, -20.125, -17.625), abs=1e-4)
    assert frame.labels == ("x [arcsec]", "y [arcsec]")
    assert title == "a.fits"
    assert frame_of(tmp_path / "b.fits", (3, 10, 20))[1] == "b.fits, axis 0: 0"


def test_degrees_become_arcsec_and_heliographic_maps_stay_in_degrees(tmp_path: Path) -> None:
    scaled = {key: value / 3600 for key, value in SKY.items() if key.startswith(("CDELT", "CRVAL"))}
    frame, _ = frame_of(tmp_path / "a.fits", (10, 20), **SKY | scaled | {"CUNIT1": "deg", "CUNIT2": "deg"})
    assert frame.extent == pytest.approx((99.75, 109.75, -20.125, -17.625), abs=1e-4)
    cea = {"CTYPE1": "CRLN-CEA", "CTYPE2": "CRLT-CEA", "CUNIT1": "deg", "CUNIT2": "deg", "CRVAL1": 30.0, "CRVAL2": 0.0}
    frame, _ = frame_of(tmp_path / "b.fits", (10, 20), **SKY | cea)
    assert frame.labels == ("x [deg]", "y [deg]")
    assert frame.extent[0] == pytest.approx(29.75, abs=1e-3)


def test_a_map_across_0_degrees_is_not_torn(tmp_path: Path) -> None:
    frame, _ = frame_of(tmp_path / "a.fits", (10, 20), **SKY | {"CRVAL1": -5.0})
    assert frame.extent[:2] == pytest.approx((-5.25, 4.75), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "width", "middle", "edges"),
    [
        ("CRL", 200, 180, (80, 280)),
        ("CRL", 360, 180, (0, 360)),
        ("CRL", 64, 300, (268, 332)),
        ("CRL", 64, 0, (-32, 32)),
        ("HGL", 200, 0, (-100, 100)),
    ],
)
def test_maps_of_more_than_half_the_sun_keep_their_longitudes(
    tmp_path: Path, name: str, width: int, middle: float, edges: tuple[float, float]
) -> None:
    cards = {"CTYPE1": f"{name}N-CAR", "CTYPE2": f"{name}T-CAR", "CUNIT1": "deg", "CUNIT2": "deg", "CRVAL1": middle, "CRVAL2": 0.0,
             "CDELT1": width / 40, "CDELT2": 1.0, "CRPIX1": 20.5, "CRPIX2": 5.5}  # fmt: skip
    frame, _ = frame_of(tmp_path / "a.fits", (10, 40), **cards)
    assert frame.extent == pytest.approx((*edges, -5, 5), abs=1e-6)
    assert frame.labels == ("x [deg]", "y [deg]")


def test_a_turned_map_shows_distances_from_its_middle(tmp_path: Path) -> None:
    turned = {"PC1_1": 0.6, "PC1_2": -0.8, "PC2_1": 0.8, "PC2_2": 0.6, "CDELT2": 0.5}
    frame, _ = frame_of(tmp_path / "a.fits", (10, 20), **SKY | turned)
    assert frame.extent == pytest.approx((-5, 5, -2.5, 2.5), abs=1e-3)
    assert "from the middle" in frame.labels[0]


@pytest.mark.parametrize("cards", [{}, {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-XYZ"}, {**SKY, "CDELT1": 0.0}])
def test_pixels_where_the_header_is_silent_or_wrong(tmp_path: Path, cards: dict[str, object]) -> None:
    frame, _ = frame_of(tmp_path / "a.fits", (10, 20), **cards)
    assert frame == Frame()


def test_stokes_wavelength_and_time_are_named(tmp_path: Path) -> None:
    more = {"CTYPE3": "WAVE", "CUNIT3": "Angstrom", "CRVAL3": 6173.34, "CRPIX3": 1, "CDELT3": 0.1, "CTYPE4": "STOKES",
            "CRVAL4": 4, "CRPIX4": 1, "CDELT4": 1, "CTYPE5": "UTC", "CUNIT5": "s"}  # fmt: skip
    frame, title = frame_of(tmp_path / "a.fits", (2, 1, 3, 10, 20), **SKY | more)
    assert title == "a.fits, Stokes V, 617.334 nm, time 0"
    assert frame.extent is not None


def test_wavelengths_of_a_table_of_coordinates(tmp_path: Path) -> None:
    header = fits.Header(SKY | {"CTYPE3": "WAVE-TAB", "CUNIT3": "nm", "CRPIX3": 1.0, "CRVAL3": 1.0, "CDELT3": 1.0,
                                "PS3_0": "WCS-TAB", "PS3_1": "WAVE", "PV3_3": 1})  # fmt: skip
    waves = np.array([[[630.1], [630.15], [630.25]]])
    table = fits.BinTableHDU.from_columns([fits.Column("WAVE", "3D", dim="(1,3)", array=waves)], name="WCS-TAB")
    fits.HDUList([fits.PrimaryHDU(np.zeros((3, 10, 20), np.float32), header), table]).writeto(tmp_path / "a.fits")
    with look_at(tmp_path / "a.fits") as plan:
        assert [Coordinates(plan).words((n,)) for n in (0, 1, 2)] == [["630.1 nm"], ["630.15 nm"], ["630.25 nm"]]


CUBE = Cube(
    (Axis(0, 2, "UTC", "time"), Axis(1, 4, "STOKES", "stokes"), Axis(2, 3, "WAVE", "wavelength"),
     Axis(3, 9, "", "y"), Axis(4, 9, "", "x")), ("I", "Q", "U", "V"), "",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "index"),
    [("1,3,2", (1, 3, 2)), ("stokes=V", (1, 3, 1)), ("wavelength=0, stokes=q", (1, 1, 0)), ("0,2,-1", (0, 2, 2))],
)
def test_a_map_is_named_by_places_or_by_axes(text: str, index: tuple[int, ...]) -> None:
    assert index_of(text, CUBE) == index


@pytest.mark.parametrize("text", ["", "1,3", "1,3,9", "stokes=X", "colour=1", "V", "stokes=V=1", "1,stokes=V,0"])
def test_a_map_that_is_not_there_is_refused_with_the_axes(text: str) -> None:
    with pytest.raises(OptionError, match=r"time 0 to 1, stokes 0 to 3, wavelength 0 to 2"):
        index_of(text, CUBE)
