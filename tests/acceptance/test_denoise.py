"""What `solardn denoise` does with good input."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from astropy.io import fits

import solardn as package
from benchmarks.scenes import make_truth
from solardn.errors import OutputError
from solardn.provenance import parameters


def test_a_map_comes_back_denoised_in_a_file_like_its_own(solardn, image, noisy, tmp_path):
    solardn.good("denoise", image, tmp_path / "out.fits", "--model", "smooth")
    with fits.open(tmp_path / "out.fits", checksum=True) as hdus:
        assert hdus[0].data.dtype == ">f4"
        assert hdus[0].data.shape == noisy.shape
        assert 0.01 / 3 < (hdus[0].data - noisy).std() < 0.02
        hdus.verify("exception")


@pytest.mark.parametrize("scale", ["--scale", "--noise-sigma"])
def test_a_network_that_changes_nothing_gives_the_same_pixels(solardn, image, noisy, tmp_path, scale):
    solardn.good("denoise", image, tmp_path / "out.fits", "--model", "same", scale, "1")
    np.testing.assert_array_equal(fits.getdata(tmp_path / "out.fits"), noisy)


def test_the_python_function_gives_what_the_command_gives(solardn, image, tmp_path):
    solardn.good("denoise", image, tmp_path / "a.fits", "--model", "smooth")
    calls = []
    summary = package.denoise_file(image, tmp_path / "b.fits", model="smooth", progress=lambda *now: calls.append(now))
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()
    assert calls == [(1, 1, 48 * 64)]
    assert summary.noise_sigma == pytest.approx(0.01, rel=0.1)
    data = fits.getdata(image).astype(np.float32)
    expected = package.denoise(data, summary.noise_sigma, model="smooth")
    np.testing.assert_array_equal(fits.getdata(tmp_path / "b.fits"), expected)


def test_stokes_i_is_copied_and_q_u_v_are_denoised(solardn, crisp, tmp_path):
    before = fits.getdata(crisp)
    figures = solardn.json("denoise", crisp, tmp_path / "out.fits", "--model", "smooth")
    after = fits.getdata(tmp_path / "out.fits")
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert all((after[t, s, w] != before[t, s, w]).mean() > 0.9 for t in range(2) for s in (1, 2, 3) for w in range(3))
    assert (figures["maps"], figures["denoised"], figures["stokes"]) == (24, 18, "QUV")
    assert len(figures["levels"]) == 9
    assert figures["noise_sigma"] == pytest.approx(0.02, rel=0.1)


def test_the_stokes_parameters_can_be_chosen(solardn, crisp, tmp_path):
    before = fits.getdata(crisp)
    solardn.good("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", "--stokes", "v")
    changed = (fits.getdata(tmp_path / "out.fits") != before).any(axis=(0, 2, 3, 4))
    assert changed.tolist() == [False, False, False, True]


def test_a_raster_is_denoised_in_its_own_planes(solardn, tmp_path):
    planes = np.random.default_rng(0).normal(5, 1, (3, 20, 24)).astype(np.float32)  # wavelength, y, x
    header = fits.Header({"CTYPE1": "WAVE", "CTYPE2": "HPLT-TAN", "CTYPE3": "HPLN-TAN"})
    fits.PrimaryHDU(np.transpose(planes, (2, 1, 0)), header).writeto(tmp_path / "raster.fits")
    fits.PrimaryHDU(planes).writeto(tmp_path / "planes.fits")
    for name in ("raster", "planes"):
        solardn.good(
            "denoise", tmp_path / f"{name}.fits", tmp_path / f"{name}-out.fits", "--model", "smooth", "--scale", 1
        )
    raster, expected = (fits.getdata(tmp_path / f"{name}-out.fits") for name in ("raster", "planes"))
    np.testing.assert_array_equal(np.transpose(raster, (2, 1, 0)), expected)


def test_everything_else_of_the_file_is_carried_over(solardn, crisp, tmp_path):
    solardn.good("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", "--residual")
    with fits.open(crisp) as before, fits.open(tmp_path / "out.fits", checksum=True) as after:
        assert [hdu.name for hdu in after] == ["PRIMARY", "VAR-EXT", "RESIDUAL", "SOLARDN"]
        assert fits.TableDataDiff(before[1].data, after[1].data).identical
        difference = fits.HeaderDiff(before[0].header, after[0].header, ignore_keywords=["HISTORY"])
        assert set(difference.diff_keyword_values) == set()
        assert not difference.diff_keywords[0]
        np.testing.assert_allclose(after["RESIDUAL"].data, before[0].data - after[0].data, atol=1e-7)


def test_what_was_done_is_written_into_the_header(solardn, crisp, tmp_path):
    solardn.good("denoise", crisp, tmp_path / "one.fits", "--model", "smooth")
    solardn.good("denoise", tmp_path / "one.fits", tmp_path / "two.fits", "--model", "same", "--scale", "2")
    header = fits.getheader(tmp_path / "two.fits")
    assert [header[f"PRSTEP{n}"] for n in (1, 2)] == ["NOISE-FILTERING"] * 2
    assert [header[f"PRMODE{n}"] for n in (1, 2)] == ["smooth", "same"]
    first, second = (parameters(header, n) for n in (1, 2))
    assert first["noise_sigma"] == pytest.approx(0.02, rel=0.1)
    assert first["noise_sigma_from"] == "estimated"
    assert second["scale"] == 2
    assert len(first["sha256"]) == 64
    assert header["PARENTXT"] == "one.fits"
    assert header["CREATOR"] == "solardn"
    assert any("18 of 24 maps" in line for line in header["HISTORY"])


def test_a_table_tells_what_was_done_to_each_map_of_a_cube(solardn, crisp, tmp_path):
    solardn.good("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", "--cycles", 2)
    table = fits.getdata(tmp_path / "out.fits", "SOLARDN")
    assert len(table) == 24
    assert table["STOKES"][:12].tolist() == list("IIIQQQUUUVVV")
    assert table["CYCLES"][:4].tolist() == [0, 0, 0, 2]
    assert np.isnan(table["NOISE"][0])
    units = {column.name: column.unit for column in table.columns if column.unit}
    assert units == {"NOISE": "W m-2 nm-1", "RESIDRMS": "W m-2 nm-1"}
    assert table["NOISE"][3] == pytest.approx(0.02, rel=0.2)


def test_as_many_passes_as_each_map_needs(solardn, tmp_path):
    noise = np.random.default_rng(0).normal(0, 1, (2, 96, 96)).astype(np.float32)
    noise[1] += 30 * make_truth("filaments", (96, 96), 4).astype(np.float32)
    fits.writeto(tmp_path / "in.fits", noise)
    figures = solardn.json(
        "denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth", "--cycles", "auto"
    )
    passes = fits.getdata(tmp_path / "out.fits", "SOLARDN")["CYCLES"]
    assert passes[0] == 1 < passes[1] == figures["cycles"] <= 5
    header = fits.getheader(tmp_path / "out.fits")
    assert parameters(header, 1)["cycles"] == "auto"
    assert "up to 5 cycles, as each map needs" in " ".join(header["HISTORY"])
    said = solardn.good("info", tmp_path / "in.fits", "--model", "smooth", "--cycles", "auto")
    assert "up to 5 cycles" in said


def test_a_mean_over_views_is_taken_and_recorded(solardn, image, tmp_path):
    options = ("--model", "smooth", "--noise-sigma", 1, "--views", 4)
    figures = solardn.json("denoise", image, tmp_path / "out.fits", *options)
    assert figures["views"] == 4
    header = fits.getheader(tmp_path / "out.fits")
    assert parameters(header, 1)["views"] == 4
    assert "1 cycle, each the mean over 4 views" in " ".join(header["HISTORY"])
    given = fits.getdata(image)
    wanted = package.denoise(given, noise_sigma=1, views=4, model="smooth")
    np.testing.assert_array_equal(fits.getdata(tmp_path / "out.fits"), wanted)
    assert "1 cycle, each the mean over 4 views" in solardn.good("info", image, *options)
    said = solardn.good("denoise", image, tmp_path / "out.fits", *options, "--overwrite")
    assert "network   smooth, 1 cycle, each the mean over 4 views" in said


class TestNoiseThatVaries:
    """Two maps of noise ten times stronger on the right than on the left, with its map in an extension and in a file."""

    @pytest.fixture
    def cube(self, tmp_path):
        sigma = np.broadcast_to(np.geomspace(0.3, 3, 96), (80, 96)).astype(np.float32)
        data = sigma * np.random.default_rng(0).normal(size=(2, 80, 96)).astype(np.float32)
        data[1] *= 2
        hdus = [fits.PrimaryHDU(data), fits.ImageHDU(sigma, name="ERR"), fits.ImageHDU(sigma[:40], name="HALF")]
        fits.HDUList([*hdus, fits.ImageHDU(0 * sigma, name="ZERO")]).writeto(tmp_path / "in.fits")
        fits.writeto(tmp_path / "sigma.fits", np.stack([sigma, 2 * sigma]))
        return tmp_path / "in.fits"

    def test_a_map_of_it_from_an_extension_or_a_file(self, solardn, cube, tmp_path):
        data, sigma = fits.getdata(cube), fits.getdata(cube, "ERR")
        for name, choice, factors in (("a", "ERR", (1, 1)), ("b", tmp_path / "sigma.fits", (1, 2))):
            out = tmp_path / f"{name}.fits"
            figures = solardn.json("denoise", cube, out, "--model", "smooth", "--noise-map", choice)
            for plane, result, factor in zip(data, fits.getdata(out), factors, strict=True):
                expected = package.denoise(plane, noise_map=factor * sigma, model="smooth")
                np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
            table = fits.getdata(out, "SOLARDN")
            level = np.sqrt(np.mean(sigma**2))
            np.testing.assert_allclose(table["NOISE"], np.multiply(factors, level), rtol=1e-5)
            assert (table["UNEVEN"] > 5).all()
            assert figures["noise_sigma"] == pytest.approx(level * np.mean(factors), rel=1e-5)
            done = parameters(fits.getheader(out), 1)
            assert done["noise_sigma_from"] == "noise map"
            assert done["noise_map"].endswith(choice.name if name == "b" else "ERR")

    def test_it_is_found_and_recorded(self, solardn, cube, tmp_path):
        solardn.good("denoise", cube, tmp_path / "a.fits", "--model", "smooth")
        solardn.good("denoise", cube, tmp_path / "b.fits", "--model", "smooth", "--noise-map", "off")
        tables = [fits.getdata(tmp_path / name, "SOLARDN") for name in ("a.fits", "b.fits")]
        assert (tables[0]["UNEVEN"] > 3).all()
        assert (tables[1]["UNEVEN"] == 1).all()
        first, second = (parameters(fits.getheader(tmp_path / n), 1) for n in ("a.fits", "b.fits"))
        assert (first["noise_map"], first["noise_evened"]) == ("auto", "1 of 1 kinds of maps")
        assert second["noise_map"] == "off"

    def test_each_map_may_have_its_own_level(self, solardn, cube, tmp_path):
        for name, choice in (("a.fits", "auto"), ("b.fits", "per-map")):
            solardn.good("denoise", cube, tmp_path / name, "--model", "smooth", "--noise-sigma", choice)
        same, own = (fits.getdata(tmp_path / name, "SOLARDN")["NOISE"] for name in ("a.fits", "b.fits"))
        assert same[0] == same[1]
        assert own[1] == pytest.approx(2 * own[0], rel=0.1)
        assert "each map" in parameters(fits.getheader(tmp_path / "b.fits"), 1)["noise_sigma_from"]

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--noise-map", "HALF"], "has the shape (40, 96), which fits neither the data's (2, 80, 96)"),
            (["--noise-map", "ZERO"], "is 0 at y=0, x=0 (7680 such pixels), but the rms of the noise must be positive"),
            (["--noise-map", "NONE"], "no extension NONE"),
            (["--noise-map", "gone.fits"], "gone.fits does not exist"),
            (["--noise-map", "ERR", "--noise-sigma", "1"], "give one of them"),
        ],
    )
    def test_bad_maps_of_it(self, solardn, cube, tmp_path, options, words):
        assert words in solardn.bad("denoise", cube, tmp_path / "out.fits", "--model", "smooth", *options)
        assert not (tmp_path / "out.fits").exists()


def test_an_npy_array_comes_back_as_one(solardn, noisy, tmp_path):
    np.save(tmp_path / "in.npy", np.asfortranarray(np.stack([noisy, noisy]).astype(">f8")))
    words = ["--model", "same", "--scale", 1, "--residual"]
    said = solardn.good("denoise", tmp_path / "in.npy", tmp_path / "out.npy", *words)
    assert "no room for what was done" in said
    out = np.load(tmp_path / "out.npy")
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, np.stack([noisy, noisy]))
    np.testing.assert_array_equal(np.load(tmp_path / "out.residual.npy"), np.zeros((2, 48, 64)))


def test_pixels_without_value_stay_as_they_are(solardn, noisy, tmp_path):
    noisy[:5, :7], noisy[20, 20], noisy[30, 30] = np.nan, np.inf, -np.inf
    np.save(tmp_path / "in.npy", np.stack([noisy, np.full_like(noisy, np.nan)]))
    figures = solardn.json("denoise", tmp_path / "in.npy", tmp_path / "out.npy", "--model", "smooth")
    out = np.load(tmp_path / "out.npy")
    bad = ~np.isfinite(noisy)
    np.testing.assert_array_equal(out[0][bad], noisy[bad])
    assert np.isfinite(out[0][~bad]).all()
    assert np.isnan(out[1]).all()
    assert figures["denoised"] == 1


def test_the_output_can_be_compressed(solardn, image, noisy, tmp_path):
    for _ in range(2):
        solardn.good("denoise", image, tmp_path / "out.fits.gz", "--model", "same", "--scale", 1, "--overwrite")
    assert (tmp_path / "out.fits.gz").read_bytes()[:2] == b"\x1f\x8b"
    np.testing.assert_array_equal(fits.getdata(tmp_path / "out.fits.gz"), noisy)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.fits", "out.fits.gz"]


@pytest.mark.parametrize("which", [[], ["--quicklook-map", "stokes=V,wavelength=2"], ["--quicklook-map", "sheet"]])
def test_a_picture_is_drawn(solardn, crisp, tmp_path, which):
    pytest.importorskip("matplotlib")
    look = ["--quicklook", tmp_path / "look.png", *which]
    said = solardn.good("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", *look)
    assert f"picture   {tmp_path / 'look.png'}" in said
    assert (tmp_path / "look.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(("stop", "code"), [(OutputError("no room for the picture"), 1), (KeyboardInterrupt(), 130)])
def test_a_result_is_told_also_where_its_picture_fails(solardn, image, tmp_path, monkeypatch, stop, code):
    pytest.importorskip("matplotlib")

    def failing(*_, **__):
        raise stop

    monkeypatch.setattr("solardn.commands.picture.draw", failing)
    look = ["--quicklook", tmp_path / "look.png", "--json"]
    result = solardn("denoise", image, tmp_path / "out.fits", "--model", "same", *look)
    assert result.exit_code == code
    assert json.loads(result.stdout)["outputs"] == [str(tmp_path / "out.fits")]
    assert result.stderr.startswith(f"Error: {str(stop) or 'interrupted; the result is there, whole'}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("where", "words"), [("9,1,1", "stokes 0 to 3"), ("stokes=I", "is copied"), ("loud", "wavelength 0 to 2")]
)
def test_a_picture_of_a_map_that_is_not_there_is_refused_before_the_work(solardn, crisp, tmp_path, where, words):
    pytest.importorskip("matplotlib")
    look = ["--quicklook", tmp_path / "look.png", "--quicklook-map", where]
    assert words in solardn.bad("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", *look)
    assert [path.name for path in tmp_path.iterdir()] == ["crisp.fits"]


def test_quiet_says_nothing_and_verbose_says_more(solardn, crisp, tmp_path):
    said = solardn.good("denoise", crisp, tmp_path / "a.fits", "--model", "smooth")
    more = solardn.good("denoise", crisp, tmp_path / "b.fits", "--model", "smooth", "-v")
    assert solardn.good("denoise", crisp, tmp_path / "c.fits", "--model", "smooth", "-q") == ""
    assert len(more.splitlines()) > len(said.splitlines()) > 3


def test_info_tells_beforehand_what_would_be_done(solardn, crisp, tmp_path):
    figures = solardn.json("info", crisp, "--model", "smooth")
    assert [axis["role"] for axis in figures["axes"]] == ["time", "stokes", "wavelength", "y", "x"]
    assert figures["noise_sigma"] == pytest.approx(0.02, rel=0.1)
    assert figures["unit"] == "W m-2 nm-1"
    words = solardn.good("info", crisp, "--model", "smooth")
    assert "STOKES" in words
    assert "18 of 40 × 52 pixels to denoise (Stokes Q, U, V), 6 to copy" in words
    assert [path.name for path in tmp_path.iterdir()] == ["crisp.fits"]


def test_a_dry_run_tells_the_same_and_writes_nothing(solardn, crisp, tmp_path):
    figures = solardn.json("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", "--stokes", "V", "--dry-run")
    expected = solardn.json("info", crisp, "--model", "smooth", "--stokes", "V")
    assert figures | {"seconds": 0} == expected | {"seconds": 0, "outputs": [str(tmp_path / "out.fits")]}
    solardn.good("denoise", tmp_path / "*.fits", "--output-dir", tmp_path / "out", "--model", "smooth", "--dry-run")
    assert [path.name for path in tmp_path.iterdir()] == ["crisp.fits"]


def test_info_finds_the_noise_level_that_a_run_takes(solardn, tmp_path):
    strong = np.array([1, 2, 2, 2, 1, 2, 2, 2, 1])[:, None, None]  # the three that are looked at first agree …
    rise = np.linspace(1, 6, 96)  # … but their noise is uneven, so that others are looked at
    np.save(tmp_path / "a.npy", (np.random.default_rng(0).normal(size=(9, 96, 96)) * rise * strong).astype(np.float32))
    for words in ((), ("--noise-map", "off")):
        before = solardn.json("info", tmp_path / "a.npy", "--model", "smooth", *words)
        done = solardn.json("denoise", tmp_path / "a.npy", tmp_path / "b.npy", "--model", "smooth", "--overwrite", *words)  # fmt: skip
        assert before["levels"] == done["levels"]
        assert before["levels"][0]["maps"] == (3 if words else 9)


def test_a_dry_run_names_the_files_and_why_they_could_not_be_written(solardn, crisp, tmp_path):
    (tmp_path / "out.fits").write_text("precious")
    words = ["denoise", crisp, tmp_path / "out.fits", "--model", "smooth", "--dry-run"]
    said = " ".join(solardn.good(*words).split())
    assert f"files {tmp_path / 'out.fits'}" in said
    assert f"refused the output {tmp_path / 'out.fits'} exists" in said
    assert "refused" not in solardn.good(*words, "--overwrite")
    assert "the input is never changed" in solardn.good(words[0], crisp, crisp, *words[3:], "--overwrite")
    many = [*words[:2], "--output-dir", tmp_path / "new", *words[3:]]
    (figures,) = solardn.json(*many)["files"]
    assert figures["outputs"] == [str(tmp_path / "new" / "crisp.fits")]
    assert figures["refused"] is None
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_ctrl_c_and_a_batch_queue_leave_nothing_and_it_is_said(folder_of_networks, tmp_path, sent, code):
    np.save(tmp_path / "in.npy", np.random.default_rng(0).normal(size=(3000, 100, 100)).astype(np.float32))
    words = [sys.executable, "-m", "solardn", "denoise", "in.npy", "out.npy", "--model", "smooth", "--scale", "1"]
    environment = os.environ | {"SOLARDN_MODELS": str(folder_of_networks)}
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests themselves run in the background, a shell has told them, and so their children, to ignore some.
        preexec_fn=lambda: signal.signal(sent, signal.SIG_DFL),
    )
    part = tmp_path / ".out.npy.solardn-part"
    while not (part.exists() and part.stat().st_size > 10**6) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("Error: interrupted")
    assert [path.name for path in tmp_path.iterdir()] == ["in.npy"]


def test_fills_at_the_edge_stay_as_they_are_and_reach_no_other_pixel(solardn, noisy, tmp_path):
    wedge = np.add.outer(np.arange(48), np.arange(64)) < 25
    for name, value in (("fill", -200.0), ("nan", np.nan)):
        np.save(tmp_path / f"{name}.npy", np.where(wedge, value, noisy).astype(np.float32))
        figures = solardn.json("denoise", tmp_path / f"{name}.npy", tmp_path / f"{name}-out.npy", "--model", "smooth")
        assert figures["missing"] == pytest.approx(wedge.mean())
        assert figures["fills"] == ([-200.0] if name == "fill" else [])
        assert figures["noise_sigma"] == pytest.approx(0.01, rel=0.15)
    said = solardn.good("info", tmp_path / "fill.npy", "--model", "smooth")
    assert "in the middle (fill -200; not finite" in said
    fill, nan = (np.load(tmp_path / f"{name}-out.npy") for name in ("fill", "nan"))
    np.testing.assert_array_equal(fill[wedge], np.float32(-200))
    np.testing.assert_array_equal(fill[~wedge], nan[~wedge])


@pytest.mark.filterwarnings("always::solardn.UnfamiliarData")
def test_a_fill_value_that_is_nowhere_is_told(solardn, noisy, tmp_path):
    cube = np.stack([noisy, noisy])
    fits.writeto(tmp_path / "in.fits", cube)
    words = [tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth", "--json", "--overwrite"]
    for value, place, said in ((-200, (), 1), (-200, (0, 0, 0), 0), ("nan", (), 0)):
        data = cube.copy()
        if place:
            data[place] = value
        fits.writeto(tmp_path / "in.fits", data, overwrite=True)
        ran = solardn("denoise", *words, f"--fill-value={value}")
        assert ran.stderr.count("holds the fill value -200 nowhere") == said
        assert len(json.loads(ran.stdout)["warnings"]) == said
    fits.writeto(tmp_path / "in.fits", cube, overwrite=True)
    assert "none of them is the fill value -200" in solardn.good("info", *words[:1], *words[2:4], "--fill-value=-200")
    solardn("denoise", *words, "--fill-value=-200")
    history = fits.getheader(tmp_path / "out.fits")["HISTORY"]
    assert "solardn: fill -200; as given, and nowhere in the map in the middle" in list(history)


def test_each_map_may_have_a_fill_of_its_own_and_it_is_recorded(solardn, noisy, tmp_path):
    """As in restored cubes, whose borders hold the median of each map."""
    cube = np.stack([noisy + n for n in range(3)])
    medians = np.median(cube, axis=(1, 2)).astype(np.float32)
    cube[:, :, :6] = medians[:, None, None]
    fits.writeto(tmp_path / "in.fits", cube)
    figures = solardn.json("denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth")
    assert sorted(figures["fills"]) == sorted(map(float, medians))
    np.testing.assert_array_equal(fits.getdata(tmp_path / "out.fits")[:, :, :6], cube[:, :, :6])
    np.testing.assert_array_equal(fits.getdata(tmp_path / "out.fits", "SOLARDN")["FILL"], medians)
    header = fits.getheader(tmp_path / "out.fits")
    assert parameters(header, 1)["fills"] == [pytest.approx(medians[1])]
    assert any("as found in the map in the middle" in line for line in header["HISTORY"])
    residual = (cube - fits.getdata(tmp_path / "out.fits"))[:, :, 6:]  # what is filled counts for nothing
    recorded = fits.getdata(tmp_path / "out.fits", "SOLARDN")["RESIDRMS"]
    np.testing.assert_allclose(recorded, np.sqrt((residual**2).mean(axis=(1, 2))), rtol=1e-4)


def test_a_mask_extension_is_obeyed(solardn, tmp_path):
    cube = np.random.default_rng(0).normal(0, 1, (3, 30, 40)).astype(np.float32)
    mask = np.zeros((30, 40), "u1")
    mask[10:14, 20:30] = 4
    cube[:, mask != 0] = 1e6
    fits.HDUList([fits.PrimaryHDU(cube), fits.ImageHDU(mask, name="DQ")]).writeto(tmp_path / "in.fits")
    figures = solardn.json(
        "denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth", "--mask-ext", "DQ"
    )
    out = fits.getdata(tmp_path / "out.fits")
    assert (out[:, mask != 0] == 1e6).all()
    assert np.abs(out[:, mask == 0]).max() < 3
    assert figures["noise_sigma"] == pytest.approx(1, rel=0.15)
    assert figures["missing"] == pytest.approx((mask != 0).mean())


@pytest.mark.skipif(shutil.which("fitsverify") is None, reason="fitsverify (of Debian) is not installed")
def test_fitsverify_finds_nothing(solardn, crisp, tmp_path):
    solardn.good("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", "--residual")
    said = subprocess.run(["fitsverify", tmp_path / "out.fits"], capture_output=True, text=True, check=False).stdout
    assert "0 warning(s) and 0 error(s)" in said, said


def test_astropys_fitscheck_finds_nothing(solardn, crisp, tmp_path):
    from astropy.io.fits.scripts import fitscheck

    solardn.good("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", "--residual")
    assert fitscheck.main([str(tmp_path / "out.fits"), "--compliance"]) == 0


def test_a_noise_map_tells_nothing_of_stokes_parameters_without_values(solardn, crisp, tmp_path):
    with fits.open(crisp, mode="update") as hdus:
        hdus[0].data[:, 2:] = np.nan  # U and V
        shape = hdus[0].data.shape[-2:]
    fits.writeto(tmp_path / "sigma.fits", np.full(shape, 2e-3, np.float32))
    words = (crisp, tmp_path / "out.fits", "--model", "smooth", "--noise-map", tmp_path / "sigma.fits")
    done = solardn.json("denoise", *words)
    assert done["noise_sigma"] == pytest.approx(2e-3)
    assert done["scale"] == pytest.approx(500)
    rows = fits.getdata(tmp_path / "out.fits", "SOLARDN")
    assert done["residual_rms"] == pytest.approx(np.median(rows["RESIDRMS"][rows["CYCLES"] > 0]))
    assert "66.67%" in solardn.good("denoise", *words, "--overwrite")
