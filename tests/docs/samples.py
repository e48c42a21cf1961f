"""Files under the names that the documentation uses, small ones, so that its examples run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from tests import networks
from tests.acceptance.conftest import CRISP

STOKES, WAVELENGTHS, Y, X = 4, 3, 40, 52
_LA_PALMA = "stokes=[I,Q,U,V], ns=4 :  datatype=4 (float), dims=3, nx={}, ny={}, nt={}, endian=l"


def bundled(folder: Path) -> Path:
    """Write small networks under the names of those that ship."""
    folder.mkdir()
    for name in ("stokes", "stokes-best"):
        networks.checked(folder / f"{name}.onnx")
    networks.masked(
        folder / "stokes-bayes.onnx", rate=0.1, input_sigma=0.01
    )  # the exponential of its input stays finite
    return folder


def write(folder: Path) -> None:
    """Write all of them."""
    rng = np.random.default_rng(5)

    def noise(*shape: int, sigma: float = 0.02) -> np.ndarray:
        return rng.normal(0, sigma, shape).astype(np.float32)

    cube = noise(2, STOKES, WAVELENGTHS, Y, X)
    cube[:, 0] += 1
    for name in ("observation.fits", "series.fits", "cube.fits"):
        fits.writeto(folder / name, cube, fits.Header(CRISP))
    error = fits.ImageHDU(np.full((Y, X), 8.0, np.float32), name="ERR")
    magnetogram = fits.PrimaryHDU(noise(Y, X, sigma=8.0), fits.Header({"BUNIT": "Gauss"}))
    fits.HDUList([magnetogram, error]).writeto(folder / "magnetogram.fits")
    fits.writeto(folder / "error.fits", error.data)
    np.save(folder / "map.npy", cube[0, 1, 0])
    np.save(folder / "maps.npy", cube[:, 1, 0])
    raster = noise(STOKES, 20, WAVELENGTHS, 24)
    np.save(folder / "raster.npy", raster)
    places = {"CTYPE1": "HPLT-TAN", "CTYPE2": "AWAV", "CTYPE3": "HPLN-TAN", "CTYPE4": "STOKES", "CRPIX4": 1.0, "CRVAL4": 1.0, "CDELT4": 1.0}  # fmt: skip
    fits.writeto(folder / "raster.fits", raster, fits.Header(places))
    for name in ("frames", "data"):
        (folder / name).mkdir()
        for number in range(3):
            fits.writeto(folder / name / f"f{number}.fits", noise(Y, X))
    _la_palma(folder / "cube.fcube", cube)
    _camera(folder, rng)
    for name in ("network.onnx", "mine.onnx", "runs/mine/mine.onnx", "networks/authors-sst.onnx"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        networks.identity(folder / name)


def _la_palma(path: Path, cube: np.ndarray) -> None:
    twin = np.ascontiguousarray(cube.transpose(3, 4, 1, 0, 2))
    (nt, ns, nw, ny, nx), name = cube.shape, path.with_stem(f"{path.stem}_sp")
    for place, values, sizes in ((path, cube, (nx, ny, nt * ns * nw)), (name, twin, (nw, nt, nx * ny * ns))):
        place.write_bytes(_LA_PALMA.format(*sizes).encode().ljust(512, b"\0") + values.tobytes())


def _camera(folder: Path, rng: np.random.Generator) -> None:
    """Write counts of four modulation states, with dark, flat, and a single frame."""
    dark, flat = np.full((Y, X), 100.0, np.float32), rng.normal(20000, 800, (Y, X)).astype(np.float32)
    states = rng.normal(0.5, 0.002, (STOKES, WAVELENGTHS, Y, X)) * (flat - dark) + dark
    fits.writeto(folder / "dark.fits", dark)
    fits.writeto(folder / "flat.fits", flat)
    fits.writeto(folder / "raw.fits", states.astype(np.float32), fits.Header({"OBJECT": "quiet Sun"}))
    fits.writeto(folder / "frame.fits", dark + rng.normal(0, 5, (Y, X)).astype(np.float32))
