"""The demo: an observation and its truth as files, and what a result reached against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import OptionError
from .simulation import CADENCE, OFFSETS, SIZE, TIMES, Array, noise, truth

if TYPE_CHECKING:
    from .api import Denoiser


def header(filename: str) -> Any:
    """Return the FITS header of a file of the observation: axes x, y, wavelength, Stokes, time; keywords as SOLARNET recommends."""
    from astropy.io import fits

    made = fits.Header()
    axes = (
        ("HPLN-TAN", "arcsec", SIZE / 2 + 0.5, -120.0, 0.059),
        ("HPLT-TAN", "arcsec", SIZE / 2 + 0.5, 210.0, 0.059),
        ("WAVE", "nm", 3.0, 617.334, 0.0105),
        ("STOKES", "", 1.0, 1.0, 1.0),
        ("UTC", "s", 1.0, 0.0, CADENCE),
    )
    for number, (kind, unit, pixel, value, step) in enumerate(axes, 1):
        made[f"CTYPE{number}"], made[f"CUNIT{number}"] = kind, unit
        made[f"CRPIX{number}"], made[f"CRVAL{number}"], made[f"CDELT{number}"] = pixel, value, step
    cards = {
        "EXTNAME": ("STOKES", "Stokes I, Q, U, V"),
        "SOLARNET": (0.5, "most keywords that SOLARNET recommends"),
        "OBS_HDU": (1, "this image is an observation"),
        "FILENAME": filename,
        "ORIGIN": "solardn demo",
        "BTYPE": ("phot.flux.density", "with Stokes parameters along axis 4"),
        "BUNIT": ("", "units of the continuum intensity"),
        "TELESCOP": "none (simulation)",
        "INSTRUME": "none (simulation, as of SST/CRISP)",
        "OBJECT": "simulated active region",
        "DATEREF": ("2026-01-01T00:00:00", "zero of axis 5"),
        "DATE-BEG": "2026-01-01T00:00:00",
        "DATE-END": f"2026-01-01T00:{int(TIMES * CADENCE) // 60:02d}:{int(TIMES * CADENCE) % 60:02d}",
        "WAVEUNIT": (-9, "WAVEMIN and WAVEMAX are in nm"),
        "WAVEMIN": 617.334 + OFFSETS[0] / 10,
        "WAVEMAX": 617.334 + OFFSETS[-1] / 10,
        "POLCCONV": ("(+HPLT,-HPLN,+HPRZ)", "axes of Stokes Q and U"),
        "PRSTEP1": ("SIMULATION", "kind of processing step"),
        "PRPROC1": ("solardn demo", "procedure"),
    }
    for key, value in cards.items():
        made[key] = value
    return made


FILES = (
    "observation.fits",
    "truth.fits",
    "denoised.fits",
    "picture.png",
    "sheet.png",
    "uncertainty.png",
    "report.html",
)
"""What a demo writes into its folder."""


def simulate(folder: Path, *, overwrite: bool = False) -> tuple[Path, Path]:
    """Write ``observation.fits`` and ``truth.fits`` into a folder, which is made where it does not exist.

    Parameters
    ----------
    folder : pathlib.Path
    overwrite : bool
        Replace files of the names that a demo writes (`FILES`); else none of them may exist.

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
    places = [check_place(folder / name, [], overwrite) for name in FILES]  # before anything is written
    clean = truth()
    noisy = clean + noise(clean.shape)
    paths = []
    for name, path, cube in zip(FILES, places, (noisy, clean), strict=False):
        with writing(path):
            fits.PrimaryHDU(cube.astype(np.float32), header(name)).writeto(path, overwrite=overwrite, checksum=True)
        paths.append(folder / name)
    return paths[0], paths[1]


def errors(observation: Path, result: Path, clean: Path) -> dict[str, tuple[float, float]]:
    """Return, for Q, U and V, the rms error against the truth before and after, in the data's units."""
    from astropy.io import fits

    before, after, true = (fits.getdata(path).astype(np.float64) for path in (observation, result, clean))
    return {
        letter: (float((before[:, n] - true[:, n]).std()), float((after[:, n] - true[:, n]).std()))
        for n, letter in enumerate("IQUV")
        if letter != "I"
    }


@dataclass(frozen=True)
class Trust:
    """How the standard deviations of some maps compare with their true errors.

    Attributes
    ----------
    network, method : str
        What estimated them, and how.
    maps : int
        How many maps they are of: Q, U and V at one wavelength.
    sigma, error : float
        Their quadratic mean, and the rms of the true errors, in the data's units.
    within_1, within_2 : float
        Part of the pixels, 0 to 1, whose error is below 1 and 2 standard deviations; 0.68 and 0.95 for Gaussian errors of that size.
    observation, mean, deviation : (y, x) arrays
        Stokes Q, for a picture.
    """

    network: str
    method: str
    maps: int
    sigma: float
    error: float
    within_1: float
    within_2: float
    observation: Array
    mean: Array
    deviation: Array


CENTRE = (TIMES // 2, len(OFFSETS) // 2)
"""Time and wavelength of the maps whose uncertainty is estimated: the middle scan, in the middle of the line."""


def trust(denoiser: Denoiser, observation: Path, clean: Path, sigma: float) -> Trust:
    """Estimate the uncertainty of Q, U and V at one wavelength and time, and hold it against the truth.

    Parameters
    ----------
    denoiser : Denoiser
        With dropout its masks are drawn, 20 samples; without, views of the map stand in (method ``flips``).
    observation, clean : pathlib.Path
    sigma : float
        rms of the noise.
    """
    from astropy.io import fits

    time, wavelength = CENTRE
    before, true = (fits.getdata(path)[time, 1:, wavelength].astype(np.float64) for path in (observation, clean))
    method = "dropout" if denoiser.card.dropout else "flips"
    found = denoiser.uncertainty(before, samples=20, method=method, noise_sigma=sigma)
    error, deviation = np.abs(found.mean - true), found.sigma.astype(np.float64)
    return Trust(
        denoiser.card.name,
        method,
        len(before),
        float(np.sqrt(np.mean(deviation**2))),
        float(np.sqrt(np.mean(error**2))),
        float(np.mean(error < deviation)),
        float(np.mean(error < 2 * deviation)),
        before[0],
        found.mean[0].astype(np.float64),
        deviation[0],
    )
