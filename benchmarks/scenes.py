"""Scenes with known noise: truth of several kinds, noise of several kinds, both of rms 1 over the map.

Made for judging the noise level that `solardn.noise` finds. It shares no code with ``training``, so that a judgement here is not
a judgement on what a network has been trained with.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float64]
Shape = tuple[int, int]


def radius(shape: Shape, stretch: float = 1.0) -> Map:
    """Return the spatial frequency, in cycles/px, of each pixel of an ``fft2``; `stretch` > 1 makes its circles ellipses."""
    ky, kx = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None]
    angle = 0.6
    along, across = ky * np.cos(angle) + kx * np.sin(angle), -ky * np.sin(angle) + kx * np.cos(angle)
    return np.asarray(np.hypot(along * np.sqrt(stretch), across / np.sqrt(stretch)))


def filtered(field: Map, transfer: Map) -> Map:
    """Return `field` after multiplication of its Fourier transform with `transfer`."""
    return np.real(np.fft.ifft2(np.fft.fft2(field) * transfer))


def unit(field: Map) -> Map:
    """Return `field` without its mean and with rms 1."""
    field = field - field.mean()
    return np.asarray(field / field.std())


def random_field(shape: Shape, rng: np.random.Generator, slope: float, scale: float) -> Map:
    """Return a Gaussian field whose power falls as k^-slope beyond 1/scale cycles/px."""
    k = np.maximum(radius(shape), 1 / scale)
    return unit(filtered(rng.standard_normal(shape), k ** (-slope / 2)))


def psf(shape: Shape, cutoff: float) -> Map:
    """Return the transfer function of a diffraction-limited circular aperture with this cut-off in cycles/px."""
    x = np.clip(radius(shape) / cutoff, 0, 1)
    return 2 / np.pi * (np.arccos(x) - x * np.sqrt(1 - x**2))


def _powerlaw(shape: Shape, rng: np.random.Generator) -> Map:
    return random_field(shape, rng, rng.uniform(3, 5), rng.uniform(30, 120))


def _granules(shape: Shape, rng: np.random.Generator) -> Map:
    return random_field(shape, rng, rng.uniform(4, 6), rng.uniform(15, 30))


def _filaments(shape: Shape, rng: np.random.Generator) -> Map:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    warp = random_field(shape, rng, 4, 150)
    phase = (x * np.cos(1.0) + y * np.sin(1.0)) / rng.uniform(1.5, 3) + rng.uniform(4, 10) * warp
    strength = np.clip(random_field(shape, rng, 4, 100), 0, None)
    return np.asarray(np.exp(2 * np.sin(phase)) * strength * np.sign(random_field(shape, rng, 4, 150)))


def _plage(shape: Shape, rng: np.random.Generator) -> Map:
    inside = 1 / (1 + np.exp(-8 * (random_field(shape, rng, 4, 150) - 0.7)))
    clumps = np.tanh(3 * random_field(shape, rng, 3.5, 25))
    return np.asarray(inside * (1 + clumps) * np.sign(random_field(shape, rng, 5, 400)))


def _sunspot(shape: Shape, rng: np.random.Generator) -> Map:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    size = min(shape)
    y0, x0 = (rng.uniform(0.35, 0.65) * n for n in shape)
    r, phi = np.hypot(y - y0, x - x0) / size, np.arctan2(y - y0, x - x0)
    rays = np.sin(rng.integers(30, 50) * phi + 3 * random_field(shape, rng, 4, 60))
    penumbra = (r > 0.1) & (r < 0.25)
    spot = np.where(r < 0.1, 1.0, np.where(penumbra, (0.6 - r) * (1 + 0.6 * rays), 0.0))
    return spot * np.where(x - x0 > 0.12 * size * np.sin(6 * (y - y0) / size), 1.0, -1.0)


def _points(shape: Shape, rng: np.random.Generator) -> Map:
    field = np.zeros(shape)
    number = max(4, shape[0] * shape[1] // 600)
    field[rng.integers(0, shape[0], number), rng.integers(0, shape[1], number)] = rng.standard_normal(number)
    return filtered(field, np.exp(-((radius(shape) / 0.12) ** 2)))


def _full_plage(shape: Shape, rng: np.random.Generator) -> Map:
    return np.tanh(4 * random_field(shape, rng, 3.5, 60))


def _gradient(shape: Shape, rng: np.random.Generator) -> Map:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    return np.asarray(np.tanh(3 * (x / shape[1] - 0.5)) + (y / shape[0]) ** 2)


TRUTHS: dict[str, Callable[[Shape, np.random.Generator], Map]] = {
    "powerlaw": _powerlaw,
    "granules": _granules,
    "filaments": _filaments,
    "plage": _plage,
    "full plage": _full_plage,
    "sunspot": _sunspot,
    "points": _points,
    "gradient": _gradient,
}
"""Kinds of truth, sharp to the pixel. 'full plage', 'powerlaw' and 'granules' fill the whole field, the others part of it."""


def make_truth(kind: str, shape: Shape, seed: int, cutoff: float = 0.6) -> Map:
    """Return a truth map of rms 1, seen through a telescope with this cut-off in cycles/px (infinite: none)."""
    rng = np.random.default_rng([seed, *kind.encode()])
    if kind == "none":
        return np.zeros(shape)
    field = TRUTHS[kind](shape, rng)
    return unit(filtered(field, psf(shape, cutoff)) if np.isfinite(cutoff) else field)


def _varying(shape: Shape, rng: np.random.Generator, factor: float = 3.0) -> Map:
    """Return a smooth σ map whose largest value is `factor` times its smallest."""
    shape_of = random_field(shape, rng, 5, 0.7 * max(shape))
    return np.asarray(factor ** ((shape_of - shape_of.min()) / np.ptp(shape_of)))


def _band(shape: Shape, rng: np.random.Generator, cutoff: float, softness: float, stretch: float = 1.0) -> Map:
    """Return noise that ends at `cutoff` cycles/px, over a width of `softness` times that."""
    k = radius(shape, stretch)
    power = k <= cutoff if softness == 0 else 1 / (1 + np.exp((k - cutoff) / (softness * cutoff / 2)))
    return unit(filtered(rng.standard_normal(shape), np.sqrt(power)))


NOISES: dict[str, Callable[[Shape, np.random.Generator], Map]] = {
    "white": lambda s, r: r.standard_normal(s),
    "band 0.2 sharp": lambda s, r: _band(s, r, 0.2, 0),
    "band 0.2 soft": lambda s, r: _band(s, r, 0.2, 0.3),
    "band 0.3 sharp": lambda s, r: _band(s, r, 0.3, 0),
    "band 0.3 soft": lambda s, r: _band(s, r, 0.3, 0.3),
    "band 0.3 ellipse": lambda s, r: _band(s, r, 0.3, 0.1, 1.2),
    "band 0.4 soft": lambda s, r: _band(s, r, 0.4, 0.2),
    "band 0.5 sharp": lambda s, r: _band(s, r, 0.5, 0),
    "band 0.3 gauss": lambda s, r: filtered(
        r.standard_normal(s), np.exp(-0.25 * np.log(2) * 2 * (radius(s) / 0.3) ** 2)
    ),
    "band 0.3 + white": lambda s, r: _band(s, r, 0.3, 0.1) + 0.2 * r.standard_normal(s),
    "white varying": lambda s, r: r.standard_normal(s) * _varying(s, r),
    "band 0.3 varying": lambda s, r: _band(s, r, 0.3, 0.1) * _varying(s, r),
}
"""Kinds of noise; the number is the cut-off in cycles/px, 'varying' means σ varying over the field by a factor of 3."""


def make_noise(kind: str, shape: Shape, seed: int) -> Map:
    """Return a noise map of rms 1."""
    field = NOISES[kind](shape, np.random.default_rng([seed, 1, *kind.encode()]))
    return np.asarray(field / np.sqrt(np.mean(field**2)))
