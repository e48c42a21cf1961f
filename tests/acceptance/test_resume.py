"""A run that was killed goes on where it stopped, and gives the same bytes as one that was not."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from astropy.io import fits

import solardn as package

from .conftest import CRISP, StopError, stop_after

KILLS = int(os.environ.get("SOLARDN_TEST_KILLS", "4"))


@pytest.fixture
def cube(tmp_path):
    data = np.random.default_rng(0).normal(0, 1, (2, 4, 6, 60, 64)).astype(np.float32)
    header = fits.Header(CRISP | {"DATAMEAN": 0.0, "DATARMS": 1.0})
    fits.PrimaryHDU(data, header).writeto(tmp_path / "in.fits")
    return tmp_path / "in.fits"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def start(cube, folder_of_networks, *words):
    environment = os.environ | {"SOLARDN_MODELS": str(folder_of_networks)}
    command = [
        sys.executable,
        "-m",
        "solardn",
        "denoise",
        cube,
        cube.with_name("out.fits"),
        "--model",
        "smooth",
        "--noise-sigma",
        "1",
        "-q",
        "--cycles",
        "30",
    ]
    return subprocess.Popen([*command, "--residual", *words], env=environment)


@pytest.mark.slow
def test_killed_at_random_moments(solardn, cube, tmp_path, folder_of_networks):
    solardn.good(
        "denoise", cube, tmp_path / "whole.fits", "--model", "smooth", "--noise-sigma", 1, "--residual", "--cycles", 30
    )
    expected = hashlib.sha256((tmp_path / "whole.fits").read_bytes()).hexdigest()
    journal, chance = tmp_path / ".out.fits.solardn-journal", random.Random(1)
    for _ in range(KILLS):
        target = chance.randrange(1, 40)
        process = start(cube, folder_of_networks, "--resume")
        while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > target):
            time.sleep(0.001)
        process.kill()
        process.wait()
        assert not (tmp_path / "out.fits").exists() or process.returncode == 0
        assert start(cube, folder_of_networks, "--resume").wait() == 0 if not (tmp_path / "out.fits").exists() else True
        assert hashlib.sha256((tmp_path / "out.fits").read_bytes()).hexdigest() == expected
        assert names(tmp_path) == ["in.fits", "out.fits", "whole.fits"]
        (tmp_path / "out.fits").unlink()


def interrupted(cube, count, **options):
    with pytest.raises(StopError):
        package.denoise_file(
            cube, cube.with_name("out.fits"), progress=stop_after(count), **{"model": "smooth"} | options
        )


def test_a_failed_run_leaves_nothing_unless_it_may_go_on(cube, tmp_path):
    interrupted(cube, 20)
    assert names(tmp_path) == ["in.fits"]
    interrupted(cube, 20, resume=True)
    assert names(tmp_path) == [".out.fits.solardn-journal", ".out.fits.solardn-part", "in.fits"]


@pytest.mark.parametrize("count", [1, 20, 48])
def test_a_run_goes_on_at_the_first_missing_map(cube, tmp_path, count):
    whole = package.denoise_file(cube, tmp_path / "whole.fits", model="smooth")
    interrupted(cube, count, resume=True)
    calls = []
    again = package.denoise_file(
        cube, tmp_path / "out.fits", model="smooth", resume=True, progress=lambda done, *_: calls.append(done)
    )
    assert len(calls) < 48 - count + 20
    assert (tmp_path / "out.fits").read_bytes() == (tmp_path / "whole.fits").read_bytes()
    assert again.maps == whole.maps or repr(again.maps) == repr(whole.maps)
    assert again.inspection.short == whole.inspection.short
    assert names(tmp_path) == ["in.fits", "out.fits", "whole.fits"]


def test_large_maps_in_strips_go_on_with_the_same_verdicts_and_header(tmp_path, monkeypatch):
    monkeypatch.setattr("solardn.strips.SHARE", 10**9)
    monkeypatch.setattr("solardn.inspector.LOOKED", 100)
    data = np.random.default_rng(0).normal(0, 1, (3, 400, 250)).astype(np.float32)
    fits.PrimaryHDU(data, fits.Header({"DATAMEAN": 0.0, "DATARMS": 1.0})).writeto(tmp_path / "in.fits")
    words = {"model": "smooth", "axes": "time=0", "tile": 64, "noise_sigma": 1.0}
    package.denoise_file(tmp_path / "in.fits", tmp_path / "whole.fits", **words)
    interrupted(tmp_path / "in.fits", 2, **words | {"resume": True})
    package.denoise_file(tmp_path / "in.fits", tmp_path / "out.fits", **words, resume=True)
    same = (tmp_path / "out.fits").read_bytes() == (tmp_path / "whole.fits").read_bytes()
    assert same


def test_a_run_goes_on_with_as_many_threads_as_there_are_now(cube, tmp_path):
    package.denoise_file(cube, tmp_path / "whole.fits", model="smooth", threads=2)
    interrupted(cube, 20, resume=True, threads=2)
    calls = []
    package.denoise_file(
        cube,
        tmp_path / "out.fits",
        model="smooth",
        resume=True,
        threads=1,
        progress=lambda done, *_: calls.append(done),
    )
    assert len(calls) < 48
    assert (tmp_path / "out.fits").read_bytes() == (tmp_path / "whole.fits").read_bytes()


def test_a_run_does_not_go_on_with_another_runtime(cube, monkeypatch):
    interrupted(cube, 20, resume=True)
    monkeypatch.setattr(np, "__version__", "9.9")
    with pytest.raises(package.OutputError, match="cannot go on, because libraries changed; run without --resume"):
        package.denoise_file(cube, cube.with_name("out.fits"), model="smooth", resume=True)


@pytest.mark.parametrize("layer", ["out.fits", "out.npy"])
def test_a_run_whose_pixels_are_gone_begins_anew_and_makes_no_zeros(cube, tmp_path, layer):
    """As when it was killed between two renames, or its hidden file was deleted and its journal was not."""
    suffix = layer[-5:].split(".")[1]
    given = cube
    if suffix == "npy":
        given = tmp_path / "in.npy"
        np.save(given, fits.getdata(cube)[0])
    words = {"model": "smooth", "residual": True, "scale": 1.0}
    whole = package.denoise_file(given, tmp_path / f"whole.{suffix}", **words)
    with pytest.raises(StopError):
        package.denoise_file(given, tmp_path / f"out.{suffix}", **words, resume=True, progress=stop_after(20))
    (tmp_path / f".{layer}.solardn-part").unlink()
    package.denoise_file(given, tmp_path / f"out.{suffix}", **words, resume=True)
    for path in whole.outputs:
        same = path.read_bytes() == path.with_name(path.name.replace("whole", "out")).read_bytes()
        assert same, path  # comparing bytes in the assertion would print them


@pytest.mark.parametrize("suffix", ["fits", "npy"])
def test_what_is_written_already_needs_no_room_any_more(cube, tmp_path, monkeypatch, suffix):
    given = cube
    if suffix == "npy":
        given = tmp_path / "in.npy"
        np.save(given, fits.getdata(cube))
    words = {"model": "smooth", "residual": True, "scale": 1.0, "resume": True}
    with pytest.raises(StopError):
        package.denoise_file(given, tmp_path / f"out.{suffix}", **words, progress=stop_after(40))
    size = 2 * given.stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(size, size, size // 2))
    with pytest.raises(package.OutputError, match="on its disk"):
        package.denoise_file(given, tmp_path / f"another.{suffix}", **words)
    package.denoise_file(given, tmp_path / f"out.{suffix}", **words)


def test_a_raster_goes_on_too(tmp_path):
    data = np.random.default_rng(0).normal(0, 1, (30, 40, 50)).astype(np.float32)
    np.save(tmp_path / "in.npy", data)
    options = {"model": "smooth", "axes": "y=1,x=0", "memory": "700kB", "tile": 64, "scale": 1.0, "residual": True}
    package.denoise_file(tmp_path / "in.npy", tmp_path / "whole.npy", **options)
    with pytest.raises(StopError):
        package.denoise_file(tmp_path / "in.npy", tmp_path / "out.npy", progress=stop_after(33), resume=True, **options)
    package.denoise_file(tmp_path / "in.npy", tmp_path / "out.npy", resume=True, **options)
    for one, other in (("out.npy", "whole.npy"), ("out.residual.npy", "whole.residual.npy")):
        assert (tmp_path / one).read_bytes() == (tmp_path / other).read_bytes()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": "same"}, "sha256"),
        ({"cycles": 2}, "cycles"),
        ({"views": 2}, "views"),
        ({"noise_sigma": 3}, "noise_sigma"),
        ({"stokes": "V"}, "stokes"),
    ],
)
def test_another_task_does_not_go_on(cube, tmp_path, change, word):
    interrupted(cube, 10, resume=True)
    before = (tmp_path / ".out.fits.solardn-part").read_bytes()
    with pytest.raises(package.OutputError, match=rf"cannot go on.*{word}"):
        package.denoise_file(cube, tmp_path / "out.fits", **({"model": "smooth", "resume": True} | change))
    assert (tmp_path / ".out.fits.solardn-part").read_bytes() == before


def test_another_input_does_not_go_on(cube, tmp_path):
    interrupted(cube, 10, resume=True)
    os.utime(cube, (1, 1))
    with pytest.raises(package.OutputError, match=r"cannot go on, because input changed"):
        package.denoise_file(cube, tmp_path / "out.fits", model="smooth", resume=True)
    package.denoise_file(cube, tmp_path / "out.fits", model="smooth")
    assert names(tmp_path) == ["in.fits", "out.fits"]
