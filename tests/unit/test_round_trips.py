"""What goes through a network that changes nothing comes back as it was, from files of any shape, type and order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import solardn
from tests import networks

TYPES = st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<i2", ">i4", "u1"])


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> solardn.Denoiser:
    return solardn.Denoiser(networks.identity(tmp_path_factory.mktemp("network") / "same.onnx"), device="cpu")


@st.composite
def arrays(draw: st.DrawFn) -> NDArray[np.generic]:
    """Draw a stack of small maps of any type."""
    leading = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    shape = (*leading, draw(st.integers(8, 20)), draw(st.integers(8, 20)))
    values = np.random.default_rng(draw(st.integers(0, 99))).normal(60, 20, shape)
    return np.clip(values, 0, 120).astype(draw(TYPES))


def through(same: solardn.Denoiser, given_file: Path, output: Path) -> None:
    solardn.denoise_file(given_file, output, denoiser=same, scale=1.0, inspect=False, overwrite=True, fill_value="none")


@settings(max_examples=15)
@given(array=arrays(), fortran=st.booleans())
def test_npy(array: NDArray[np.generic], fortran: bool, same: solardn.Denoiser, tmp_path_factory: pytest.TempPathFactory) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("npy")
    np.save(folder / "in.npy", np.asfortranarray(array) if fortran else array)
    through(same, folder / "in.npy", folder / "out.npy")
    np.testing.assert_array_equal(np.load(folder / "out.npy"), array.astype(np.float32))


@settings(max_examples=15)
@given(array=arrays())
def test_fits(array: NDArray[np.generic], same: solardn.Denoiser, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("fits")
    fits.writeto(folder / "in.fits", array, fits.Header({"OBJECT": "Sun"}))
    through(same, folder / "in.fits", folder / "out.fits")
    with fits.open(folder / "out.fits", checksum=True) as hdus:
        np.testing.assert_array_equal(hdus[0].data, array.astype(np.float32))
        assert hdus[0].header["OBJECT"] == "Sun"


@pytest.mark.parametrize("how", ["RICE_1", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1", "GZIP_2 of floats"])
def test_fits_compressed_by_tiles(how: str, same: solardn.Denoiser, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(60, 20, (3, 24, 32)).clip(0)
    array = values.astype(np.float32 if "floats" in how else np.int16)
    header = fits.Header({"OBJECT": "Sun", "CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"})
    image = fits.CompImageHDU(array, header, compression_type=how.split()[0], quantize_level=0, tile_shape=(1, 24, 32))
    table = fits.BinTableHDU.from_columns([fits.Column("A", "D", array=np.arange(3.0))], name="TIMES")
    fits.HDUList([fits.PrimaryHDU(), image, table]).writeto(tmp_path / "in.fits", checksum=True)
    through(same, tmp_path / "in.fits", tmp_path / "out.fits")
    with fits.open(tmp_path / "in.fits") as before, fits.open(tmp_path / "out.fits", checksum=True) as after:
        np.testing.assert_array_equal(after[1].data, array)
        difference = fits.HeaderDiff(
            before[1].header, after[1].header, ignore_keywords=["BITPIX", "CHECKSUM", "DATASUM"]
        )
        lost, added = difference.diff_keywords
        assert not lost
        known = {"HISTORY", "PARENTXT", "CREATOR", "VERS_SW", "DATE"}
        assert all(key in known or key.startswith("PR") for key in added)
        assert not difference.diff_keyword_values
        assert fits.HDUDiff(before[2], after[2]).identical


@pytest.mark.parametrize("order", ["<", ">"])
def test_la_palma(order: str, same: solardn.Denoiser, tmp_path: Path) -> None:
    array = (
        np.random.default_rng(0).normal(0, 9, (2, 4, 3, 20, 24)).astype(f"{order}f4")
    )  # time, Stokes, wavelength, y, x
    text = f"stokes=[I,Q,U,V], ns=4 :  datatype=4 (float), dims=3, nx={{}}, ny={{}}, nt={{}}, endian={'b' if order == '>' else 'l'}"
    files = {"in.fcube": (array, (24, 20, 24)), "in_sp.fcube": (array.transpose(3, 4, 1, 0, 2), (3, 2, 4 * 20 * 24))}
    for name, (values, lengths) in files.items():
        (tmp_path / name).write_bytes(text.format(*lengths).encode().ljust(512, b"\0") + values.tobytes())
    through(same, tmp_path / "in.fcube", tmp_path / "out.fcube")
    for name in files:
        given, made = (tmp_path / name).read_bytes(), (tmp_path / name.replace("in", "out")).read_bytes()
        assert given[512:] == made[512:]
