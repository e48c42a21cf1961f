"""What the residual says, at the end of every run."""

import numpy as np
import pytest
from astropy.io import fits

from benchmarks.scenes import make_noise

from .. import networks


@pytest.fixture
def cube(tmp_path, crisp):
    """Return a cube (time 2, Stokes 4, wavelength 3, y 40, x 52) of white noise, with crosstalk from I to V."""
    with fits.open(crisp, mode="update") as hdus:
        hdus[0].data[:, 0] += 0.1 * make_noise("band 0.2 soft", (40, 52), 3)
        hdus[0].data[:, 3] += 0.15 * (hdus[0].data[:, 0] - 1)
    return crisp


def zero(tmp_path):
    """Return a network that takes everything away."""
    return networks.nothing(tmp_path / "zero.onnx")


def test_the_verdict_is_told_and_recorded(solardn, cube, tmp_path):
    said = solardn.good("denoise", cube, tmp_path / "out.fits", "--model", zero(tmp_path))
    assert "residual  flat (Q" in said
    assert "correlates with the intensity" in said
    with fits.open(tmp_path / "out.fits") as hdus:
        verdicts = {row["STOKES"]: row["VERDICT"] for row in hdus["SOLARDN"].data if row["VERDICT"]}
        assert verdicts["Q"] == verdicts["U"] == "flat"
        assert "intensity" in verdicts["V"]
        assert "solardn: residual not flat in 1 of 3 kinds of map looked at" in list(hdus[0].header["HISTORY"])
    checked = fits.open(tmp_path / "out.fits", checksum=True)  # a wrong sum would warn, and warnings are errors
    checked.close()


def test_the_figures_are_those_of_inspect(solardn, image, tmp_path):
    model = zero(tmp_path)
    ran = solardn.json("denoise", image, tmp_path / "out.fits", "--model", model)
    looked = solardn.json("inspect", image, tmp_path / "out.fits")
    assert ran["inspection"]["lines"] == looked["lines"]
    assert ran["inspection"]["sigma_from"] == looked["sigma_from"] == "taken by the run"
    assert "solardn: residual structure left at 8-20 px: try --cycles 2" in str(
        fits.getheader(tmp_path / "out.fits")["HISTORY"]
    )


def test_inspect_finds_the_level_that_was_taken(solardn, tmp_path):
    strength = 0.01 * (1 + np.arange(24.0) % 7)[:, None, None]
    np.save(tmp_path / "a.npy", strength * np.random.default_rng(0).normal(size=(24, 40, 52)))
    ran = solardn.json("denoise", tmp_path / "a.npy", tmp_path / "b.npy", "--model", "smooth")
    looked = solardn.json("inspect", tmp_path / "a.npy", tmp_path / "b.npy")
    assert [line["sigma"] for line in looked["lines"]] == [ran["noise_sigma"]]
    assert looked["sigma_from"] == "found in the observation"


def test_it_can_be_left_out(solardn, cube, tmp_path):
    assert solardn.json("denoise", cube, tmp_path / "a.fits", "--model", "same", "--no-inspect")["inspection"] is None
    assert "residual not" not in str(fits.getheader(tmp_path / "a.fits")["HISTORY"])
    assert "VERDICT" not in fits.getdata(tmp_path / "a.fits", "SOLARDN").names
    assert "\n  residual " not in solardn.good("denoise", cube, tmp_path / "b.fits", "--model", "same", "--no-inspect")


def test_the_result_does_not_depend_on_it(solardn, cube, tmp_path):
    for name, words in (("a.fits", []), ("b.fits", ["--no-inspect"])):
        solardn.good("denoise", cube, tmp_path / name, "--model", "smooth", *words)
    np.testing.assert_array_equal(fits.getdata(tmp_path / "a.fits"), fits.getdata(tmp_path / "b.fits"))


