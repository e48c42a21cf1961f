"""Fixtures for tests that use solardn as its users do: through the command line, on files."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner, Result

from solardn import cycles, diagnosis, doubts, inspect, looks, noise, scaling, sections
from solardn.cli import main
from solardn.estimates import NoiseEstimate

from .. import networks


class Line:
    """The command line: called with words, it returns exit code, stdout and stderr."""

    def __call__(self, *words: object) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def good(self, *words: object) -> str:
        """Return stdout of a command that must not fail."""
        result = self(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: object) -> dict:
        """Return the figures of a command that must not fail."""
        return json.loads(self.good(*words, "--json"))

    def bad(self, *words: object) -> str:
        """Return the one sentence on stderr of a command that must fail."""
        result = self(*words)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr


class StopError(Exception):
    """What ends a run in the middle."""


def stop_after(count: int) -> Callable[[int, int, int], None]:
    """Return a progress that ends a run after so many maps."""

    def progress(done: int, total: int, pixels: int) -> None:
        if done == count:
            raise StopError

    return progress


@pytest.fixture
def solardn() -> Line:
    """Return the command line."""
    return Line()


@pytest.fixture(scope="session")
def folder_of_networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the networks ``same``, which returns its input, and ``smooth``."""
    folder = tmp_path_factory.mktemp("networks")
    networks.identity(folder / "same.onnx")
    networks.blur(folder / "smooth.onnx")
    networks.pooled(folder / "blocks.onnx")
    if not (Path(__file__).parents[2] / "models" / "stokes.onnx").exists():
        networks.checked(folder / "stokes.onnx")  # stands in for the default network in a checkout that lacks it
    networks.masked(folder / "masked.onnx", min_size=3)
    if not (Path(__file__).parents[2] / "models" / "stokes-bayes.onnx").exists():
        networks.masked(folder / "stokes-bayes.onnx", min_size=3)
    return folder


@pytest.fixture(autouse=True)
def known_networks(monkeypatch: pytest.MonkeyPatch, folder_of_networks: Path, tmp_path: Path) -> None:
    """Let the test networks be found by name, and keep the user's own out of the tests."""
    monkeypatch.setenv("SOLARDN_MODELS", str(folder_of_networks))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))


_ESTIMATES: dict[tuple[object, ...], NoiseEstimate] = {}


@pytest.fixture(autouse=True)
def noise_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find the noise of the same map once in all tests: they use few maps, and estimates took most of their time."""

    def known(data: np.ndarray, mask: np.ndarray | None = None) -> NoiseEstimate:
        parts = [np.asarray(part) for part in (data, mask) if part is not None]
        key = tuple((part.dtype.str, part.shape, hashlib.sha256(np.ascontiguousarray(part)).digest()) for part in parts)
        if key not in _ESTIMATES:
            _ESTIMATES[key] = noise.estimate(data, mask)
        return copy.deepcopy(_ESTIMATES[key])

    for module in (cycles, diagnosis, doubts, inspect, looks, scaling, sections):
        monkeypatch.setattr(module, "estimate", known)


@pytest.fixture
def noisy() -> np.ndarray:
    """Return a map with a signal and white noise of rms 0.01."""
    y, x = np.mgrid[:48, :64]
    signal = 0.1 * np.exp(-((y - 20) ** 2 + (x - 30) ** 2) / 50)
    return (signal + np.random.default_rng(0).normal(0, 0.01, signal.shape)).astype(np.float32)


@pytest.fixture
def image(tmp_path: Path, noisy: np.ndarray) -> Path:
    """Return a FITS file with one map."""
    path = tmp_path / "map.fits"
    fits.PrimaryHDU(noisy).writeto(path)
    return path


CRISP = {
    "CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "WAVE", "CTYPE4": "STOKES", "CTYPE5": "UTC",
    "CUNIT1": "arcsec", "CUNIT2": "arcsec", "CUNIT3": "nm", "CUNIT5": "s",
    **{f"{key}{n}": 1.0 for key in ("CRVAL", "CRPIX", "CDELT") for n in range(1, 6)}, "BUNIT": "W m-2 nm-1",
}  # fmt: skip


@pytest.fixture
def crisp(tmp_path: Path) -> Path:
    """Return a FITS cube of axes (time 2, Stokes 4, wavelength 3, y 40, x 52), noise of rms 0.02, with a table behind it."""
    path = tmp_path / "crisp.fits"
    data = np.random.default_rng(1).normal(0, 0.02, (2, 4, 3, 40, 52)).astype(np.float32)
    data[:, 0] += 1
    table = fits.BinTableHDU.from_columns([fits.Column("SEEING", "D", array=np.arange(2.0))], name="VAR-EXT")
    fits.HDUList([fits.PrimaryHDU(data, fits.Header(CRISP)), table]).writeto(path)
    return path
