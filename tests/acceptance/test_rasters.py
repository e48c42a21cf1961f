"""Rasters: slit and step axes anywhere in a cube, and sets of files of which each holds one step."""

import itertools
import shutil

import numpy as np
import pytest
from astropy.io import fits

import solardn as package

STOKES, STEPS, WAVELENGTHS, SLIT = 4, 20, 3, 24


def cube():
    """Return a raster (Stokes, step, wavelength, slit): a noise level of its own for each Stokes parameter and wavelength."""
    rng = np.random.default_rng(3)
    data = rng.normal(0, 1, (STOKES, STEPS, WAVELENGTHS, SLIT))
    data *= 0.01 * (1 + np.arange(STOKES))[:, None, None, None] * (1 + np.arange(WAVELENGTHS))[:, None]
    data[0] += 1
    return data.astype(np.float32)


def dkist(stokes, step):
    """Return the keywords of one frame of DKIST/ViSP: wavelength along the slit, one step, one Stokes parameter."""
    own = {
        "CTYPE1": "HPLT-TAN",
        "CTYPE2": "AWAV",
        "CTYPE3": "HPLN-TAN",
        "CUNIT1": "arcsec",
        "CUNIT2": "nm",
        "CUNIT3": "arcsec",
    }
    types = ("SPATIAL", "spatial along slit", SLIT), ("SPECTRAL", "dispersion axis", WAVELENGTHS), ("SPATIAL", "raster scan step number", STEPS), ("STOKES", "polarization state", STOKES)  # fmt: skip
    for n, (kind, name, length) in enumerate(types, 1):
        own |= {f"DTYPE{n}": kind, f"DPNAME{n}": name, f"DNAXIS{n}": length}
    return own | {"DNAXIS": 4, "DAAXES": 2, "DEAXES": 2, "DINDEX3": step + 1, "DINDEX4": stokes + 1, "DSETID": "ABCDE", "CRPIX3": -step, "BUNIT": "count"}  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Return a folder of compressed frames, each one slit position of one Stokes parameter, named by chance, and other files beside."""
    folder = tmp_path_factory.mktemp("visp")
    data = cube()
    order = np.random.default_rng(0).permutation(STOKES * STEPS)
    for name, (stokes, step) in zip(order, itertools.product(range(STOKES), range(STEPS)), strict=True):
        image = fits.CompImageHDU(data[stokes, step][np.newaxis], fits.Header(dkist(stokes, step)), name="observation", quantize_level=0, compression_type="GZIP_2")  # fmt: skip
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / f"{name:03}.fits")
    (folder / "movie.mp4").write_bytes(b"\0" * 100)
    (folder / "quality.pdf").write_text("%PDF")
    return folder


@pytest.fixture
def visp(template, tmp_path):
    """Return a copy of that folder."""
    return shutil.copytree(template, tmp_path / "visp")


def written(folder, visp):
    """Return the outputs of a folder of frames as one cube."""
    result = np.empty((STOKES, STEPS, WAVELENGTHS, SLIT), np.float32)
    for path in visp.glob("*.fits"):
        header = fits.getheader(path, 1)
        result[header["DINDEX4"] - 1, header["DINDEX3"] - 1] = fits.getdata(folder / path.name, 1)[0]
    return result


def expected(tmp_path):
    """Return the same raster denoised as one cube."""
    np.save(tmp_path / "whole.npy", cube())
    package.denoise_file(
        tmp_path / "whole.npy", tmp_path / "one.npy", model="smooth", axes="stokes=0,x=1,wavelength=2,y=3"
    )
    return np.load(tmp_path / "one.npy")


def test_frames_of_one_step_are_put_together_denoised_and_written_back_frame_by_frame(solardn, visp, tmp_path):
    figures = solardn.json("denoise", visp, "--output-dir", tmp_path / "out", "--model", "smooth", "--residual")
    (raster,) = figures["files"]
    assert (raster["maps"], raster["denoised"], raster["map_shape"]) == (12, 9, [SLIT, STEPS])
    assert " ".join(axis["role"] for axis in raster["axes"]) == "stokes x other wavelength y"
    assert len(raster["levels"]) == 9
    assert "4 polarization state × 20 raster scan step number" in raster["input"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in visp.glob("*.fits")
    )
    np.testing.assert_array_equal(written(tmp_path / "out", visp), expected(tmp_path))
    given = next(path for path in visp.glob("*.fits") if fits.getheader(path, 1)["DINDEX4"] == 3)
    with fits.open(tmp_path / "out" / given.name, checksum=True) as made:
        assert [hdu.name for hdu in made] == ["PRIMARY", "OBSERVATION", "RESIDUAL", "SOLARDN"]
        header, table = made[1].header, made["SOLARDN"].data
        np.testing.assert_allclose(made[1].data + made["RESIDUAL"].data, fits.getdata(given, 1), rtol=0, atol=1e-6)
    assert header["PARENTXT"] == given.name
    assert header["DINDEX3"] == fits.getheader(given, 1)["DINDEX3"]
    assert "put together from 80 files" in " ".join(header["HISTORY"])
    assert set(table["STOKES"]) == {"U"}  # the maps that cross this frame, one for each wavelength
    assert list(table["I_WAVELENGTH3"]) == [0, 1, 2]


def test_a_raster_of_results_is_told(solardn, visp, tmp_path):
    solardn.good("denoise", visp, "--output-dir", tmp_path / "out", "--model", "smooth")
    (raster,) = solardn.json("info", tmp_path / "out", "--model", "smooth")["files"]
    assert "is a result of solardn already (step" in raster["warnings"][0]


def test_the_plan_of_a_folder_shows_what_was_understood(solardn, visp):
    said = solardn.good("info", visp, "--model", "smooth")
    assert "80 files" not in said
    assert (
        "79 more (put together as 4 polarization state × 20 raster scan step number, as DINDEXn says)"
        in said.replace("\n", " ")
    )
    assert "24 × 20 pixels" in said
    assert solardn.good("denoise", visp, "--output-dir", visp / "out", "--dry-run", "--model", "smooth").startswith(
        said[:60]
    )
    assert not (visp / "out").exists()


def test_part_of_a_dataset_is_a_raster_too(solardn, visp, tmp_path):
    for path in visp.glob("*.fits"):
        if fits.getheader(path, 1)["DINDEX4"] != 2 or fits.getheader(path, 1)["DINDEX3"] > 17:
            path.unlink()
    (raster,) = solardn.json("denoise", visp, "--output-dir", tmp_path / "out", "--model", "smooth")["files"]
    assert (raster["stokes"], raster["maps"], raster["map_shape"]) == ("Q", 3, [SLIT, 17])


@pytest.mark.parametrize(
    ("lost", "words"),
    [({"DINDEX3": 5}, "lacks step 5 of 1 to 20"), ({"DINDEX3": 5, "DINDEX4": 2}, "lacks 1 of 80 files")],
)
def test_a_raster_with_holes_is_refused(solardn, visp, tmp_path, lost, words):
    for path in visp.glob("*.fits"):
        if all(fits.getheader(path, 1)[key] == value for key, value in lost.items()):
            path.unlink()
    result = solardn("denoise", visp, "--output-dir", tmp_path / "out", "--model", "smooth")
    assert result.exit_code == 1
    assert words in result.stderr
    assert not list((tmp_path / "out").glob("*"))


def test_two_files_of_one_place_are_refused(solardn, visp, tmp_path):
    first = min(visp.glob("*.fits"))
    (visp / "again.fits").write_bytes(first.read_bytes())
    result = solardn("denoise", visp, "--output-dir", tmp_path / "out", "--model", "smooth")
    assert result.exit_code == 1
    assert "have the same place in their dataset" in result.stderr


def test_a_raster_that_was_killed_goes_on_and_gives_the_same_bytes(visp, tmp_path):
    class StopError(Exception):
        pass

    def stop(done, total, pixels):
        if done == 7:
            raise StopError

    package.denoise_files([visp], tmp_path / "whole", model="smooth", threads=1, memory="1MB")
    options = {"model": "smooth", "threads": 1, "memory": "1MB", "resume": True}
    with pytest.raises(StopError):
        package.denoise_files([visp], tmp_path / "out", watch=lambda *_: stop, **options)
    assert not list((tmp_path / "out").glob("*.fits"))
    outcome = package.denoise_files([visp], tmp_path / "out", **options)
    assert (outcome.files, len(outcome.done)) == (80, 1)
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert len(list((tmp_path / "out").glob("*.fits"))) == 80


def test_a_failed_raster_leaves_nothing(visp, tmp_path):
    def stop(done, total, pixels):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        package.denoise_files([visp], tmp_path / "out", model="smooth", watch=lambda *_: stop)
    assert not list((tmp_path / "out").iterdir())


@pytest.fixture
def steps(tmp_path):
    """Return a folder with two scans of 18 steps, known by time and coordinate only, without Stokes parameters."""
    folder = tmp_path / "steps"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for scan, step in itertools.product(range(2), range(18)):
        header = fits.Header({"CTYPE1": "WAVE", "CTYPE2": "HPLT-TAN", "CTYPE3": "HPLN-TAN", "CRPIX3": 1.0, "CRVAL3": 0.3 * step, "CDELT3": 0.3})  # fmt: skip
        header["DATE-OBS"] = f"2020-01-01T00:{scan:02}:{step:02}"
        fits.PrimaryHDU(rng.normal(0, 1, (1, 30, 5)).astype(np.float32), header).writeto(folder / f"{7 * (step + 18 * scan) % 37:02}.fits")  # fmt: skip
    return folder


def test_steps_without_numbers_are_ordered_by_time_and_split_where_the_slit_goes_back(solardn, steps, tmp_path):
    rasters = solardn.json("denoise", steps, "--output-dir", tmp_path / "out", "--model", "smooth")["files"]
    assert [raster["shape"] for raster in rasters] == [[18, 1, 30, 5]] * 2
    assert [raster["map_shape"] for raster in rasters] == [[30, 18]] * 2
    assert "by the coordinate across the slit" in rasters[0]["input"]
    first = sorted((path for path in steps.iterdir() if fits.getheader(path)["DATE-OBS"] < "2020-01-01T00:01"), key=lambda path: fits.getheader(path)["CRVAL3"])  # fmt: skip
    together = np.stack([fits.getdata(path)[0] for path in first])
    np.save(tmp_path / "whole.npy", together)
    package.denoise_file(tmp_path / "whole.npy", tmp_path / "one.npy", model="smooth", axes="x=0,y=1,wavelength=2")
    made = np.stack([fits.getdata(tmp_path / "out" / path.name)[0] for path in first])
    np.testing.assert_array_equal(made, np.load(tmp_path / "one.npy"))


@pytest.mark.parametrize("date", ["2020-01-01", ""])
def test_steps_whose_dates_are_the_same_are_ordered_by_the_numbers_of_their_names(solardn, steps, date):
    for path in [*steps.iterdir()]:
        with fits.open(path, "update") as hdus:
            header = hdus[0].header
            scan, step = int(header["DATE-OBS"][14:16]), round(header["CRVAL3"] / 0.3)
            header["DATE-OBS"] = date and f"{date[:-1]}{scan + 1}"
        path.rename(steps / f"scan{scan}step{step}.fits") if date or scan == 0 else path.unlink()
    rasters = solardn.json("info", steps, "--model", "smooth")["files"]
    assert [raster["shape"] for raster in rasters] == [[18, 1, 30, 5]] * (2 if date else 1)
    assert "missing" not in rasters[0]["input"]


@pytest.mark.parametrize(("date", "why"), [("2020-01-01", "both have the date 2020-01-01"), ("", "they have no date")])
def test_steps_of_which_nothing_tells_the_order_are_refused(solardn, steps, tmp_path, date, why):
    for path in steps.iterdir():
        fits.setval(path, "DATE-OBS", value=date)
    result = solardn("denoise", steps, "--output-dir", tmp_path / "out", "--model", "smooth")
    assert result.exit_code == 1
    assert f"{why}, so that the order of the steps is not known; give the files of one scan" in result.stderr
    assert not list((tmp_path / "out").glob("*"))


def test_a_step_that_seems_to_be_missing_is_told(solardn, steps, tmp_path):
    next(path for path in steps.iterdir() if fits.getheader(path)["DATE-OBS"] == "2020-01-01T00:00:07").unlink()
    torn, whole = solardn.json("info", steps, "--model", "smooth", "--scale", 1)["files"]
    before = f"{7 * 6 % 37:02}.fits"
    gap = f"with a step of 2 times the usual one behind {before}: see that no frame is missing"
    assert gap in torn["input"]
    assert "missing" not in whole["input"]
    words = ("--output-dir", tmp_path / "out", "--model", "smooth", "--scale", 1)
    told = solardn.good("denoise", steps, *words).splitlines()
    assert [gap in line for line in told] == [True, False, False]  # of two rasters, and how many files it were


def test_slit_files_of_hinode_are_steps_of_a_map_by_their_index(solardn, tmp_path):
    own = {"CTYPE1": "Wavelength", "CUNIT1": "Angstrom", "CTYPE2": "Solar-Y", "CUNIT2": "arcsec", "CTYPE3": "Stokes component", "XCEN": 7.0}  # fmt: skip
    data = (1000 * cube()).astype(np.int16)
    (tmp_path / "sp").mkdir()
    for step in range(STEPS):
        header = fits.Header(own | {"SLITINDX": step, "DATE_OBS": f"2013-09-12T00:00:{step:02}.816"})
        frame = data[:, step].transpose(0, 2, 1)  # (Stokes, slit, wavelength)
        fits.PrimaryHDU(frame, header).writeto(tmp_path / "sp" / f"SP3D20130912_0000{step:02}.0C.fits")
    (raster,) = solardn.json("info", tmp_path / "sp", "--model", "smooth")["files"]
    assert [axis["role"] for axis in raster["axes"]] == ["x", "stokes", "y", "wavelength"]
    assert raster["map_shape"] == [SLIT, STEPS]
    assert (raster["stokes"], raster["denoised"]) == ("QUV", 3 * WAVELENGTHS)
    (tmp_path / "sp" / "SP3D20130912_000007.0C.fits").unlink()
    torn = solardn("info", tmp_path / "sp", "--model", "smooth")
    assert (torn.exit_code, torn.stdout) == (1, "")
    assert "lacks step 7 of 0 to 19" in torn.stderr


def test_the_user_can_keep_frames_apart(solardn, steps, tmp_path):
    words = ["--axes", "y=1,x=2", "--scale", 1, "--model", "smooth"]
    assert len(solardn.json("denoise", steps, "--output-dir", tmp_path / "out", *words)["files"]) == 36


def test_frames_that_stay_where_they_are_make_no_raster(solardn, steps, tmp_path):
    for path in steps.iterdir():
        fits.setval(path, "CRVAL3", value=0.0)
    result = solardn("denoise", steps, "--output-dir", tmp_path / "out", "--model", "smooth")
    assert result.exit_code == 1
    assert "along one axis only" in result.stderr
    assert "--axes y=1,x=2" in result.stderr


def test_a_single_step_is_refused_with_both_ways_out(solardn, visp, tmp_path):
    said = solardn.bad("denoise", min(visp.glob("*.fits")), tmp_path / "out.fits", "--model", "smooth")
    assert "--output-dir" in said
    assert "--axes" in said


def test_a_folder_of_maps_is_denoised_file_by_file(solardn, tmp_path):
    """VBI of DKIST: every file is one map of a series, and no step of a raster."""
    folder = tmp_path / "vbi"
    folder.mkdir()
    maps = np.random.default_rng(0).normal(0, 1, (3, 32, 40)).astype(np.float32)
    for number, plane in enumerate(maps, 1):
        header = fits.Header(
            {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "DNAXIS": 3, "DAAXES": 2, "DEAXES": 1, "DINDEX3": number}
        )
        header.update({f"DNAXIS{n}": length for n, length in enumerate((40, 32, 3), 1)})
        header.update({"DTYPE1": "SPATIAL", "DTYPE2": "SPATIAL", "DTYPE3": "TEMPORAL"})
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(plane, header)]).writeto(folder / f"{number}.fits")
    files = solardn.json("denoise", folder, "--output-dir", tmp_path / "out", "--model", "smooth")["files"]
    assert [(one["maps"], one["map_shape"]) for one in files] == [(1, [32, 40])] * 3
    single = tmp_path / "single.fits"
    solardn.good("denoise", folder / "2.fits", single, "--model", "smooth")
    assert single.read_bytes() == (tmp_path / "out" / "2.fits").read_bytes()


def test_a_folder_without_files_of_ours_is_refused(solardn, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing")
    assert "holds no file of a known format" in solardn.bad(
        "denoise", tmp_path / "empty", "--output-dir", tmp_path / "o", "--model", "smooth"
    )
    assert "--output-dir" in solardn.bad("denoise", tmp_path / "empty", tmp_path / "o.fits", "--model", "smooth")


@pytest.mark.parametrize("order", ["yxw", "xyw", "ywx", "xwy", "wyx", "wxy"])
def test_the_slit_and_the_steps_may_stand_anywhere(solardn, tmp_path, order):
    data = np.random.default_rng(0).normal(0, 1, (20, 24, 5)).astype(np.float32)  # y x w
    kinds = {"y": "HPLT-TAN", "x": "HPLN-TAN", "w": "WAVE"}
    header = fits.Header({f"CTYPE{n}": kinds[letter] for n, letter in enumerate(reversed(order), 1)})
    turned = data.transpose(["yxw".index(letter) for letter in order])
    fits.PrimaryHDU(np.ascontiguousarray(turned), header).writeto(tmp_path / "in.fits")
    solardn.good("denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth", "--scale", 1)
    made = fits.getdata(tmp_path / "out.fits").transpose([order.index(letter) for letter in "yxw"])
    whole = np.stack([package.denoise(data[..., k], model="smooth", scale=1.0) for k in range(5)], -1)
    np.testing.assert_array_equal(made, whole)


def test_the_part_of_each_step_may_be_named(visp, tmp_path):
    with fits.open(next(visp.glob("*.fits"))) as hdus:
        number = next(number for number, hdu in enumerate(hdus) if hdu.header["NAXIS"] >= 2)
    whole = package.denoise_files([visp], tmp_path / "whole", model="smooth")
    named = package.denoise_files([f"{visp}/*.fits::{number}"], tmp_path / "named", model="smooth")
    assert (len(whole.done), len(named.done), named.failed) == (1, 1, ())
    for path in (tmp_path / "whole").glob("*.fits"):
        np.testing.assert_array_equal(fits.getdata(path), fits.getdata(tmp_path / "named" / path.name))
