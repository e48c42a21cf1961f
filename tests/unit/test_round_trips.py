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
