"""Every real observation in ../shared/solar: what is understood of it, or why it is refused."""

import numpy as np
import pytest
from astropy.io import fits

from solardn.provenance import next_number, parameters

SPICE = "solo_L2_spice-n-exp_20240101T213346_V02.fits"
HMI = "hmi.sharp_cea_720s.377.20110215_020000_TAI"

MAPS = {
    # file: (height and width of the maps, number of maps, roles of the axes)
    "enhance_samples_blos.fits": ((200, 200), 1, "y x"),
    "enhance_samples_hmi.fits": ((200, 200), 1, "y x"),
    f"{HMI}.Br.fits": ((377, 744), 1, "y x"),
    f"{HMI}.Br_err.fits": ((377, 744), 1, "y x"),
    f"{HMI}.magnetogram.fits": ((377, 744), 1, "y x"),
    "irispy_SJI_1400.fits": ((109, 110), 54, "time y x"),
    "solarunet_frame_1.fits": ((720, 720), 1, "y x"),
    "solarunet_frame_2.fits": ((720, 720), 1, "y x"),
    "solarunet_frame_3.fits": ((720, 720), 1, "y x"),
    "sunkit_aia_171_cutout_rice.fits": ((705, 769), 1, "y x"),
    "sunpy_heliographic_phase_map.fits.gz": ((181, 361), 1, "y x"),
    "sunpy_resampled_hmi.fits": ((100, 100), 1, "y x"),
    "truth_niris_me6173.npy": ((512, 512), 6, "other other y x"),
}

REFUSED = {
    "dkist_nso_dkist.fits": "--axes y=1,x=2",  # one step of a raster: wavelength along the slit
    SPICE: "--axes y=1,x=2",
    "globin_hinode4d.20130912.sample.fits": "4 × 112 pixels",
    "irispy_raster_r00000.fits": "too small to find its noise",  # 8 steps of a raster
    "irsol_5886_m14.dat": "scipy.io.readsav",
    "sunraster_spice_ras_db_headeronly.fits": "no image data",
}

NAMED = {
    # what is refused as it is, and what makes it run
    "dkist_nso_dkist.fits": ["--axes", "y=1,x=2"],
    SPICE: ["--axes", "y=1,x=2", "--scale", "1"],
    "irispy_raster_r00000.fits": ["--scale", "1"],
}


def test_every_file_is_spoken_of(shared):
    assert {path.name for path in (shared / "solar").iterdir()} == {*MAPS, *REFUSED}


@pytest.mark.filterwarnings("ignore:Invalid 'BLANK' keyword")  # of one of the inputs, when the test reads it
@pytest.mark.parametrize("name", MAPS)
def test_files_with_maps_are_denoised(solardn, shared, tmp_path, name):
    given, made = shared / "solar" / name, tmp_path / name
    figures = solardn.json("denoise", given, made, "--model", "smooth")
    map_shape, maps, roles = MAPS[name]
    assert (tuple(figures["map_shape"]), figures["maps"]) == (map_shape, maps)
    assert " ".join(axis["role"] for axis in figures["axes"]) == roles
    assert figures["noise_sigma"] > 0
    if name.endswith(".npy"):
        assert np.load(made).shape == np.load(given).shape
        return
    with fits.open(given) as before, fits.open(made, checksum=True) as after:
        number = next(n for n, hdu in enumerate(before) if hdu.data is not None)
        one, other = before[number].data, after[number].data
        assert other.dtype == ">f4"
        np.testing.assert_array_equal(np.isfinite(one), np.isfinite(other))
        good = np.isfinite(one)
        assert 0 < np.abs(other[good] - one[good]).mean() < np.abs(one[good]).std()
        assert [type(hdu).__name__ for hdu in before][number + 1 :] == [
            type(hdu).__name__ for hdu in after if hdu.name != "SOLARDN"
        ][number + 1 :]
        header = after[number].header
        assert parameters(header, next_number(header) - 1)["network"] == "smooth"


@pytest.mark.parametrize("name", REFUSED)
def test_files_without_maps_are_refused_with_the_way_out(solardn, shared, tmp_path, name):
    said = solardn.bad("denoise", shared / "solar" / name, tmp_path / "out.fits", "--model", "blocks")
    assert REFUSED[name] in said
    assert name in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMED)
def test_the_way_out_runs(solardn, shared, tmp_path, name):
    solardn.good("denoise", shared / "solar" / name, tmp_path / name, "--model", "smooth", *NAMED[name])


def test_a_network_that_changes_nothing_gives_the_same_bytes(solardn, shared, tmp_path):
    solardn.good(
        "denoise", shared / "reference" / "example_sst.npy", tmp_path / "o.npy", "--model", "same", "--scale", 1
    )
    assert np.load(tmp_path / "o.npy").tobytes() == np.load(shared / "reference" / "example_sst.npy").tobytes()
