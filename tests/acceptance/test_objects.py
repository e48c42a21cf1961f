"""Objects of other packages: what goes in comes out."""

import numpy as np
import pytest
from astropy.nddata import CCDData, NDData, NDDataRef, StdDevUncertainty
from astropy.wcs import WCS

import solardn as package

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(0, 1, (24, 30)).astype(np.float32)


def denoised(array):
    return package.denoise(array, 1.0, model="smooth")


def test_ccddata_keeps_mask_unit_meta_and_uncertainty():
    mask = np.zeros(IMAGE.shape, bool)
    mask[5:8, 6:9] = True
    given = CCDData(
        np.where(mask, 1e6, IMAGE),
        mask=mask,
        unit="adu",
        meta={"A": 1},
        uncertainty=StdDevUncertainty(np.ones_like(IMAGE)),
    )
    before = given.data.copy()
    made = denoised(given)
    assert type(made) is CCDData
    assert (made.unit, made.meta["A"]) == (given.unit, 1)
    np.testing.assert_array_equal(made.mask, mask)
    np.testing.assert_array_equal(made.uncertainty.array, given.uncertainty.array)
    assert made.uncertainty.parent_nddata is made
    assert given.uncertainty.parent_nddata is given
    np.testing.assert_array_equal(made.data[~mask], denoised(np.where(mask, np.nan, IMAGE))[~mask])
    np.testing.assert_array_equal(made.data[mask], np.float32(1e6))
    np.testing.assert_array_equal(given.data, before)
    made.meta["B"] = 2
    assert "B" not in given.meta


def test_the_axes_come_from_the_wcs():
    cube = RNG.normal(0, 1, (5, 24, 4, 30)).astype(np.float32)  # wavelength, y, Stokes, x
    wcs = WCS(
        {"CTYPE1": "HPLN-TAN", "CTYPE2": "STOKES", "CTYPE3": "HPLT-TAN", "CTYPE4": "WAVE", "CRPIX2": 1, "CRVAL2": 1}
    )
    made = denoised(NDData(cube, wcs=wcs)).data
    np.testing.assert_array_equal(made[:, :, 0], cube[:, :, 0])
    np.testing.assert_array_equal(made[2, :, 1], denoised(cube[2, :, 1]))


def test_dask_arrays_stay_lazy():
    array = pytest.importorskip("dask.array")
    data = np.stack([IMAGE, -IMAGE, 2 * IMAGE])
    lazy = denoised(array.from_array(data, chunks=(1, 10, 10)))
    assert isinstance(lazy, array.Array)
    assert lazy.dtype == np.float32
    np.testing.assert_array_equal(lazy.compute(), denoised(data))


def test_dask_arrays_without_maps_are_refused_at_once():
    array = pytest.importorskip("dask.array")
    for wrong, says in (
        (array.zeros(9), "holds no map"),
        (array.zeros((0, 9, 9)), "is empty"),
        (array.zeros((9, 9), dtype=complex), "data of type complex128"),
    ):
        with pytest.raises(package.InputError, match=says):
            denoised(wrong)


LEVELS = {
    "one for each": {"noise_sigma": np.array([[0.5, 1.0, 2.0], [1.0, 2.0, 0.5]])},
    "one for each along an axis": {"noise_sigma": np.array([0.5, 1.0, 2.0])},
    "everywhere": {"noise_map": np.linspace(0.5, 2, 2 * 3 * 24 * 30).reshape(2, 3, 24, 30)},
    "alike in all": {"noise_map": np.linspace(0.5, 2, 24 * 30).reshape(24, 30)},
}


@pytest.mark.parametrize("what", LEVELS)
def test_noise_levels_go_with_the_blocks_of_a_dask_array(what):
    array = pytest.importorskip("dask.array")
    data = np.stack([[IMAGE, -IMAGE, 2 * IMAGE]] * 2)
    lazy = package.denoise(array.from_array(data, chunks=(1, 2, 10, 10)), model="smooth", **LEVELS[what])
    np.testing.assert_array_equal(lazy.compute(), package.denoise(data, model="smooth", **LEVELS[what]))