def test_a_map_too_small_to_be_inspected_is_denoised_all_the_same(solardn, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(12, 12)))
    said = solardn.good("denoise", tmp_path / "a.npy", tmp_path / "b.npy", "--noise-sigma", 1, "--model", "same")
    assert "not inspected: a map of 12×12 px is too small" in said


def series(path, spoil):
    """Write 5 frames of noise of rms 2e-3, the third of which is spoiled."""
    frames = 2e-3 * np.random.default_rng(0).normal(size=(5, 64, 64)).astype(np.float32)
    spoil(frames[2])
    header = fits.Header([("CTYPE1", "HPLN-TAN"), ("CTYPE2", "HPLT-TAN"), ("CTYPE3", "UTC")])
    fits.writeto(path, frames, header)
    return path


def lose(frame):
    frame[:] = np.nan


def thin(frame):
    frame[:, 10:] = np.nan


@pytest.mark.parametrize("spoil", [lambda frame: None, lose])
def test_a_lost_frame_does_not_change_the_level_of_the_others(solardn, tmp_path, spoil):
    given = series(tmp_path / "a.fits", spoil)
    solardn.good("denoise", given, tmp_path / "b.fits", "--model", "smooth", "--noise-sigma", 4e-3)
    looked = solardn.json("inspect", given, tmp_path / "b.fits")
    assert looked["sigma_from"] == "taken by the run"
    assert [line["sigma"] for line in looked["lines"]] == [pytest.approx(4e-3)]
    assert "residual too small" in looked["verdict"]


@pytest.mark.parametrize("words", [[], ["--noise-sigma", 2e-3]])
def test_a_map_that_is_covered_too_thinly_is_left_out_and_named(solardn, tmp_path, words):
    given = series(tmp_path / "a.fits", thin)
    solardn.good("denoise", given, tmp_path / "b.fits", "--model", zero(tmp_path))
    looked = solardn.json("inspect", given, tmp_path / "b.fits", *words)
    assert [line["maps"] for line in looked["lines"]] == [4]
    assert [(left["map"], "half valid" in left["why"]) for left in looked["left_out"]] == [([2], True)]
    assert "map [2] left out: no window" in solardn.good("inspect", given, tmp_path / "b.fits", *words)
    solardn.good("report", given, tmp_path / "b.fits", tmp_path / "page.html", *words)
    assert "map [2] left out" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("command", [("inspect",), ("report",)])
def test_one_image_is_looked_at_at_a_time(solardn, image, tmp_path, command):
    page = [tmp_path / "page.html"] if command == ("report",) else []
    assert "name one with --ext" in solardn.bad(*command, image, image, *page, "--ext", "all")


CHOICES = [
    (["--stokes", "V"], ["Stokes V"]),
    (["--stokes", "IV", "--fill-value", 0.5], ["Stokes IV", "fill value 0.5"]),
    (["--mask-ext", "MASK"], ["mask MASK"]),
    (["--axes", "y=3,x=4,time=2"], ["axes y=3,x=4,time=2"]),
]


@pytest.fixture
def masked(crisp):
    """Return the cube with 0.5 in some pixels, and a mask over others."""
    with fits.open(crisp, mode="update") as hdus:
        hdus[0].data[..., ::7, ::5] = 0.5
        mask = np.zeros(hdus[0].data.shape[-2:], np.uint8)
        mask[20:30] = 1
        hdus.append(fits.ImageHDU(mask, name="MASK"))
    return crisp


@pytest.mark.parametrize(("words", "said"), CHOICES)
def test_what_the_run_worked_on_is_looked_at_and_told(solardn, masked, tmp_path, words, said):
    out = tmp_path / "out.fits"
    solardn.good("denoise", masked, out, "--model", zero(tmp_path), *words)
    looked, given = solardn.json("inspect", masked, out), solardn.json("inspect", masked, out, *words)
    assert looked["lines"] == given["lines"]
    assert looked["as_recorded"] == [f"{one}, as the run that made the result took it" for one in said]
    assert given["as_recorded"] == []
    assert looked["as_recorded"][0] in solardn.good("inspect", masked, out)


