"""What `solardn uncertainty` does from file to file."""

import re

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty

import solardn as package

from .. import networks

QUICK = ("--noise-sigma", "0.02", "--no-inspect")
PARTS = ("mean", "sigma", "aleatoric", "epistemic")


def test_the_output_is_what_python_gives_in_the_units_of_the_data(solardn, crisp, tmp_path):
    solardn.good("uncertainty", crisp, tmp_path / "out.fits", "--model", "masked", "--samples", 5, "--seed", 3, *QUICK)
    data = fits.getdata(crisp)
    found = package.uncertainty(data[:, 1:], 5, 3, noise_sigma=0.02, model="masked")
    with fits.open(tmp_path / "out.fits", checksum=True) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "VAR-EXT", "UNCERT", "ALEATORIC", "EPISTEMIC", "SOLARDN"]
        np.testing.assert_array_equal(hdus[0].data[:, 0], data[:, 0])
        for name, part in zip((0, "UNCERT", "ALEATORIC", "EPISTEMIC"), PARTS, strict=True):
            np.testing.assert_array_equal(hdus[name].data[:, 1:], getattr(found, part))
            assert hdus[name].header["BUNIT"] == "W m-2 nm-1"
        for name in ("UNCERT", "ALEATORIC", "EPISTEMIC"):
            assert np.isnan(hdus[name].data[:, 0]).all()  # of what was copied nothing is known


def test_astropy_and_solarnet_find_the_total(solardn, image, noisy, tmp_path):
    with fits.open(image, "update") as hdus:
        hdus[0].header["BUNIT"] = "G"
    solardn.good("uncertainty", image, tmp_path / "out.fits", "--model", "masked", "--samples", 3, *QUICK)
    found = CCDData.read(tmp_path / "out.fits")
    assert isinstance(found.uncertainty, StdDevUncertainty)
    assert found.unit == units.G
    header = fits.getheader(tmp_path / "out.fits")
    np.testing.assert_array_equal(found.uncertainty.array, fits.getdata(tmp_path / "out.fits", "UNCERT"))
    assert header["SIGMADAT"] == fits.getheader(tmp_path / "out.fits", "UNCERT")["HDUNAME"] == "VALUES:UNCERT"
    assert "SIGMADAT" not in fits.getheader(tmp_path / "out.fits", "EPISTEMIC")


def test_the_header_tells_how_it_was_found(solardn, image, tmp_path):
    solardn.good("uncertainty", image, tmp_path / "out.fits", "--model", "masked", "--samples", 3, "--seed", 8, *QUICK)
    header = fits.getheader(tmp_path / "out.fits")
    assert header["PRPROC1"] == "solardn uncertainty"
    said = " ".join(header["HISTORY"])
    assert "3 samples of element dropout at rate 0.25, seed 8" in said
    parameters = " ".join(header[key] for key in header["PRPARA*"])
    for word in ('"samples": 3', '"seed": 8', '"rate": 0.25', '"calibration": "none"', '"sha256"'):
        assert word in parameters


def test_an_array_gives_an_archive(solardn, noisy, tmp_path):
    np.save(tmp_path / "map.npy", noisy)
    words = ("uncertainty", tmp_path / "map.npy", "--model", "masked", *QUICK)
    solardn.good(*words, tmp_path / "out.npz", "--samples", 4)
    expected = package.uncertainty(noisy, 4, noise_sigma=0.02, model="masked")
    with np.load(tmp_path / "out.npz") as found:
        for part in PARTS:
            np.testing.assert_array_equal(found[part], getattr(expected, part))
    assert "let its name end in .npz" in solardn.bad(*words, tmp_path / "out.npy")
    (figures,) = solardn.json(*words, "--output-dir", tmp_path / "dir", "--dry-run")["files"]
    assert (figures["outputs"], figures["refused"]) == ([str(tmp_path / "dir" / "map.npz")], None)
    figures = solardn.json(*words, tmp_path / "out.npy", "--dry-run")
    assert "let its name end in .npz" in figures["refused"]
    assert figures["outputs"] == [str(tmp_path / "out.npy")]  # all in one file
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.npz"]