@pytest.mark.parametrize("what", LEVELS)
def test_noise_levels_are_those_of_all_maps_of_a_container_also_of_such_that_stay(what):
    data = np.stack([[IMAGE, -IMAGE, 2 * IMAGE]] * 2)  # time, Stokes, y, x
    wcs = WCS(
        {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "STOKES", "CRPIX3": 1, "CRVAL3": 1, "CTYPE4": "UTC"}
    )
    made = package.denoise(NDData(data, wcs=wcs), model="smooth", **LEVELS[what]).data
    expected = package.denoise(data, model="smooth", **LEVELS[what])
    expected[:, 0] = data[:, 0]
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("wrong", [{"noise_sigma": np.ones(4)}, {"noise_map": np.ones((5, 30))}])
def test_noise_levels_that_do_not_fit_a_container_are_refused_at_once(wrong):
    array = pytest.importorskip("dask.array")
    data = np.stack([IMAGE, -IMAGE, 2 * IMAGE])
    wcs = WCS({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "STOKES", "CRPIX3": 1, "CRVAL3": 1})
    for given in (array.from_array(data), NDData(data, wcs=wcs)):
        with pytest.raises(package.OptionError, match="does not fit"):
            package.denoise(given, model="smooth", **wrong)


@pytest.mark.parametrize(
    ("data", "header", "says"),
    [
        (IMAGE, {"CTYPE1": "WAVE", "CTYPE2": "OFFSET"}, "no two axes in space"),
        (
            np.stack([IMAGE]),
            {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "STOKES", "CRVAL3": 1, "CRPIX3": 1},
            "Stokes I only",
        ),
    ],
)
def test_what_a_wcs_forbids_can_be_had_with_an_array(data, header, says):
    with pytest.raises(
        package.InputError, match=rf"{says}.*; from Python, give the data as an array \(\.\.\., y, x\)$"
    ):
        denoised(NDData(data, wcs=WCS(header)))


def test_copied_maps_are_held_by_float32_or_refused():
    wcs = WCS({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "STOKES", "CRPIX3": 1, "CRVAL3": 1})
    cube = np.stack([1e39 * (1 + IMAGE.astype(float)), IMAGE])
    with pytest.raises(package.InputError, match="beyond what float32 holds"):
        denoised(NDData(cube, wcs=wcs))
    with pytest.raises(package.InputError, match="data of type complex64"):
        denoised(NDData(IMAGE + 0j))


@pytest.mark.filterwarnings("ignore")
def test_sunpy_maps():
    sunpy_map = pytest.importorskip("sunpy.map")
    meta = {
        "cdelt1": 1,
        "cdelt2": 1,
        "ctype1": "HPLN-TAN",
        "ctype2": "HPLT-TAN",
        "cunit1": "arcsec",
        "cunit2": "arcsec",
    }
    given = sunpy_map.Map(IMAGE, meta | {"date-obs": "2026-01-01", "telescop": "none"})
    made = denoised(given)
    assert type(made) is type(given)
    assert made.meta == given.meta
    np.testing.assert_array_equal(made.data, denoised(IMAGE))
    np.testing.assert_array_equal(given.data, IMAGE)
    made.meta["history"] = "denoised"
    assert "history" not in given.meta
    stokes = {"wcsaxes": 3, "ctype3": "STOKES", "crval3": 1}
    with pytest.raises(package.InputError, match="holds Stokes I only"):
        denoised(sunpy_map.Map(IMAGE, given.meta | stokes))
    np.testing.assert_array_equal(denoised(sunpy_map.Map(IMAGE, given.meta | stokes | {"crval3": 2})).data, made.data)