def test_a_mask_that_is_gone_is_told(solardn, masked, tmp_path):
    solardn.good("denoise", masked, tmp_path / "out.fits", "--model", zero(tmp_path), "--mask-ext", "MASK")
    with fits.open(masked, mode="update") as hdus:
        del hdus["MASK"]
    said = solardn.json("inspect", masked, tmp_path / "out.fits")["as_recorded"]
    assert said == [f"mask MASK, which the run took, is not in {masked}: its pixels are looked at like others"]
    solardn.good("report", masked, tmp_path / "out.fits", tmp_path / "page.html", "--maps", 1)
    assert said[0] in (tmp_path / "page.html").read_text()
    asked = solardn.bad("inspect", masked, tmp_path / "out.fits", "--mask-ext", "MASK")
    assert "has no extension" in asked


@pytest.mark.parametrize(
    ("words", "origin", "sigma"),
    [
        ([], "taken by the run", 4e-3),
        (["--noise-sigma", 5e-3], "taken by the run", 5e-3),
        (["--noise-sigma", "per-map"], "found in the observation", 6e-3),
    ],
)
def test_of_a_map_cut_out_without_the_table_only_a_level_that_all_shared_is_known(
    solardn, tmp_path, words, origin, sigma
):
    given, made = tmp_path / "in.fits", tmp_path / "out.fits"
    frames = np.array([2e-3, 6e-3])[:, None, None] * np.random.default_rng(0).normal(size=(2, 64, 64))
    fits.writeto(given, frames.astype(np.float32), fits.Header({"CTYPE3": "UTC"}))
    solardn.good("denoise", given, made, "--model", "smooth", *words)
    for path in (given, made):
        data, header = fits.getdata(path, header=True)
        fits.writeto(path, data[1], header, overwrite=True)
    looked = solardn.json("inspect", given, made)
    assert looked["sigma_from"] == origin
    assert looked["lines"][0]["sigma"] == pytest.approx(sigma, rel=0.1)


def test_tables_know_their_images_by_name_after_another_is_removed(solardn, tmp_path):
    given, made = tmp_path / "in.fits", tmp_path / "out.fits"
    noise = np.random.default_rng(0).normal(size=(3, 2, 64, 64)).astype(np.float32)
    images = [fits.ImageHDU(sigma * data, name="W", ver=sigma) for sigma, data in enumerate(noise, 1)]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(given)
    solardn.good("denoise", given, made, "--ext", "all", "--model", "smooth")
    with fits.open(made) as hdus:
        assert [hdu.header["OF_NAME"] for hdu in hdus if hdu.name == "SOLARDN"] == ["W", "W,2", "W,3"]
    assert solardn.json("inspect", given, made, "--ext", 2)["sigma_from"] == "taken by the run"
    for path in (given, made):
        with fits.open(path, mode="update") as hdus:
            del hdus[1]
    looked = solardn.json("inspect", given, made, "--ext", 2)
    assert looked["lines"][0]["sigma"] == pytest.approx(3, rel=0.1)
    assert looked["as_recorded"] == [
        f"the table of maps of {made}[W,3] is not used: it belongs to 'W,2', and this is 'W,3'"
    ]


def test_an_image_without_a_name_keeps_its_table_when_it_is_compressed(solardn, tmp_path):
    noise = np.random.default_rng(0).normal(size=(2, 64, 64)).astype(np.float32)
    fits.writeto(tmp_path / "in.fits", noise)
    solardn.good("denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth", "--compress", "gzip")
    looked = solardn.json("inspect", tmp_path / "in.fits", tmp_path / "out.fits")
    assert (looked["sigma_from"], looked["as_recorded"]) == ("taken by the run", [])
