"""Cubes larger than memory."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from .conftest import CRISP
from .generated import sparse
from .test_table_of_files import CARRIED, row, rows

# VmHWM and not ru_maxrss, which counts what the parent held when it started the process.
MEASURE = """
import pathlib, solardn, sys
solardn.denoise_file(sys.argv[1], sys.argv[2], model="smooth", noise_sigma=1.0, memory="64MB", threads=1, axes=sys.argv[3] or None)
print(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0] + "000")
"""


def peak(given, axes=""):
    """Return the peak memory of a run, in bytes."""
    output = given.with_name(f"out{given.suffix}")
    command = [sys.executable, "-c", MEASURE, given, output, axes]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    shutil.rmtree(output) if output.is_dir() else output.unlink()
    return int(done.stdout)


def pieces(length):
    """Return maps of noise, many of them alike, so that they are made fast."""
    few = np.random.default_rng(0).normal(0, 100, (7, 300, 300)).astype(np.int16).astype(np.float32)
    return few[np.arange(length) % 7]


def rice(path, length):
    image = fits.CompImageHDU(pieces(length).astype(np.int16), compression_type="RICE_1", tile_shape=(1, 300, 300))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)


def hdf5(path, length):
    with pytest.importorskip("h5py").File(path, "w") as file:
        file.create_dataset("a", data=pieces(length), chunks=(10, 100, 100), compression="lzf")


def zarr(path, length):
    group = pytest.importorskip("zarr").create_group(str(path))
    group.create_array("a", shape=(length, 300, 300), dtype="f4", chunks=(10, 100, 100))[:] = pieces(length)


CONTAINERS = {
    "in.fits": rice,
    "in.npz": lambda path, length: np.savez(path, a=pieces(length)),
    "in.h5": hdf5,
    "in.zarr": zarr,
}

tells_memory = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this system does not tell peak memory"
)


@pytest.mark.slow
@tells_memory
@pytest.mark.parametrize(
    ("small", "large", "axes"), [((20, 300, 300), (600, 300, 300), ""), ((100, 90, 60), (100, 90, 6000), "y=1,x=0")]
)
def test_memory_does_not_grow_with_the_cube(tmp_path, small, large, axes):
    before, after = (peak(sparse(tmp_path / "in.fits", shape), axes) for shape in (small, large))
    assert after - before < 60e6  # the large cube has 216 MB


@pytest.mark.slow
@tells_memory
@pytest.mark.parametrize("name", CONTAINERS)
def test_memory_does_not_grow_with_the_cube_in_a_container(tmp_path, name):
    peaks = []
    for length in (20, 800):
        (tmp_path / str(length)).mkdir()
        CONTAINERS[name](tmp_path / str(length) / name, length)
        peaks.append(peak(tmp_path / str(length) / name, "y=1,x=2"))
    print(name, [round(one / 1e6) for one in peaks])
    assert peaks[1] - peaks[0] < 160e6  # buffers of pieces and chunks; the large cube has 288 MB


@pytest.mark.slow
@tells_memory
def test_a_cube_of_3_gigabytes_is_carried_to_its_end_below_1_gigabyte_of_memory(solardn, tmp_path):
    """Of noise in all its maps, through a network that returns its input: what is left is to read and to write."""
    few = np.random.default_rng(0).normal(0, 1, (4, 1000, 1000)).astype(">f4")
    given, made = sparse(tmp_path / "in.fits", (750, 1000, 1000)), tmp_path / "out.fits"
    with given.open("r+b") as file:
        file.seek(2880)
        for number in range(750):
            file.write(few[number % 4].tobytes())
    assert row(CARRIED, solardn.json("info", given, "--model", "smooth")) in rows()
    measure = MEASURE.replace("smooth", "same").replace("64MB", "512MB").replace("axes=", "inspect=False, axes=")
    command = [sys.executable, "-c", measure, given, made, ""]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    with fits.open(made, memmap=True) as hdus:
        assert hdus[0].header["NAXIS3"] == 750
        assert (hdus["SOLARDN"].data["CYCLES"] == 1).all()
        for number in (0, 1, 374, 749):
            np.testing.assert_array_equal(hdus[0].section[number], few[number % 4])
    assert int(done.stdout) < 1e9
    given.unlink()
    made.unlink()


def test_with_a_network_that_changes_nothing_only_keywords_are_added(solardn, tmp_path):
    """The round trip of a 5-D cube with its tables: fitsdiff finds what was recorded, and nothing else."""
    data = np.random.default_rng(0).normal(0, 1, (2, 4, 3, 20, 24)).astype(np.float32)
    table = fits.BinTableHDU.from_columns([fits.Column("A", "D", array=np.arange(3.0))], name="TIMES")
    hdus = fits.HDUList([fits.PrimaryHDU(data, fits.Header(CRISP)), table, fits.ImageHDU(data[0, 0, 0], name="DARK")])
    hdus.writeto(tmp_path / "in.fits", checksum=True)
    solardn.good("denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "same", "--scale", 1)
    with fits.open(tmp_path / "in.fits") as before, fits.open(tmp_path / "out.fits", checksum=True) as after:
        assert after[-1].name == "SOLARDN"
        added = {"LONGSTRN", "HISTORY", "PARENTXT", "CREATOR", "VERS_SW", "DATE", "CHECKSUM", "DATASUM"}
        for one, other in zip(before, after[:-1], strict=True):
            difference = fits.HDUDiff(one, other, ignore_keywords=["PR*", *added])
            assert difference.diff_data is None or difference.diff_data.identical
            keywords = difference.diff_headers
            found = keywords.diff_keywords, keywords.diff_keyword_values, keywords.diff_keyword_comments
            assert not any(found)
    solardn.good("denoise", tmp_path / "in.fits", tmp_path / "again.fits", "--model", "same", "--noise-sigma", 1)
    np.testing.assert_array_equal(fits.getdata(tmp_path / "again.fits"), data)
