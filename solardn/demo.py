"""A simulated observation with known truth, for a first try: Stokes I, Q, U, V of an active region over a spectral line.

Made of random fields and a line in the weak-field limit, by nothing but numpy and astropy; it has no part in the training of networks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import OptionError

Array = NDArray[np.float64]

NOISE = 2e-3
"""rms of the noise, in units of the continuum intensity."""

_SIZE = 320  # pixels
_CUTOFF = 0.3  # cycles a pixel: the telescope's diffraction limit
_OFFSETS = np.array([-0.21, -0.105, 0.0, 0.105, 0.21])  # Å from the centre of the line
_WIDTH = 0.12  # Å


def truth(seed: int = 1) -> Array:
    """Return Stokes maps without noise.

    Parameters
    ----------
    seed : int
        Of the random fields.

    Returns
    -------
    ndarray of float64
        Shape (stokes I, Q, U, V; wavelength; y, x), in units of the continuum intensity.
    """
    rng = np.random.default_rng(seed)
    granules = _field(rng, 7, 1.0)
    network = np.clip(np.abs(_field(rng, 18, 2.0)) - 0.9, 0, None) * np.sign(_field(rng, 60, 2.0))
    fibrils = _field(rng, 3, 1.0) * np.clip(_field(rng, 40, 2.0), 0, None)
    field = _monopole(0.42, 0.4, 30, 1400) + _monopole(0.7, 0.66, 16, -900)  # gauss along x, y and the line of sight
    field[2] += 350 * network + 20 * fibrils
    for direction in (0, 1):
        field[direction] += 120 * _field(rng, 10, 1.0) * np.abs(network) + 60 * fibrils * _field(rng, 30, 2.0)
    across, angle = np.hypot(field[0], field[1]), np.arctan2(field[1], field[0])
    umbra = np.clip((np.abs(field[2]) - 500) / 900, 0, 1)
    depth = 0.6 + 0.05 * granules
    continuum = 1 + 0.06 * granules * (1 - umbra) - 0.7 * umbra
    shape = np.exp(-((_OFFSETS[:, None, None] / _WIDTH) ** 2))
    slope = 2 * _OFFSETS[:, None, None] / _WIDTH**2 * shape * depth
    curvature = (4 * _OFFSETS[:, None, None] ** 2 / _WIDTH**2 - 2) / _WIDTH**2 * shape * depth
    splitting = 4.4e-5  # Å a gauss, at 6173 Å with a Landé factor of 2.5
    linear = 0.25 * (splitting * across) ** 2 * curvature
    maps = [
        1 - depth * shape,
        linear * np.cos(2 * angle),
        linear * np.sin(2 * angle),
        splitting * field[2] * slope,
    ]
    return _limited(continuum * np.stack(maps))


def noise(shape: tuple[int, ...], seed: int = 2) -> Array:
    """Return noise as restored observations have it: nothing beyond the telescope's limit, and more of it here than there.

    Parameters
    ----------
    shape : tuple of int
        Its last two axes are y and x.
    seed : int
    """
    rng = np.random.default_rng(seed)
    white = _limited(rng.standard_normal(shape))
    level = 1 + 0.25 * _field(rng, 60, 2.0)
    field = white / white.std() * np.clip(level, 0.5, 1.6)
    return np.asarray(NOISE * field / field.std())


def header() -> Any:
    """Return the FITS header of the observation: axes x, y, wavelength, Stokes."""
    from astropy.io import fits

    made = fits.Header()
    axes = (
        ("HPLN-TAN", "arcsec", _SIZE / 2 + 0.5, -120.0, 0.059),
        ("HPLT-TAN", "arcsec", _SIZE / 2 + 0.5, 210.0, 0.059),
        ("WAVE", "nm", 3.0, 617.334, 0.0105),
        ("STOKES", "", 1.0, 1.0, 1.0),
    )
    for number, (kind, unit, pixel, value, step) in enumerate(axes, 1):
        made[f"CTYPE{number}"], made[f"CUNIT{number}"] = kind, unit
        made[f"CRPIX{number}"], made[f"CRVAL{number}"], made[f"CDELT{number}"] = pixel, value, step
    made["BUNIT"] = ("", "units of the continuum intensity")
    made["OBJECT"], made["INSTRUME"] = "simulated active region", "none (simulation)"
    made["PRSTEP1"], made["PRPROC1"] = "SIMULATION", "solardn demo"
    return made


def simulate(folder: Path, *, overwrite: bool = False) -> tuple[Path, Path]:
    """Write ``observation.fits`` and ``truth.fits`` into a folder, which is made where it does not exist.

    Parameters
    ----------
    folder : pathlib.Path
    overwrite : bool
        Replace files of these names.

    Returns
    -------
    observation, truth : pathlib.Path

    Raises
    ------
    OutputError
        The files exist or cannot be written.
    OptionError
        The folder is a file.
    """
    from astropy.io import fits

    from .io.place import check_place, writing

    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file; name a folder for the demo")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    clean = truth()
    noisy = clean + noise(clean.shape)
    paths = []
    for name, cube in (("observation.fits", noisy), ("truth.fits", clean)):
        path = check_place(folder / name, [], overwrite)
        with writing(path):
            fits.PrimaryHDU(cube.astype(np.float32), header()).writeto(path, overwrite=overwrite, checksum=True)
        paths.append(folder / name)
    return paths[0], paths[1]


def errors(observation: Path, result: Path, clean: Path) -> dict[str, tuple[float, float]]:
    """Return, for Q, U and V, the rms error against the truth before and after, in the data's units."""
    from astropy.io import fits

    before, after, true = (fits.getdata(path).astype(np.float64) for path in (observation, result, clean))
    return {
        letter: (float((before[n] - true[n]).std()), float((after[n] - true[n]).std()))
        for n, letter in enumerate("IQUV")
        if letter != "I"
    }


def _field(rng: np.random.Generator, scale: float, steepness: float) -> Array:
    """Return a smooth random map of rms 1 with structure of about `scale` pixels."""
    frequency = np.hypot(np.fft.fftfreq(_SIZE)[:, None], np.fft.fftfreq(_SIZE)[None])
    amplitude = (1 + (frequency * scale) ** 2) ** (-1 - steepness)
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((_SIZE, _SIZE))) * amplitude).real
    field -= field.mean()
    return np.asarray(field / field.std())


def _limited(maps: Array) -> Array:
    """Return maps without the frequencies that the telescope cannot see."""
    frequency = np.hypot(np.fft.fftfreq(maps.shape[-2])[:, None], np.fft.fftfreq(maps.shape[-1])[None])
    return np.asarray(np.fft.ifft2(np.fft.fft2(maps) * (frequency < _CUTOFF)).real)


def _monopole(y: float, x: float, depth: float, peak: float) -> Array:
    """Return the field of a pole under the surface: (along x, along y, along the line of sight; y; x), in gauss."""
    rows, columns = np.mgrid[:_SIZE, :_SIZE]
    away = np.stack([columns - x * _SIZE, rows - y * _SIZE, np.full((_SIZE, _SIZE), depth)])
    return np.asarray(peak * depth**2 * away / (away**2).sum(0) ** 1.5)
