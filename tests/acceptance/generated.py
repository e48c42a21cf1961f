"""Files as observatories write them, made from random numbers: for tests of what is understood of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

RNG = np.random.default_rng


def crisp(path: Path, shape: tuple[int, ...] = (2, 4, 3, 40, 52)) -> Path:
    """Write a cube of SST/CRISP: (time, Stokes, wavelength, y, x) in SOLARNET's words, its coordinates in a table (WCS-TAB)."""
    time, _, wavelength, y, x = shape
    data = RNG(1).normal(0, 0.02, shape).astype(np.float32)
    data[:, 0] += 1
    header = fits.Header()
    for number, (kind, unit, name) in enumerate(
        (
            ("HPLN-TAB", "arcsec", "Heliographic longitude"),
            ("HPLT-TAB", "arcsec", "Heliographic latitude"),
            ("WAVE-TAB", "nm", "Wavelength"),
            ("STOKES", "", "Stokes vector"),
            ("UTC--TAB", "s", "Time since DATEREF"),
        ),
        1,
    ):
        header[f"CTYPE{number}"], header[f"CNAME{number}"] = kind, name
        if kind == "STOKES":
            header.update({f"CRPIX{number}": 1.0, f"CRVAL{number}": 1.0, f"CDELT{number}": 1.0})
            continue
        header.update({f"CUNIT{number}": unit, f"CRPIX{number}": 0.0, f"CRVAL{number}": 0.0, f"CDELT{number}": 1.0})
        name = kind.replace("-TAB", "").strip("-")
        together = "HPLN+HPLT+TIME" if name in ("HPLN", "HPLT", "UTC") else "WAVE"
        place = {"HPLN": 1, "HPLT": 2, "UTC": 3, "WAVE": 1}[name]
        header.update({f"PS{number}_0": "WCS-TAB", f"PS{number}_1": together, f"PV{number}_3": float(place)})
        header[f"PS{number}_2"] = f"{name}-INDEX"
    header["EXTNAME"], header["SOLARNET"], header["OBS_HDU"] = "crispex-example", 1.0, 1
    header.update(
        {
            "DATE": "2024-06-01T12:00:00", "DATE-BEG": "2023-06-01T08:00:00", "DATEREF": "2023-06-01T00:00:00",
            "FILENAME": path.name, "BTYPE": "phot.radiance;em.wl", "BUNIT": "W m-2 Hz-1 sr-1", "ORIGIN": "Institute for Solar Physics",
            "TELESCOP": "Swedish 1-meter Solar Telescope", "INSTRUME": "CRISP", "WAVEUNIT": -9, "WAVEMIN": 617.3, "WAVEMAX": 617.4,
            "WCSNAMEA": "AVERAGED APPROXIMATE HPLN-TAN/HPLT-TAN CENTER POINT", "VAR_KEYS": "VAR-EXT;SEEING",
            "DATAMIN": float(data.min()), "DATAMAX": float(data.max()), "DATAMEAN": 0.25, "DATARMS": 0.4, "DATAMEDN": 0.0, "DATAP95": 1.0,
            "PRSTEP1": "DEMODULATION", "PRPROC1": "red::demodulate", "PRLIB1": "SSTRED", "PRSTEP2": "CONCATENATION",
        }
    )  # fmt: skip
    grid = np.zeros((2, 2, 2, 3), np.float64)  # (time, y, x, coordinate)
    grid[..., 0], grid[..., 1] = [0, 0.059 * x], np.array([0, 0.059 * y])[:, None]
    grid[..., 2] = np.array([0, 30.0 * time])[:, None, None]
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("HPLN+HPLT+TIME", f"{grid.size}D", dim="(3,2,2,2)", array=grid[np.newaxis]),
            fits.Column("HPLN-INDEX", "2D", array=[[1.0, x]]),
            fits.Column("HPLT-INDEX", "2D", array=[[1.0, y]]),
            fits.Column("UTC-INDEX", "2D", array=[[1.0, time]]),
            fits.Column("WAVE", f"{wavelength}D", dim=f"(1,{wavelength})", array=np.linspace(617.3, 617.4, wavelength)[np.newaxis, :, np.newaxis]),
            fits.Column("WAVE-INDEX", f"{wavelength}D", array=np.arange(1.0, 1 + wavelength)[np.newaxis]),
        ],
        name="WCS-TAB",
    )  # fmt: skip
    seeing = fits.BinTableHDU.from_columns([fits.Column("SEEING", "D", array=np.arange(float(time)))], name="VAR-EXT")
    table.header["OBS_HDU"] = seeing.header["OBS_HDU"] = 0
    fits.HDUList([fits.PrimaryHDU(data, header), table, seeing]).writeto(path, checksum=True)
    return path