def test_no_samples_give_the_aleatoric_part_and_say_so(solardn, image, tmp_path):
    words = ("uncertainty", image, tmp_path / "out.fits", "--model", "masked", "--samples", 0, *QUICK)
    assert "aleatoric part only" in solardn.good(*words)
    with fits.open(tmp_path / "out.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "UNCERT", "ALEATORIC"]
        assert "aleatoric part only" in " ".join(hdus[0].header["HISTORY"])
        np.testing.assert_array_equal(hdus[1].data, hdus[2].data)


def test_flips_are_called_a_stand_in(solardn, image, tmp_path):
    said = solardn.good("uncertainty", image, tmp_path / "out.fits", "--model", "smooth", "--method", "flips", *QUICK)
    assert "stand-in" in said
    with fits.open(tmp_path / "out.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "UNCERT", "EPISTEMIC"]
        assert "stand-in" in " ".join(hdus[0].header["HISTORY"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--samples", "1"), "one sample has no spread; give 2 or more, or 0"),
        (("--samples", "-3"), "samples is -3"),
        (("--seed", "-1"), "whole number from 0 to 4294967295"),
        (("--seed", "4294967296"), "whole number from 0 to 4294967295"),
        (("--method", "guess"), "no method 'guess'; possible are dropout and flips"),
        (("--model", "smooth"), "no variance output; flips .*--method flips.* stand-in"),
    ],
)
def test_nonsense_is_refused_before_anything_is_done(solardn, image, tmp_path, words, sentence):
    model = () if "--model" in words else ("--model", "masked")
    said = solardn.bad("uncertainty", image, tmp_path / "out.fits", *model, *words)
    assert re.search(sentence, said), said
    assert not (tmp_path / "out.fits").exists()


def test_another_uncertainty_in_the_file_is_not_taken_for_that_of_the_result(solardn, image, noisy, tmp_path):
    fits.append(image, noisy, fits.Header({"EXTNAME": "UNCERT"}))
    said = solardn.bad("uncertainty", image, tmp_path / "out.fits", "--model", "masked", *QUICK)
    assert "has an extension UNCERT already" in said


def test_many_files_and_a_look_before(solardn, image, noisy, tmp_path):
    np.save(tmp_path / "other.npy", noisy)
    words = ("uncertainty", image, tmp_path / "other.npy", "--model", "masked", "--samples", 2, *QUICK)
    assert "2 samples of element dropout" in solardn.good(*words, "--output-dir", tmp_path / "out", "--dry-run")
    assert not (tmp_path / "out").exists()
    solardn.good(*words, "--output-dir", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"map.fits", "other.npz"}


def test_a_killed_run_goes_on_to_the_same_bytes(crisp, tmp_path):
    def stop(done, *_):
        if done > 7:
            raise KeyboardInterrupt

    network = networks.masked(tmp_path / "net.onnx", min_size=3)
    settings = {"model": network, "samples": 3, "noise_sigma": 0.02, "device": "cpu", "threads": 1}
    package.uncertainty_file(crisp, tmp_path / "whole.fits", **settings)
    with pytest.raises(KeyboardInterrupt):
        package.uncertainty_file(crisp, tmp_path / "out.fits", resume=True, progress=stop, **settings)
    seen = []
    package.uncertainty_file(
        crisp, tmp_path / "out.fits", resume=True, progress=lambda done, *_: seen.append(done), **settings
    )
    assert min(seen) > 1
    assert (tmp_path / "out.fits").read_bytes() == (tmp_path / "whole.fits").read_bytes()


def test_a_picture_shows_mean_and_deviation(solardn, crisp, noisy, tmp_path):
    np.save(tmp_path / "map.npy", noisy)
    for given, output in ((crisp, "out.fits"), (tmp_path / "map.npy", "out.npz")):
        words = ("--model", "masked", "--samples", 2, "--quicklook", tmp_path / f"{output}.png", *QUICK)
        solardn.good("uncertainty", given, tmp_path / output, *words)
        assert (tmp_path / f"{output}.png").stat().st_size > 10_000
