"""Cubes larger than memory."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from .conftest import CRISP

MEASURE = """
import resource, solardn, sys
solardn.denoise_file(sys.argv[1], sys.argv[2], model="smooth", noise_sigma=1.0, memory="64MB", threads=1, axes=sys.argv[3] or None)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def sparse(path, shape):
    """Write a FITS cube of zeros with one noisy corner, without writing the zeros."""
    header = fits.Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", len(shape))])
    for number, length in enumerate(reversed(shape), 1):
        header[f"NAXIS{number}"] = length
    size = 4 * int(np.prod(shape))
    with path.open("wb") as file:
        file.write(header.tostring().encode())
        file.write(np.random.default_rng(0).normal(0, 1, 10**5).astype(">f4").tobytes())
        file.truncate(2880 + size + -size % 2880)


def peak(folder, shape, axes=""):
    sparse(folder / "in.fits", shape)
    command = [sys.executable, "-c", MEASURE, folder / "in.fits", folder / "out.fits", axes]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    (folder / "out.fits").unlink()
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF"), reason="this system does not tell peak memory")
@pytest.mark.parametrize(
    ("small", "large", "axes"), [((20, 300, 300), (600, 300, 300), ""), ((100, 90, 60), (100, 90, 6000), "y=1,x=0")]
)
def test_memory_does_not_grow_with_the_cube(tmp_path, small, large, axes):
    before, after = peak(tmp_path, small, axes), peak(tmp_path, large, axes)
    assert after - before < 60e6  # the large cube has 216 MB


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
