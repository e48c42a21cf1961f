"""What asks for something that cannot be: each is refused in one sentence with the way out, before anything is done."""

import json
import os

import numpy as np
import pytest
from astropy.io import fits

import solardn as package
from solardn.errors import OptionError


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--output-dir", "out", "--quicklook", "a.png"), "--quicklook draws a map of one file"),
        (("out.fits", "--quicklook-map", "sheet"), "--quicklook-map chooses what --quicklook FILE.png draws"),
        ((), "give INPUT and OUTPUT, or any number of inputs and --output-dir"),
        (("",), "the name of a file is empty"),
        (("--output-dir", ""), "the name is empty"),
    ],
)
def test_options_that_do_not_go_together(solardn, image, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    result = solardn("denoise", image, *words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.fits"]


def test_a_dry_run_refuses_what_the_run_refuses(solardn, image, tmp_path):
    for pattern in (tmp_path / "*.fits", tmp_path):
        words = ("denoise", pattern, tmp_path / "out.fits", "--model", "same")
        assert solardn.bad(*words, "--dry-run") == solardn.bad(*words)


@pytest.mark.parametrize("words", [(), ("--ext", "all")])
def test_an_output_with_a_slash_at_its_end_is_refused_as_a_folder(solardn, image, tmp_path, words):
    line = ("denoise", image, f"{tmp_path}/new/", "--model", "same", *words)
    said = solardn.bad(*line)
    assert "new/ is a folder; give the name of a file" in said
    assert said.removeprefix("Error: ") in solardn.good(*line, "--dry-run")
    assert [path.name for path in tmp_path.iterdir()] == ["map.fits"]


def test_a_picture_and_a_page_with_a_slash_at_their_end_are_refused_as_folders(solardn, image, tmp_path):
    pytest.importorskip("matplotlib")
    out, picture, page = tmp_path / "out.fits", f"{tmp_path}/x.png/", f"{tmp_path}/x.html/"
    line = ("denoise", image, out, "--model", "same")
    assert f"the output {picture} is a folder; give the name of a file" in solardn.bad(*line, "--quicklook", picture)
    assert f"the output {page} is a folder; give the name of a file" in solardn.bad("report", image, image, page)
    assert [path.name for path in tmp_path.iterdir()] == ["map.fits"]


@pytest.mark.parametrize("words", [(), ("--ext", "all")])
def test_a_layer_of_a_name_that_is_taken_is_refused_before_anything_is_done(solardn, image, tmp_path, words):
    fits.append(image, np.ones((4, 4)), fits.Header({"EXTNAME": "RESIDUAL"}))
    line = ("denoise", image, tmp_path / "out.fits", "--model", "same", "--residual", *words)
    said = solardn.bad(*line)
    assert f"{image} has an extension RESIDUAL already" in said
    assert solardn.bad(*line, "--dry-run") == said


@pytest.mark.parametrize(
    ("given", "output", "words"),
    [
        ("map.fits", "out.NPY", []),
        ("map.fits", "out.Zip", []),
        ("map.fits", "out.npy.gz", []),
        ("map.fits", "out.h5.GZ", []),
        ("map.fits", "out.npz.bz2", []),
        ("map.fits", "out.zarr.xz", []),
        ("map.h5", "out.h5.gz", []),
        ("map.npy", "out.fits", []),
        ("map.npz", "out.npy", []),
        ("map.h5", "out.fits", []),
        ("map.icube", "out.icube", []),
        ("map.npy", "out.npy", ["--compress", "rice"]),
        ("map.fits", "out.fits.gz", ["--compress", "gzip"]),
        ("map.fits", "out.fits", ["--method", "flips", "--compress", "rice"]),
        ("map.npy", "out.npy", ["--method", "flips"]),
        ("map.icube", "out.fcube", ["--output-dtype", "float64"]),
    ],
)
def test_a_dry_run_refuses_names_and_forms_in_the_words_of_the_run(
    solardn, image, noisy, tmp_path, given, output, words
):
    np.save(tmp_path / "map.npy", noisy)
    np.savez(tmp_path / "map.npz", noisy)
    if given == "map.h5":
        pytest.importorskip("h5py").File(tmp_path / given, "w")["map"] = noisy
    integers = np.round(1000 * noisy).astype("<i2")
    header = f"datatype=2 (integer), dims=2, nx={noisy.shape[1]}, ny={noisy.shape[0]}, endian=l"
    (tmp_path / "map.icube").write_bytes(header.encode().ljust(512) + integers.tobytes())
    command = "uncertainty" if "--method" in words else "denoise"
    line = (command, tmp_path / given, tmp_path / output, "--model", "same", "--scale", 1, *words)
    said = solardn.bad(*line)
    dry = solardn(*line, "--dry-run", "--json")
    assert not (tmp_path / output).exists()
    assert said == (dry.stderr if dry.exit_code else f"Error: {json.loads(dry.stdout)['refused']}\n")
    if "--compress" in words and given == "map.npy":
        assert solardn.bad("info", tmp_path / given, "--model", "same", *words) == said


def test_capitals_at_the_end_of_a_name_do_not_matter(solardn, image, noisy, tmp_path):
    np.save(tmp_path / "map.npy", noisy)
    (tmp_path / "map.npy").rename(tmp_path / "MAP.NPY")
    solardn.good("denoise", tmp_path / "MAP.NPY", "--output-dir", tmp_path / "out", "--model", "same")
    solardn.good("denoise", image, tmp_path / "OUT.FITS", "--model", "same")
    words = ("uncertainty", tmp_path / "MAP.NPY", tmp_path / "OUT.NPZ", "--method", "flips", "--model", "same")
    solardn.good(*words)
    assert "sigma" in np.load(tmp_path / "OUT.NPZ")


def test_what_the_system_refuses_is_told_in_one_sentence(solardn, image, tmp_path, monkeypatch):
    def refused(*words, **options):
        raise PermissionError(13, "Permission denied", "locked")

    monkeypatch.setattr("solardn.files.denoise_file", refused)
    said = solardn.bad("denoise", image, tmp_path / "out.fits", "--model", "same")
    assert "Permission denied: 'locked'; check the place" in said


def test_names_that_are_too_long_for_the_system_are_to_be_shorter(solardn, image, tmp_path):
    long = tmp_path / f"{'a' * 300}.fits"
    for words in (
        ("info", long),
        ("denoise", image, tmp_path / "o.fits", "--noise-map", long),
        ("inspect", long, image),
    ):
        assert solardn.bad(*words).endswith("give a shorter name\n")


def test_outputs_that_cannot_be(solardn, image, noisy, tmp_path):
    np.save(tmp_path / "map.npy", noisy)
    for given, output, says in (
        ("map.npy", "out.fits", "of a .npy file is a .npy file as well; let its name end in .npy"),
        ("map.fits", "map.fits", "the input is never changed"),
        ("map.fits", "out.fits::3", "name the file only"),
    ):
        said = solardn.bad("denoise", tmp_path / given, tmp_path / output, "--model", "same")
        assert output in said
        assert says in said
    said = solardn.bad("denoise", image, "--output-dir", tmp_path / "map.npy", "--model", "same")
    assert "map.npy is a file; name a folder with --output-dir" in said
    said = solardn.bad("uncertainty", tmp_path / "map.npy", tmp_path / "out.npy", "--model", "masked")
    assert "let its name end in .npz" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.fits", "map.npy"]


def test_a_folder_does_not_get_its_output_inside(solardn, tmp_path):
    library = pytest.importorskip("zarr")
    library.create_group(str(tmp_path / "in.zarr")).create_array("cube", data=np.ones((2, 32, 40), np.float32))
    before = sorted(tmp_path.rglob("*"))
    said = solardn.bad("denoise", tmp_path / "in.zarr", tmp_path / "in.zarr" / "out.zarr", "--model", "same")
    assert "lies inside the input" in said
    (tmp_path / "out.zarr").write_text("mine")
    said = solardn.bad("denoise", tmp_path / "in.zarr", tmp_path / "out.zarr", "--model", "same", "--overwrite")
    assert "is a file, and it must be a folder like the input" in said
    (tmp_path / "out.zarr").unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_inputs_that_are_no_files(solardn, tmp_path):
    os.mkfifo(tmp_path / "pipe.fits")
    assert "is not a file; give a file of a known format" in solardn.bad("info", tmp_path / "pipe.fits")


def test_formats_without_extensions_are_given_none(solardn, noisy, tmp_path):
    np.save(tmp_path / "map.npy", noisy)
    for option in ("--ext", "--mask-ext", "--noise-map"):
        said = solardn.bad("info", tmp_path / "map.npy", option, "rms")
        assert "has no extension rms; leave --ext and --mask-ext out, and give --noise-map a file" in said


def test_forms_that_are_not_known(image, tmp_path):
    for choice, says in (({"output_dtype": "int8"}, "float32 or float64"), ({"compress": "bzip2"}, "rice or gzip")):
        with pytest.raises(OptionError, match=f"is not known; give {says}"):
            package.denoise_file(image, tmp_path / "out.fits", model="same", **choice)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"stokes": ["Q"]}, r"--stokes \['Q'\] is no word of the letters I, Q, U, V; write it like QUV"),
        ({"stokes": 5}, "--stokes 5 is no word"),
        ({"axes": {"y": 0, "x": 1}}, "--axes {'y': 0, 'x': 1} cannot be read .*; write it like y=3,x=4"),
        ({"noise_sigma": True}, "noise_sigma is True; give a positive number"),
        ({"noise_map": True}, "the noise map is of type bool; give 'auto', 'off', a file"),
    ],
)
def test_options_of_another_type_are_refused(image, tmp_path, options, says):
    with pytest.raises(package.OptionError, match=says):
        package.denoise_file(image, tmp_path / "out.fits", model="same", **options)


