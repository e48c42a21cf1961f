"""Files of noisy maps, written map by map, for benchmarks of whole processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

NOISE = 0.002
"""rms of the noise, as in maps in units of the continuum intensity."""


def fits_cube(path: Path, number: int, side: int) -> Path:
    """Write a cube (time, y, x) of float32; a few different maps are repeated."""
    from astropy.io import fits

    rng = np.random.default_rng(number)
    few = [(NOISE * rng.standard_normal((side, side), np.float32)).astype(">f4") for _ in range(min(number, 4))]
    header = fits.Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 3)])
    header.update({"NAXIS1": side, "NAXIS2": side, "NAXIS3": number})
    header.update({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "TIME"})
    cube = fits.StreamingHDU(path, header)
    for place in range(number):
        cube.write(few[place % len(few)])
    cube.close()
    return path


def npy_cube(path: Path, number: int, side: int) -> Path:
    """Write an array (map, y, x) of float32 as .npy; a few different maps are repeated."""
    rng = np.random.default_rng(number)
    few = [NOISE * rng.standard_normal((side, side), np.float32) for _ in range(min(number, 4))]
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(number, side, side))
    for place in range(number):
        array[place] = few[place % len(few)]
    array.flush()
    return path