@pytest.mark.filterwarnings("ignore")
def test_ndcubes_also_when_sliced():
    ndcube = pytest.importorskip("ndcube")
    cube = RNG.normal(0, 1, (24, 30, 6, 4)).astype(np.float32)  # x, y, wavelength, Stokes
    wcs = WCS(
        {
            "CTYPE1": "STOKES",
            "CTYPE2": "WAVE",
            "CUNIT2": "nm",
            "CTYPE3": "HPLT-TAN",
            "CTYPE4": "HPLN-TAN",
            "CRPIX1": 1,
            "CRVAL1": 1,
        }
    )
    given = ndcube.NDCube(cube, wcs)
    made = denoised(given)
    assert type(made) is ndcube.NDCube
    np.testing.assert_array_equal(made.data[..., 0], cube[..., 0])
    np.testing.assert_array_equal(made.data[:, :, 2, 3].T, denoised(cube[:, :, 2, 3].T))
    sliced = given[:, :, 2]
    np.testing.assert_array_equal(denoised(sliced).data, made.data[:, :, 2])


AXES = ("HPLN-TAN", "HPLT-TAN", "WAVE", "STOKES")


def sliced(kind, place):
    """Return one Stokes parameter of a cube (Stokes, wavelength, y, x), as each kind of object gives it."""
    cube = RNG.normal(0, 1, (4, 2, 24, 30)).astype(np.float32)
    wcs, turned = (
        WCS({f"CTYPE{number}": axis for number, axis in enumerate(axes, 1)} | {f"CRVAL{last}": 1, f"CRPIX{last}": 1})
        for axes, last in ((AXES, 4), (AXES[::-1], 1))
    )
    if kind == "NDDataRef":
        return NDDataRef(cube, wcs=wcs)[place]
    ndcube = pytest.importorskip("ndcube")
    given = ndcube.NDCube(cube, wcs)
    return {
        "NDCube": lambda: given[place],
        "one wavelength": lambda: given[place, 1, 2:22, 4:28],
        "sliced twice": lambda: given[:, 1][place],
        "rebinned": lambda: given[place].rebin((2, 1, 1)),
        "Stokes last": lambda: ndcube.NDCube(cube.T.copy(), turned)[..., place],
    }[kind]()


@pytest.mark.parametrize("kind", ["NDDataRef", "NDCube", "one wavelength", "sliced twice", "rebinned", "Stokes last"])
@pytest.mark.filterwarnings("ignore")
def test_a_slice_of_stokes_i_is_refused_as_the_same_image_in_fits(kind):
    with pytest.raises(package.InputError, match="the data holds Stokes I only, and QUV are to be denoised"):
        denoised(sliced(kind, 0))
    assert not np.array_equal(denoised(given := sliced(kind, 3)).data, given.data)


@pytest.mark.parametrize("types", [None, ("custom:pos.helioprojective.lon", "custom:pos.helioprojective.lat")])
@pytest.mark.filterwarnings("ignore")
def test_axes_of_a_gwcs(types):
    gwcs, frames = pytest.importorskip("gwcs"), pytest.importorskip("gwcs.coordinate_frames")
    from astropy.modeling.models import Identity, Shift
    from sunpy.coordinates import Helioprojective

    sky = frames.CelestialFrame(
        reference_frame=Helioprojective(), axes_order=(0, 1), axes_names=("lon", "lat"), axis_physical_types=types
    )
    pixels = frames.CoordinateFrame(3, ["PIXEL"] * 3, (0, 1, 2), unit=["pix"] * 3, name="pixels")
    sky = frames.CompositeFrame([sky, frames.StokesFrame(axes_order=(2,))])
    cube = RNG.normal(0, 1, (4, 24, 30)).astype(np.float32)  # Stokes, y, x
    made = denoised(NDData(cube, wcs=gwcs.WCS([(pixels, Identity(2) & Shift(1)), (sky, None)]))).data
    np.testing.assert_array_equal(made[0], cube[0])
    np.testing.assert_array_equal(made[1:], denoised(cube[1:]))


def test_plain_arrays_are_arrays():
    assert type(denoised(IMAGE)) is np.ndarray
