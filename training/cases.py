"""Cases to judge on: a held-out truth at some signal-to-noise under noise whose true spectrum is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from . import heldout
from .heldout import INSTANCES, SIZE

Map = NDArray[np.float64]
Rng = np.random.Generator

LEVELS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Signal rms over noise rms."""
QUICK = (0.5, 2.0, 8.0)
"""The levels of a quick look; the goals are stated for them."""
_SEED = 41_017
_SILENT = 2
"""Maps without signal for each kind of noise."""


def _frequency() -> tuple[Map, Map]:
    return fft.fftfreq(SIZE)[:, None], fft.fftfreq(SIZE)[None]


def _disc(cutoff: float) -> Map:
    """Power that is flat up to ``cutoff`` cycles/px and nothing beyond."""
    return (np.hypot(*_frequency()) <= cutoff).astype(float)


def _ellipse() -> Map:
    """Power that falls off softly at 0.25 cycles/px one way and 0.4 the other, at an angle to the axes."""
    ky, kx = _frequency()
    along, across = 0.8 * ky + 0.6 * kx, 0.6 * ky - 0.8 * kx
    return 1 / (1 + np.exp((np.hypot(along / 0.4, across / 0.25) - 1) / 0.08)) ** 2


def _drawn(rng: Rng, power: Map) -> Map:
    """Return Gaussian noise of a power spectrum (shape of ``fft2``), variance 1 on average."""
    return np.asarray(fft.ifft2(fft.fft2(rng.standard_normal((SIZE, SIZE))) * np.sqrt(power / power.mean())).real)


def _windowed(power: Map, window: Map) -> Map:
    """Return the mean power spectrum of noise of a spectrum after multiplication with a window."""
    covariance = fft.ifft2(power / power.mean()) * fft.ifft2(np.abs(fft.fft2(window)) ** 2) / SIZE**2
    return np.asarray(np.maximum(fft.fft2(covariance).real, 0))


def _stationary(power: Callable[[], Map]) -> Callable[[Rng], tuple[Map, Map]]:
    def draw(rng: Rng) -> tuple[Map, Map]:
        return _drawn(rng, power()), power()

    return draw


def _uneven(power: Callable[[], Map]) -> Callable[[Rng], tuple[Map, Map]]:
    """Noise whose amplitude varies smoothly over the field by a factor of 3."""

    def draw(rng: Rng) -> tuple[Map, Map]:
        clouds = ndimage.gaussian_filter(rng.standard_normal((SIZE, SIZE)), 30)
        amplitude = 3 ** ((clouds - clouds.min()) / np.ptp(clouds))
        return amplitude * _drawn(rng, power()), _windowed(power(), amplitude)

    return draw


def _mosaic(rng: Rng) -> tuple[Map, Map]:
    """Patches restored one by one: noise of its own in each, cut off at 0.22 to 0.4 cycles/px, blended over 10 px."""
    step, blend = 64, 10
    edges = np.arange(rng.integers(-step, 0), SIZE, step)
    noise, power = np.zeros((2, SIZE, SIZE))
    pixels = np.arange(SIZE)
    ramps = [
        np.clip((pixels - e) / blend + 0.5, 0, 1) * np.clip((e + step - pixels) / blend + 0.5, 0, 1) for e in edges
    ]
    for row in ramps:
        for column in ramps:
            window = np.exp(rng.normal(0, 0.2)) * np.outer(row, column)
            disc = _disc(rng.uniform(0.22, 0.4))
            noise += window * _drawn(rng, disc)
            power += _windowed(disc, window)
    return noise, power


NOISES: dict[str, Callable[[Rng], tuple[Map, Map]]] = {
    "white": _stationary(lambda: np.ones((SIZE, SIZE))),
    "disc 0.2": _stationary(lambda: _disc(0.2)),
    "disc 0.3": _stationary(lambda: _disc(0.3)),
    "disc 0.45": _stationary(lambda: _disc(0.45)),
    "ellipse": _stationary(_ellipse),
    "uneven disc": _uneven(lambda: _disc(0.3)),
    "uneven white": _uneven(lambda: np.ones((SIZE, SIZE))),
    "mosaic": _mosaic,
}
"""Each draws noise and tells its true mean power spectrum (shape of ``fft2``)."""


@dataclass(frozen=True)
class Case:
    """One map to denoise.

    Attributes
    ----------
    family, instance : str, int
        The truth; family ``nothing`` for a map without signal.
    noise : str
        Kind of noise.
    snr : float
        Signal rms over noise rms.
    draw : int
        Of truth and noise; 0 for those that networks are judged on.
    """

    family: str
    instance: int
    noise: str
    snr: float
    draw: int = 0

    @property
    def name(self) -> str:
        """The case in words."""
        return f"{self.family} {self.instance}, {self.noise}, {self.snr:g}"

    def maps(self) -> Maps:
        """Return the maps of the case, the same every time."""
        seed = [_SEED + self.draw, list(NOISES).index(self.noise), self.instance, int(self.snr * 100)]
        noise, power = NOISES[self.noise](np.random.default_rng(seed))
        noise /= np.sqrt((noise**2).mean())
        truth = np.zeros((SIZE, SIZE), np.float32)
        if self.snr:
            truth = self.snr * _truth(self.family, self.instance, self.draw)
        return Maps((truth + noise).astype(np.float32), truth.astype(np.float32), power / power.mean())


@dataclass(frozen=True)
class Maps:
    """The maps of a case, in units of the noise rms.

    Attributes
    ----------
    noisy, truth : ndarray, shape (y, x), float32
    spectrum : ndarray, shape (y, x)
        Mean power spectrum of the noise, as of ``fft2``, of mean 1.
    """

    noisy: NDArray[np.float32]
    truth: NDArray[np.float32]
    spectrum: Map


@lru_cache(maxsize=2)
def _truth(family: str, instance: int, draw: int) -> NDArray[np.float32]:
    return heldout.truth(family, instance, draw)


def of_family(family: str, levels: Sequence[float], instances: int = INSTANCES, draw: int = 0) -> list[Case]:
    """Return a family under every kind of noise at every level once, with another instance from case to case; those of one truth together."""
    found = [
        Case(family, (i + 3 * j) % instances, noise, snr, draw)
        for i, noise in enumerate(NOISES)
        for j, snr in enumerate(levels)
    ]
    return sorted(found, key=lambda case: case.instance)


def cases(quick: bool = False) -> Iterator[Case]:
    """Yield the cases, those of one truth together: every family as `of_family` gives it, and maps without signal.

    Parameters
    ----------
    quick : bool
        Only signal-to-noise 0.5, 2 and 8, and few truths.
    """
    levels, instances = (QUICK, 2) if quick else (LEVELS, INSTANCES)
    for family in heldout.names():
        yield from of_family(family, levels, instances)
    for noise in NOISES:
        for instance in range(_SILENT):
            yield Case("nothing", instance, noise, 0.0)
