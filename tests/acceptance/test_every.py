"""All images of one FITS file: --ext all."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

import solardn as package
from solardn.io import fitsfile
from solardn.provenance import parameters as step_parameters


@pytest.fixture
def windows(tmp_path):
    """Return a file of a cube, a raster, a slit spectrum, a mask and a table, with noise of its own each."""
    rng = np.random.default_rng(0)
    cube = rng.normal(0, 0.1, (4, 40, 52)).astype(np.float32)
    raster = np.round(rng.normal(0, 300, (40, 3, 44))).astype(np.int16)  # x, wavelength, y
    stokes = {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "STOKES", "CRVAL3": 1, "CRPIX3": 1, "CDELT3": 1}
    mask = np.zeros((40, 52), np.uint8)
    mask[3:6, 3:6] = 1
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(cube, fits.Header(stokes), name="CUBE"),
        fits.ImageHDU(raster, fits.Header({"CTYPE1": "HPLT", "CTYPE2": "WAVE", "CTYPE3": "HPLN"}), name="RASTER"),
        fits.ImageHDU(cube[0], fits.Header({"CTYPE1": "WAVE", "CTYPE2": "HPLT-TAN"}), name="SLIT"),
        fits.ImageHDU(mask, name="DQ"),
        fits.BinTableHDU.from_columns([fits.Column("A", "D", array=np.arange(3.0))], name="T"),
    ]
    fits.HDUList(hdus).writeto(tmp_path / "in.fits")
    return tmp_path / "in.fits"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_image_has_its_own_axes_and_noise_and_what_holds_no_maps_stays(solardn, windows, tmp_path):
    figures = solardn.json("denoise", windows, tmp_path / "out.fits", "--model", "smooth", "--ext", "all", "--residual")
    shown = [figures, *figures["others"]]
    assert [one["map_shape"] for one in shown] == [[40, 52], [44, 40]]
    assert shown[0]["noise_sigma"] == pytest.approx(0.1, rel=0.1)
    assert shown[1]["noise_sigma"] == pytest.approx(300, rel=0.1)
    assert len(figures["left"]) == 2
    assert "SLIT" in figures["left"][0]
    assert "DQ" in figures["left"][1]
    with fits.open(windows) as before, fits.open(tmp_path / "out.fits", checksum=True) as after:
        after.verify("exception")
        assert [(hdu.name, hdu.ver) for hdu in after][6:] == [
            ("RESIDUAL", 1), ("RESIDUAL", 2), ("SOLARDN", 1), ("SOLARDN", 2)
        ]  # fmt: skip
        np.testing.assert_array_equal(after["CUBE"].data[0], before["CUBE"].data[0])
        for name, number in (("CUBE", 1), ("RASTER", 2)):
            assert after[name].data.dtype == ">f4"
            difference = before[name].data.astype(np.float32) - after[name].data
            np.testing.assert_array_equal(after["RESIDUAL", number].data, difference)
            step = step_parameters(after[name].header, 1)
            assert step["noise_sigma"] == pytest.approx(shown[number - 1]["noise_sigma"])
            assert after[name].header["PARENTXT"] == "in.fits"
            assert "denoised in this file: 1, 2; left as they are: 3, 4" in " ".join(after[name].header["HISTORY"])
        for name in ("SLIT", "DQ"):
            np.testing.assert_array_equal(after[name].data, before[name].data)
            assert after[name].data.dtype == before[name].data.dtype
        assert after["T"].data["A"].tolist() == [0, 1, 2]
    assert names(tmp_path) == ["in.fits", "out.fits"]
    for number, ext in enumerate(("CUBE", "RASTER")):
        solardn.good("denoise", windows, tmp_path / f"{ext}.fits", "--model", "smooth", "--ext", ext)
        np.testing.assert_array_equal(
            fits.getdata(tmp_path / f"{ext}.fits", ext), fits.getdata(tmp_path / "out.fits", 1 + number)
        )


def test_info_shows_every_image(solardn, windows, tmp_path):
    said = solardn.good("info", windows, "--model", "smooth", "--ext", "all")
    assert "in.fits[CUBE]" in said
    assert "in.fits[RASTER]" in said
    assert said.count("left as it is") == 2
    again = solardn.good("denoise", windows, tmp_path / "out.fits", "--model", "smooth", "--ext", "all", "--dry-run")
    assert again.count("left as it is") == 2
    assert names(tmp_path) == ["in.fits"]


def test_a_mask_is_not_denoised_and_they_are_compressed(solardn, windows, tmp_path):
    words = ["--model", "same", "--scale", 1, "--ext", "all", "--compress", "gzip"]
    solardn.good("denoise", windows, tmp_path / "out.fits", *words, "--axes", "y=1,x=0", "--mask-ext", "DQ")
    with fits.open(windows) as before, fits.open(tmp_path / "out.fits", checksum=True) as after:
        for number in range(1, 5):
            np.testing.assert_array_equal(after[number].data, before[number].data)
        assert not isinstance(after["DQ"], fits.CompImageHDU)


def test_a_noise_map_may_be_a_part_of_another_file_and_a_mask_is_none(solardn, windows, tmp_path, monkeypatch):
    beside = fits.ImageHDU(np.full((40, 52), 0.1, np.float32), name="SIG")
    fits.HDUList([fits.PrimaryHDU(), beside]).writeto(tmp_path / "sigma.fits")
    words = ["--model", "smooth", "--ext", "all", "--mask-ext", "DQ", "--noise-map", f"{tmp_path / 'sigma.fits'}::SIG"]
    (tmp_path / "DQ").mkdir()
    monkeypatch.chdir(tmp_path)  # where a folder is called like the mask
    for line in (("info", windows), ("denoise", windows, tmp_path / "out.fits")):
        figures = solardn.json(*line, *words)
        (shown,) = figures["files"] if line[0] == "info" else [figures]
        assert shown["map_shape"] == [40, 52]
        assert shown["noise_sigma"] == pytest.approx(0.1)
        assert len(figures["left"]) == 2  # the raster and the slit, which the noise map does not fit
    with pytest.raises(package.OptionError, match="the noise map is of type ndarray; give 'auto', 'off', a file"):
        package.denoise_file(windows, tmp_path / "out2.fits", model="smooth", ext="all", noise_map=np.ones((40, 52)))


class StopError(Exception):
    pass


def test_it_goes_on_where_it_was_stopped(windows, tmp_path):
    options = {"model": "smooth", "ext": "all", "residual": True}
    package.denoise_file(windows, tmp_path / "whole.fits", **options)
    for count in (2, 6):
        seen = []

        def stop(done, *_, seen=seen, count=count):
            seen.append(done)
            if len(seen) == count:
                raise StopError

        with pytest.raises(StopError):
            package.denoise_file(windows, tmp_path / "out.fits", resume=True, progress=stop, **options)
        assert not (tmp_path / "out.fits").exists()
    package.denoise_file(windows, tmp_path / "out.fits", resume=True, **options)
    assert (tmp_path / "out.fits").read_bytes() == (tmp_path / "whole.fits").read_bytes()
    assert names(tmp_path) == ["in.fits", "out.fits", "whole.fits"]


def test_a_compressed_file_is_unpacked_once(solardn, windows, tmp_path, monkeypatch):
    packed = tmp_path / "in.fits.gz"
    packed.write_bytes(gzip.compress(windows.read_bytes()))
    true, calls = fitsfile._unpack, []
    monkeypatch.setattr(fitsfile, "_unpack", lambda *words: calls.append(words) or true(*words))
    words = ["--model", "smooth", "--ext", "all", "--mask-ext", "DQ"]
    for number, line in enumerate((("info", packed), ("denoise", packed, tmp_path / "a.fits")), 1):
        said = solardn.json(*line, *words)
        assert len(calls) == number
    assert said["input"] == f"{packed}[CUBE]"
    solardn.good("denoise", windows, tmp_path / "b.fits", *words)
    with fits.open(tmp_path / "a.fits") as one, fits.open(tmp_path / "b.fits") as other:
        assert one["CUBE"].header["PARENTXT"] == "in.fits.gz"
        np.testing.assert_array_equal(one["CUBE"].data, other["CUBE"].data)


@pytest.mark.parametrize("command", ["denoise", "uncertainty"])
@pytest.mark.parametrize("words", [("--quicklook", "a.png"), ("--profile",)])
def test_what_is_of_one_image_is_refused_before_the_work(solardn, windows, tmp_path, command, words):
    result = solardn(command, windows, tmp_path / "out.fits", "--ext", "all", *words)
    assert result.exit_code == 2
    assert f"{words[0]} " in result.stderr
    assert "one image in it; leave it out with --ext all" in " ".join(result.stderr.split())
    assert names(tmp_path) == ["in.fits"]


def test_nothing_is_left_beside_an_output_whose_name_reads_as_a_pattern(windows, tmp_path):
    package.denoise_file(windows, tmp_path / "out[1].fits", model="smooth", ext="all", residual=True)
    assert names(tmp_path) == ["in.fits", "out[1].fits"]


def test_a_second_run_takes_nothing_of_the_first_away(windows, tmp_path):
    words = {"model": "smooth", "ext": "all", "residual": True}
    calls = []

    def second(*_):
        calls.append(names(tmp_path))
        if len(calls) == 6:  # amid the second image
            with pytest.raises(package.OutputError, match="another run is writing"):
                package.denoise_file(windows, tmp_path / "out.fits", **words)
            raise StopError

    with pytest.raises(StopError):
        package.denoise_file(windows, tmp_path / "out.fits", progress=second, resume=True, **words)
    assert names(tmp_path) == calls[-1]
    assert len(calls[-1]) == 1 + 2 * 3  # the input; two results, two residuals and two journals
    package.denoise_file(windows, tmp_path / "out.fits", resume=True, **words)
    assert names(tmp_path) == ["in.fits", "out.fits"]


def test_a_file_without_maps_is_refused_and_nothing_stays(solardn, tmp_path):
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((30, 30)))]).writeto(tmp_path / "in.fits")
    np.save(tmp_path / "in.npy", np.ones((30, 30)))
    for name, words in (("in.fits", "no image that can be denoised"), ("in.npy", "is no FITS file")):
        out = tmp_path / f"out.{name[3:]}"
        line = ("denoise", tmp_path / name, out, "--model", "smooth", "--ext", "all")
        said = solardn.bad(*line)
        assert words in said
        assert said == solardn.bad(*line, "--dry-run", "--json")
    assert names(tmp_path) == ["in.fits", "in.npy"]


def test_images_of_one_name_are_told_by_their_version(solardn, tmp_path):
    rng = np.random.default_rng(0)
    images = [fits.ImageHDU(rng.normal(0, n, (64, 64)).astype(np.float32), name="SCI", ver=n) for n in (1, 2)]
    beside = fits.ImageHDU(np.zeros((64, 64), np.int16), name="DQ", ver=1)
    fits.HDUList([fits.PrimaryHDU(), images[0], beside, images[1]]).writeto(tmp_path / "in.fits")
    said = solardn.bad("denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth", "--ext", "sci")
    assert (
        "2 images called sci, the extensions 1 and 3; say which by its number, or with its EXTVER, such as SCI,1"
        in said
    )
    figures = solardn.json(
        "denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth", "--ext", "SCI,2"
    )
    assert figures["input"].endswith("in.fits[SCI,2]")
    assert figures["noise_sigma"] == pytest.approx(2, rel=0.1)
    with fits.open(tmp_path / "out.fits") as made:
        assert (made[3].data != images[1].data).all()
        np.testing.assert_array_equal(made[1].data, images[0].data)
    solardn.good("denoise", f"{tmp_path / 'in.fits'}::SCI,1", tmp_path / "first.fits", "--model", "smooth")
    assert "no extension SCI,3; its images are 1 (SCI,1), 2 (DQ), 3 (SCI,2)" in solardn.bad(
        "info", tmp_path / "in.fits", "--ext", "SCI,3"
    )