def lapalma(path: Path) -> Path:
    """Write a La Palma cube of big-endian integers, as CRISPRED leaves it, and its twin."""
    times, stokes, wavelengths, y, x = 3, 4, 5, 24, 30
    data = RNG(2).normal(0, 300, (times, stokes, wavelengths, y, x)).astype(">i2")
    text = "stokes=[I,Q,U,V], ns=4 :  datatype=2 (integer), dims=3, nx={}, ny={}, nt={}, endian=b"
    twin = data.transpose(3, 4, 1, 0, 2)
    for place, array, lengths in (
        (path, data, (x, y, times * stokes * wavelengths)),
        (path.with_name(f"{path.stem}_sp{path.suffix}"), twin, (wavelengths, times, x * y * stokes)),
    ):
        place.write_bytes(text.format(*lengths).encode().ljust(512, b"\0") + array.tobytes())
    return path


def visp(folder: Path) -> Path:
    """Write a raster of DKIST/ViSP: every file holds one step of the slit, of one Stokes parameter (wavelength along the slit)."""
    stokes, steps, wavelengths, slit = 4, 20, 3, 24
    folder.mkdir()
    data = RNG(3).normal(0, 0.01, (stokes, steps, wavelengths, slit)).astype(np.float32)
    axes = (
        ("SPATIAL", "spatial along slit", slit),
        ("SPECTRAL", "dispersion axis", wavelengths),
        ("SPATIAL", "raster scan step number", steps),
        ("STOKES", "polarization state", stokes),
    )
    for number, (s, step) in enumerate(np.ndindex(stokes, steps)):
        header = fits.Header({"CTYPE1": "HPLT-TAN", "CTYPE2": "AWAV", "CTYPE3": "HPLN-TAN"})
        header.update(
            {"CUNIT1": "arcsec", "CUNIT2": "nm", "CUNIT3": "arcsec", "BUNIT": "count", "CRPIX3": -float(step)}
        )
        header.update({"DNAXIS": 4, "DAAXES": 2, "DEAXES": 2, "DINDEX3": step + 1, "DINDEX4": s + 1, "DSETID": "ABCDE"})
        for n, (kind, name, length) in enumerate(axes, 1):
            header.update({f"DTYPE{n}": kind, f"DPNAME{n}": name, f"DNAXIS{n}": length})
        image = fits.CompImageHDU(data[s, step][np.newaxis], header, quantize_level=0, compression_type="GZIP_2")
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / f"{number:03}.fits")
    return folder


def frames(folder: Path) -> Path:
    """Write a folder of three files of one map each, and a movie that is none."""
    folder.mkdir()
    for number in range(3):
        header = fits.Header({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"})
        fits.writeto(folder / f"{number}.fits", RNG(number).normal(0, 9, (32, 40)).astype(np.float32), header)
    (folder / "movie.mp4").write_bytes(bytes(100))
    return folder


def hcompress(path: Path) -> Path:
    """Write integers packed by HCOMPRESS."""
    data = RNG(4).normal(0, 60, (2, 64, 80)).astype(np.int16)
    image = fits.CompImageHDU(data, compression_type="HCOMPRESS_1", tile_shape=(1, 32, 80))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    return path


def double(path: Path) -> Path:
    """Write an array of doubles, big-endian, in the order of Fortran."""
    np.save(path, np.asfortranarray(RNG(5).normal(0, 1, (3, 40, 50)).astype(">f8")))
    return path


def sparse(path: Path, shape: tuple[int, ...] = (12, 250, 500, 500)) -> Path:
    """Write a FITS cube of zeros with one noisy corner, without writing the zeros: 3 GB."""
    header = fits.Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", len(shape))])
    for number, length in enumerate(reversed(shape), 1):
        header[f"NAXIS{number}"] = length
    size = 4 * int(np.prod(shape))
    with path.open("wb") as file:
        file.write(header.tostring().encode())
        file.write(RNG(0).normal(0, 1, 10**5).astype(">f4").tobytes())
        file.truncate(2880 + size + -size % 2880)
    return path
