"""Many files in one command."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import solardn as package
from solardn.many import expand, output_places

from .. import networks


@pytest.fixture
def frames(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(4):
        np.save(folder / f"f{number}.npy", np.random.default_rng(number).normal(0, 1, (32, 40)).astype(np.float32))
    return folder


def test_patterns_lists_and_names_are_all_denoised_into_a_folder(solardn, frames, tmp_path):
    (tmp_path / "list.txt").write_text(f"# two of them\n{frames / 'f2.npy'}\n\n{frames / 'f3.npy'}\n")
    said = solardn.good(
        "denoise",
        frames / "f[01].npy",
        frames / "f1.npy",
        f"@{tmp_path / 'list.txt'}",
        "--output-dir",
        tmp_path / "out",
        "--model",
        "smooth",
    )
    assert "4 files denoised" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"f{n}.npy" for n in range(4)]
    single = tmp_path / "single.npy"
    solardn.good("denoise", frames / "f3.npy", single, "--model", "smooth")
    assert single.read_bytes() == (tmp_path / "out" / "f3.npy").read_bytes()


def test_a_file_that_fails_does_not_keep_the_others_from_being_done(solardn, frames, tmp_path):
    (frames / "f1.npy").write_text("broken")
    result = solardn("denoise", frames / "*.npy", "--output-dir", tmp_path / "out", "--model", "smooth", "--json")
    assert result.exit_code == 1
    assert "failed: " in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: 1 of 4 files failed")
    figures = json.loads(result.stdout)
    assert [item["input"] for item in figures["failed"]] == [str(frames / "f1.npy")]
    assert len(figures["files"]) == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.suffix) == ["f0.npy", "f2.npy", "f3.npy"]


def test_resume_leaves_out_what_is_done(solardn, frames, tmp_path):
    words = ["denoise", frames / "*.npy", "--output-dir", tmp_path / "out", "--model", "smooth", "--resume"]
    broken = frames / "f2.npy"
    good = broken.read_bytes()
    broken.write_text("broken")
    assert solardn(*words).exit_code == 1
    broken.write_bytes(good)
    said = solardn.good(*words, "--dry-run")
    assert "3 files were done before and would be left out" in said
    assert "refused" not in said
    figures = solardn.json(*words, "--dry-run")
    assert [item["input"] for item in figures["files"]] == [str(broken)]
    assert len(figures["skipped"]) == 3
    assert "1 file denoised, 3 were done before" in solardn.good(*words)
    assert "0 files denoised, 4 were done before" in solardn.good(*words)
    np.save(frames / "f4.npy", np.load(frames / "f0.npy"))  # the night goes on
    assert "1 file denoised, 4 were done before" in solardn.good(*words)
    (tmp_path / "out" / "f0.npy").write_bytes(b"another's")
    assert "f0.npy exists" in solardn(*words).stderr


@pytest.mark.parametrize("change", ["noise map", "version", "libraries", "device", "precision"])
def test_resume_leaves_out_nothing_that_would_come_out_otherwise(frames, tmp_path, monkeypatch, change):
    sigma = np.ones((32, 40), np.float32)
    np.save(tmp_path / "sigma.npy", sigma)
    denoiser = package.Denoiser("smooth", threads=1)
    words = {"denoiser": denoiser, "resume": True, "noise_map": tmp_path / "sigma.npy"}
    package.denoise_files([frames], tmp_path / "out", **words)
    assert len(package.denoise_files([frames], tmp_path / "out", **words).skipped) == 4
    match change:
        case "noise map":
            np.save(tmp_path / "sigma.npy", 2 * sigma)
            os.utime(tmp_path / "sigma.npy", (1, 1))
        case "version":
            monkeypatch.setattr("solardn.recording.__version__", "9.9")
        case "libraries":
            monkeypatch.setattr(np, "__version__", "9.9")
        case "device":
            monkeypatch.setattr(type(denoiser.engine), "device", "openvino")
        case "precision":
            denoiser.engine.precision = "bf16"
    found = package.denoise_files([frames], tmp_path / "out", **words)
    assert (len(found.failed), found.skipped) == (4, ())
    assert all("exists" in str(error) for _, error in found.failed)


def test_a_device_that_cannot_be_had_is_told_once_and_leaves_no_folder(solardn, frames, tmp_path, monkeypatch):
    def refused(*_):
        raise package.DeviceError("no such device")

    monkeypatch.setattr("solardn.engine.choose", refused)
    words = ("denoise", frames, "--output-dir", tmp_path / "out", "--model", "smooth")
    assert "no such device" in solardn.bad(*words)
    assert not (tmp_path / "out").exists()


def test_after_a_failure_the_same_command_goes_on_with_resume_and_is_told_so(solardn, frames, tmp_path):
    words = ["denoise", frames / "*.npy", "--output-dir", tmp_path / "out", "--model", "smooth"]
    good = (frames / "f1.npy").read_bytes()
    (frames / "f1.npy").write_text("broken")
    result = solardn(*words)
    assert "the others are done, and with --resume the same command leaves them out" in result.stderr
    (frames / "f1.npy").write_bytes(good)
    assert "1 file denoised, 3 were done before" in solardn.good(*words, "--resume")


def test_jobs_that_share_a_folder_keep_their_notes(solardn, frames, tmp_path, monkeypatch):
    """The jobs of an array: one ends, and fails in one file, while another is on its way and is killed later."""

    def job(names, **options):
        words = [frames / name for name in names]
        return package.denoise_files(words, tmp_path / "out", model="smooth", resume=True, **options)

    def watch(number, total, path):
        if number == 2:
            job(["f3.npy", "gone.npy"])
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job(["f0.npy", "f1.npy", "f2.npy"], watch=watch)
    names = ["f0.npy", "f1.npy", "f2.npy"]
    outcome = job(names)
    assert [path.name for path in outcome.skipped] == names[:2]
    assert not outcome.failed
    assert len(job(["f3.npy"]).skipped) == 1


def test_what_is_done_is_told_at_once(frames, tmp_path):
    def watch(number, total, path):
        if number == 3:
            raise KeyboardInterrupt

    told = []
    with pytest.raises(KeyboardInterrupt):
        package.denoise_files([frames], tmp_path / "out", model="smooth", watch=watch, told=told.append)
    assert [summary.outputs[0].name for summary in told] == ["f0.npy", "f1.npy"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{frames}/*.xyz"], "no file fits"),
        (["@{frames}/gone.txt"], "gone.txt cannot be read"),
        (["{frames}/f0.npy", "{frames}/../f0.npy"], "would both write"),
        (["@{frames}/empty.txt"], "no input file"),
        (["@{frames}/loop.txt"], "leads back to itself"),
    ],
)
def test_lists_that_make_no_sense(solardn, frames, tmp_path, words, sentence):
    (frames / "empty.txt").write_text("\n")
    (frames / "loop.txt").write_text(f"@{frames / 'loop.txt'}\n")
    words = [word.format(frames=frames) for word in words]
    assert sentence in solardn.bad("denoise", *words, "--output-dir", tmp_path / "out", "--model", "smooth")
    assert not (tmp_path / "out").exists()


def test_a_name_that_reads_as_a_pattern_is_that_file_also_where_a_part_of_it_is_named(frames):
    odd = frames / "f[1].npy"
    odd.write_bytes((frames / "f0.npy").read_bytes())
    assert expand([odd, f"{odd}::data", f"{frames}/f[01].npy::data"]) == [
        odd,
        *(Path(f"{path}::data") for path in (odd, frames / "f0.npy", frames / "f1.npy")),
    ]


def test_outputs_never_replace_inputs(solardn, frames):
    said = solardn.bad("denoise", frames / "*.npy", "--output-dir", frames, "--model", "smooth", "--overwrite")
    assert "its own folder" in said


def test_no_residual_replaces_the_output_of_another_file(solardn, frames, tmp_path):
    (frames / "f0.residual.npy").write_bytes((frames / "f1.npy").read_bytes())
    words = ["denoise", frames / "f0.npy", frames / "f0.residual.npy", "--output-dir", tmp_path / "out"]
    words += ["--model", "smooth", "--overwrite"]
    for more in ([], ["--dry-run"]):
        assert "would both write" in solardn.bad(*words, "--residual", *more)
    assert not (tmp_path / "out").exists()
    assert "2 files denoised" in solardn.good(*words)


def test_no_twin_replaces_the_output_of_another_file(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for name in ("a.fcube", "a_sp.fcube", "a.npy", "a_sp.npy"):
            (tmp_path / folder / name).touch()
    with pytest.raises(package.OptionError, match=r"would both write .*a_sp\.fcube"):
        output_places([tmp_path / "one" / "a.fcube", tmp_path / "two" / "a_sp.fcube"], tmp_path / "out")
    assert len(output_places([tmp_path / "one" / "a.npy", tmp_path / "two" / "a_sp.npy"], tmp_path / "out")) == 2


def test_words_without_an_output_are_a_usage_error(solardn, frames):
    assert solardn("denoise", frames / "f0.npy").exit_code == 2
    assert solardn("denoise", frames / "f0.npy", "a.npy", "b.npy").exit_code == 2
    assert solardn("denoise", frames / "f0.npy", "--output-dir", "x", "--quicklook", "p.png").exit_code == 2


def test_from_python(frames, tmp_path):
    outcome = package.denoise_files([frames / "*.npy"], tmp_path / "out", model="smooth", threads=1, scale=1.0)
    assert len(outcome.done) == 4
    assert not outcome.failed


@pytest.mark.parametrize("inputs", [str, lambda folder: folder, lambda folder: iter(sorted(folder.iterdir()))])
def test_from_python_a_single_name_is_one_name(frames, tmp_path, inputs):
    done = package.denoise_files(inputs(frames), tmp_path / "out", model="smooth").done
    assert [summary.outputs[0].name for summary in done] == [f"f{number}.npy" for number in range(4)]
    alone = package.denoise_files(frames / "f2.npy", tmp_path / "alone", model="smooth", resume=True)
    again = package.denoise_files([str(frames / "f2.npy")], tmp_path / "alone", model="smooth", resume=True)
    assert (len(alone.done), again.skipped) == (1, (frames / "f2.npy",))


@pytest.mark.parametrize("inputs", [None, 3, [None], "", [""]])
def test_from_python_what_is_no_name_is_refused(tmp_path, monkeypatch, frames, inputs):
    monkeypatch.chdir(frames)
    with pytest.raises(package.OptionError, match=r"the inputs are|the name of an input is empty"):
        package.denoise_files(inputs, tmp_path / "out", model="smooth")
    assert not (tmp_path / "out").exists()


def test_names_of_options_that_do_not_exist_are_refused(frames, tmp_path):
    denoiser = package.Denoiser("smooth", threads=1)
    for one in (package.denoise_file, package.uncertainty_file):
        with pytest.raises(package.OptionError, match="nothing is known of noise_simga where a denoiser is given"):
            one(frames / "f0.npy", tmp_path / "out.npy", denoiser=denoiser, noise_simga=3e-3)
    with pytest.raises(package.OptionError, match="model 'stokes-best' and a denoiser of network 'smooth' exclude"):
        package.denoise_file(frames / "f0.npy", tmp_path / "out.npy", denoiser=denoiser, model="stokes-best")
    with pytest.raises(package.OptionError, match="nothing is known of tile where"):
        package.denoise_files([frames], tmp_path / "out", denoiser=denoiser, tile=64)
    outcome = package.denoise_files([frames], tmp_path / "out", model="smooth", noise_simga=3e-3)
    assert len(outcome.failed) == 4
    assert "noise_simga" in str(outcome.failed[0][1])


@pytest.mark.parametrize("words", [("info",), ("denoise", "--output-dir", "out", "--dry-run")])
def test_json_of_a_folder_is_one_object(solardn, crisp, tmp_path, monkeypatch, words):
    folder = tmp_path / "night"
    folder.mkdir()
    for name in ("a.fits", "b.fits"):
        (folder / name).write_bytes(crisp.read_bytes())
    monkeypatch.chdir(tmp_path)
    found = solardn.json(words[0], "night", *words[1:], "--model", "smooth")
    assert [Path(one["input"]).name.partition("[")[0] for one in found["files"]] == ["a.fits", "b.fits"]
    assert found["left"] == []


def test_only_twins_of_la_palma_cubes_are_left_aside(frames):
    for name in ("scan.npy", "scan_sp.npy"):
        np.save(frames / name, np.zeros((8, 8), np.float32))
    names = [path.name for path in expand([frames])]
    assert names[-2:] == ["scan.npy", "scan_sp.npy"]


def test_an_interrupted_run_says_what_is_kept(solardn, frames, tmp_path, monkeypatch):
    true = package.denoise_file

    def odd(given, output, **options):
        if given.name == "f2.npy":
            raise KeyboardInterrupt
        return true(given, output, **options)

    words = ["denoise", frames, "--output-dir", tmp_path / "out", "--model", "smooth"]
    monkeypatch.setattr("solardn.files.denoise_file", odd)
    result = solardn(*words)
    assert result.exit_code == 130
    assert "finished files are kept, with --resume the same command goes on" in result.stderr
    assert "run the same command to go on" in solardn(*words, "--resume").stderr
    assert sorted(path.name for path in (tmp_path / "out").glob("*.npy")) == ["f0.npy", "f1.npy"]


def test_the_verdict_on_each_file_is_told_and_all_about_it_when_asked(solardn, frames, tmp_path):
    words = ["denoise", frames, "--output-dir", tmp_path / "out", "--model", "smooth", "--overwrite"]
    assert solardn.good(*words).count("; residual: ") == 4
    assert solardn.good(*words, "--no-inspect").count("residual") == 0
    assert solardn.good(*words, "--verbose").count("  level     ") == 4


def test_what_is_damaged_in_a_folder_is_told(solardn, frames, tmp_path):
    (frames / "f1.npy").write_bytes(b"")
    (frames / "f2.npy").write_bytes(b"torn")
    (frames / "f4.fits").symlink_to(tmp_path / "gone.fits")
    (frames / "notes.txt").write_text("clouds at nine")
    result = solardn("denoise", frames, "--output-dir", tmp_path / "out", "--model", "smooth")
    assert result.exit_code == 1
    assert "3 of 5 files failed" in result.stderr
    reasons = ("f1.npy is empty", "f2.npy is neither", "f4.fits does not exist")
    assert all(reason in result.stderr for reason in reasons)
    for words in (("info", frames), ("denoise", frames, "--output-dir", tmp_path / "new", "--dry-run")):
        result = solardn(*words, "--model", "smooth", "--json")
        assert result.exit_code == 1
        figures = json.loads(result.stdout)
        assert (len(figures["files"]), len(figures["failed"])) == (2, 3)
        assert all(reason in result.stderr for reason in reasons)


def test_a_disk_that_fails_in_one_file_does_not_keep_the_others_from_being_done(frames, tmp_path):
    def odd(given, output, **options):
        if given.name == "f1.npy":
            raise OSError(5, "Input/output error", str(given))
        return package.denoise_file(given, output, **options)

    found = package.many.denoise_files([frames], tmp_path / "out", model="smooth", one=odd)
    assert len(found.done) == 3
    assert "f1.npy was stopped by the system" in str(found.failed[0][1])


def test_one_odd_file_does_not_keep_the_others_from_being_done(solardn, frames, tmp_path, monkeypatch):
    def odd(given, output, **options):
        if given.name == "f1.npy":
            raise ValueError("nobody thought of that")
        return package.denoise_file(given, output, **options)

    found = package.many.denoise_files([frames], tmp_path / "out", model="smooth", one=odd)
    assert len(found.done) == 3
    ((path, error),) = found.failed
    assert path.name == "f1.npy"
    assert "f1.npy stopped the work on it in a way that nobody foresaw (ValueError: nobody thought of that)" in str(
        error
    )


def test_names_beyond_ascii(solardn, tmp_path):
    header = fits.Header({"FILENAME": "obs.fits"})
    fits.writeto(tmp_path / "obs.fits", np.random.default_rng(0).normal(size=(48, 48)).astype(np.float32), header)
    solardn.good("denoise", tmp_path / "obs.fits", tmp_path / "größe.fits", "--model", "smooth")
    assert fits.getheader(tmp_path / "größe.fits")["FILENAME"] == "groe.fits"


def windows(path, shape=(48, 48)):
    """Write a file of three images of noise, the second of which is B."""
    rng = np.random.default_rng(0)
    images = [fits.ImageHDU(rng.normal(size=shape).astype(np.float32), name=name) for name in "AB"]
    fits.HDUList([fits.PrimaryHDU(rng.normal(size=shape).astype(np.float32)), *images]).writeto(path)
    return path


def test_a_part_that_is_named_is_the_part_that_is_inspected(solardn, tmp_path):
    given = windows(tmp_path / "in.fits")
    nothing = networks.nothing(tmp_path / "zero.onnx")
    words = (f"{given}::B", tmp_path / "out.fits")
    solardn.good("denoise", *words, "--model", nothing, "--quicklook", tmp_path / "a.png")
    looked = solardn.json("inspect", *words)
    assert looked["result"].endswith("out.fits[B]")
    assert looked["flat"]
    assert "names a part and --ext all another" in solardn.bad("info", words[0], "--ext", "all")
    assert "names a part and --ext all another" in solardn.bad("denoise", words[0], tmp_path / "c.fits", "--ext", "all")


def test_a_link_beside_its_file_is_done_once_too(solardn, frames, tmp_path):
    (frames / "latest.npy").symlink_to("f0.npy")
    for _ in range(2):
        said = solardn.good(
            "denoise", frames, "--output-dir", tmp_path / "out", "--model", "smooth", "--resume", "--axes", "y=0,x=1"
        )
    assert "before" in said
    assert (tmp_path / "out" / "latest.npy").read_bytes() == (tmp_path / "out" / "f0.npy").read_bytes()
