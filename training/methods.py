"""The methods that are compared: networks, BM3D, and Gaussian smoothing, each a function from a case's maps to a denoised map."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from solardn.api import Denoiser
from solardn.errors import MissingExtra, OptionError
from solardn.model import load

from .cases import Maps

Map = NDArray[np.float32]
SAMPLES = 50
"""Samples of a network with dropout."""
AUTHORS, BM3D, GAUSSIAN, WIENER = "authors", "BM3D", "Gaussian", "Wiener"


class Method(Protocol):
    """A way to denoise."""

    @property
    def name(self) -> str:
        """What tables call it."""

    @property
    def version(self) -> str:
        """Changes whenever the results may; results are kept under it."""

    @property
    def slow(self) -> bool:
        """Whether results are worth keeping on disk."""

    def __call__(self, maps: Maps) -> Map:
        """Return the denoised map (y, x)."""


@lru_cache(maxsize=16)
def _denoiser(path: Path) -> Denoiser:
    return Denoiser(path, device="cpu", threads=1)


@dataclass(frozen=True)
class Network:
    """An ONNX network, run as users run it.

    Attributes
    ----------
    stated : float
        The noise rms that it is told; the true one is 1.
    views : int
        Views of each map over which the result is the mean.
    """

    name: str
    path: Path
    version: str
    slow: bool = False
    stated: float = 1.0
    views: int = 1

    def __call__(self, maps: Maps) -> Map:
        """Return the denoised map."""
        found: Map = self.denoiser.denoise(maps.noisy, noise_sigma=self.stated, views=self.views)
        return found

    def uncertainty(self, maps: Maps) -> tuple[Map, Map]:
        """Return mean and total standard deviation."""
        found = self.denoiser.uncertainty(maps.noisy, noise_sigma=self.stated, samples=SAMPLES, seed=0)
        return found.mean, found.sigma

    @property
    def uncertain(self) -> bool:
        """Whether it gives standard deviations."""
        card = self.denoiser.card
        return card.dropout is not None and "log_variance" in card.outputs and self.views == 1

    @property
    def denoiser(self) -> Denoiser:
        """The network, ready to run on one thread."""
        return _denoiser(self.path)


@dataclass(frozen=True)
class Bm3d:
    """BM3D told the true mean spectrum of the noise (Mäkinen, Azzari & Foi 2020, IEEE TIP 29, 8339)."""

    version: str
    name: str = BM3D
    slow: bool = True

    def __call__(self, maps: Maps) -> Map:
        """Return the denoised map."""
        vars(np).setdefault("trapz", np.trapezoid)  # bm3d asks for what numpy 2 has renamed
        from bm3d import BM3DProfile, bm3d

        profile = BM3DProfile()
        profile.num_threads = 1
        found: Map = bm3d(maps.noisy.astype(float), maps.spectrum * maps.noisy.size, profile).astype(np.float32)
        return found


@dataclass(frozen=True)
class Gaussian:
    """Gaussian smoothing of the width that suits the truth of each case best: no user could do as well."""

    name: str = GAUSSIAN
    version: str = "1"
    slow: bool = False

    def __call__(self, maps: Maps) -> Map:
        """Return the smoothed map that is nearest to the truth."""
        widths = np.geomspace(0.3, 20, 18)
        smoothed = (ndimage.gaussian_filter(maps.noisy, width, mode="reflect") for width in widths)
        return min([maps.noisy, *smoothed], key=lambda result: float(np.square(result - maps.truth).sum()))


@dataclass(frozen=True)
class Wiener:
    """The Wiener filter told the power of the very truth at every spatial frequency: what no filter that is the same everywhere can surpass."""

    name: str = WIENER
    version: str = "1"
    slow: bool = False

    def __call__(self, maps: Maps) -> Map:
        """Return the filtered map."""
        power = np.abs(np.fft.fft2(maps.truth)) ** 2 / maps.truth.size
        share = power / np.maximum(power + maps.spectrum, 1e-12)
        return np.asarray(np.fft.ifft2(share * np.fft.fft2(maps.noisy)).real, np.float32)


def network(model: str | Path, name: str | None = None, slow: bool = False) -> Network:
    """Return the method of a network.

    Parameters
    ----------
    model : str or Path
        Name of a network, or an ONNX file.
    name : str, optional
        What to call it; as its file when not given.
    slow : bool
        Whether results are kept on disk.
    """
    loaded = load(model)
    return Network(name or loaded.path.stem, loaded.path.resolve(), loaded.sha256[:16], slow)


def authors(folder: Path) -> Network:
    """Return the authors' SST network, converted into a folder when it is not there yet."""
    path = folder / "authors-sst.onnx"
    if not path.exists():
        from export.authors import convert_authors
        from export.cards import save
        from export.framework import prepare

        prepare()
        folder.mkdir(parents=True, exist_ok=True)
        save(convert_authors(), path)
    return network(path, AUTHORS, slow=True)


def bm3d() -> Bm3d:
    """Return BM3D.

    Raises
    ------
    MissingExtra
        It is not installed.
    """
    try:
        return Bm3d(version=metadata.version("bm3d"))
    except metadata.PackageNotFoundError:
        raise MissingExtra(
            "BM3D is not installed; pip install 'solardn[evaluate]' (free for non-commercial use), or leave it out with --no-bm3d"
        ) from None


def check_names(methods: Sequence[Method]) -> None:
    """Refuse two methods of one name.

    Raises
    ------
    OptionError
    """
    names = [method.name for method in methods]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(f"two methods are called {', '.join(twice)}; give the files of the networks different names")


def denoised(method: Method, maps: Maps, kept: Path) -> Map:
    """Return what a method makes of a case; results of slow methods are kept in the folder ``kept``."""
    if not method.slow:
        return method(maps)
    key = hashlib.sha256(maps.noisy.tobytes() + maps.spectrum.tobytes()).hexdigest()[:24]
    path = kept / f"{method.name}-{method.version}" / f"{key}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npy")
        np.save(part, method(maps))
        part.replace(path)
    return np.asarray(np.load(path))