def test_deviations_are_not_rounded_to_steps(solardn, image, tmp_path):
    said = solardn.bad("uncertainty", image, tmp_path / "out.fits", "--model", "masked", "--compress", "rice")
    assert "too coarse for standard deviations; take --compress gzip" in said


@pytest.mark.parametrize("method", ["dropout", "flips"])
def test_a_plan_of_uncertainty_tells_how_long_it_takes(solardn, image, tmp_path, method):
    words = ("--model", "masked", "--noise-sigma", "0.01", "--method", method, "--dry-run")
    for samples in (0, 4, 50):
        found = solardn.json("uncertainty", image, tmp_path / "out.fits", *words, "--samples", samples)
        assert found["seconds"] > 0, samples
    assert not (tmp_path / "out.fits").exists()


def test_a_page_that_shows_nothing_or_is_no_page(solardn, image, tmp_path):
    pytest.importorskip("matplotlib")
    assert "let its name end in .html" in solardn.bad("report", image, image, tmp_path / "page.pdf")
    assert "give a number of at least 1" in solardn.bad("report", image, image, tmp_path / "page.html", "--maps", 0)
    assert not list(tmp_path.glob("page.*"))


def test_networks_that_are_not_kept(solardn, folder_of_networks, tmp_path):
    same = folder_of_networks / "same.onnx"
    assert "is no name for a network" in solardn.bad("models", "add", same, "--name", "../same")
    assert "ships with solardn" in solardn.bad("models", "add", same, "--name", "stokes")
    solardn.good("models", "add", same, "--name", "mine")
    assert "--overwrite" in solardn.bad("models", "add", same, "--name", "mine")
    solardn.good("models", "add", same, "--name", "mine", "--overwrite")


def test_a_card_as_json_has_the_keys_of_the_card(solardn):
    found = solardn.json("models", "show", "same")
    assert (found["name"], found["halo"], found["self-check"]) == ("same", 0, True)
