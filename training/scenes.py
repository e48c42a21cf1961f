"""Simulations of the Sun's surface from which held-out truths are made.

They follow other physics than `training.truth` and share no code with it. All fields have the shape (size, size).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Map = NDArray[np.float64]
Rng = np.random.Generator


class Vector(NamedTuple):
    """A magnetic field: along the line of sight, and along the rows' and columns' directions (y, x)."""

    z: Map
    y: Map
    x: Map


def _wavenumbers(size: int) -> tuple[Map, Map]:
    """Return the wave numbers of ``rfft2`` in radians per pixel, along y and x."""
    return 2 * np.pi * fft.fftfreq(size)[:, None], 2 * np.pi * fft.rfftfreq(size)[None]


def _sample(field: Map, y: Map, x: Map) -> Map:
    """Return a periodic field at positions between its pixels."""
    return np.asarray(ndimage.map_coordinates(field, [y, x], order=1, mode="grid-wrap"))


def clouds(rng: Rng, size: int, scale: float) -> Map:
    """Return white noise smoothed over ``scale`` pixels, of mean 0 and rms 1."""
    field = ndimage.gaussian_filter(rng.standard_normal((size, size)), scale, mode="wrap")
    return np.asarray((field - field.mean()) / field.std())


def seen_through(field: Map, width: float, stray: float = 0.05) -> Map:
    """Return a field blurred by a core of ``width`` px (Gaussian σ) and by wings ten times as wide that hold a part ``stray`` of the light."""
    core, wings = (ndimage.gaussian_filter(field, width * factor, mode="wrap") for factor in (1, 10))
    return np.asarray((1 - stray) * core + stray * wings)


def zeeman(field: Vector, splitting: float, offset: Map | float, depth: Map | float = 1.0) -> tuple[Map, Map, Map]:
    """Return Stokes Q, U and V of a Gaussian absorption line split into a triplet (Seares' formulae).

    Parameters
    ----------
    field : Vector
        The magnetic field.
    splitting : float
        Doppler widths by which a field of strength 1 shifts the outer components.
    offset : ndarray or float
        Distance of the wavelength from line centre, in Doppler widths.
    depth : ndarray or float
        Depth of the line, in units of the continuum.
    """
    strength = np.sqrt(field.z**2 + field.y**2 + field.x**2) + 1e-12
    transverse = (field.y**2 + field.x**2) / strength**2
    azimuth = np.arctan2(field.y, field.x)
    shift = splitting * strength
    centre, blue, red = (1 - depth * np.exp(-((offset + by) ** 2)) for by in (0.0, shift, -shift))
    linear = 0.5 * (centre - 0.5 * (blue + red)) * transverse
    circular = 0.5 * (blue - red) * field.z / strength
    return linear * np.cos(2 * azimuth), linear * np.sin(2 * azimuth), circular


def flux_transport(rng: Rng, size: int, elements: int, imbalance: float, age: int = 160) -> Vector:
    """Return the field of magnetic elements that random-walk in a supergranular flow.

    Bipoles emerge all over the field; convection cells, reborn at random, sweep them into lanes. The horizontal field is that of a potential.

    Parameters
    ----------
    rng : Generator
    size : int
    elements : int
        Number of elements.
    imbalance : float
        Excess of one polarity, 0 to 1.
    age : int
        Steps of the walk.
    """
    cell = rng.uniform(14, 30)
    cells = rng.uniform(0, size, (round((size / cell / 1.6) ** 2), 2))
    place = rng.uniform(0, size, (elements, 2))
    flux = np.exp(rng.normal(0, 0.7, elements)) * np.where(rng.random(elements) < 0.5 + imbalance / 2, 1, -1)
    ky, kx = _wavenumbers(size)
    outflow = np.exp(-0.5 * (ky**2 + kx**2) * cell**2)
    for _ in range(age):
        reborn = rng.random(len(cells)) < 0.01
        cells[reborn] = rng.uniform(0, size, (reborn.sum(), 2))
        seeds = np.zeros((size, size))
        np.add.at(seeds, tuple(cells.astype(int).T), 1)
        potential = fft.rfft2(seeds) * outflow
        for axis, k in enumerate((ky, kx)):
            speed = -fft.irfft2(1j * k * potential, s=(size, size)) * cell**3 * 0.9
            place[:, axis] += _sample(speed, *place.T) + rng.normal(0, 0.35, elements)
        place %= size
    z = _deposit(place, flux, size)
    spectrum = fft.rfft2(z)
    k = np.hypot(ky, kx)
    k[0, 0] = 1
    y, x = (fft.irfft2(-1j * part / k * spectrum, s=(size, size)) for part in (ky, kx))
    return Vector(z, y, x)


def _deposit(place: Map, flux: Map, size: int) -> Map:
    """Return flux at positions between pixels, shared among the four pixels around each."""
    field = np.zeros((size, size))
    corner = np.floor(place).astype(int)
    part = place - corner
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dy - part[:, 0]) * np.abs(1 - dx - part[:, 1])
            np.add.at(field, ((corner[:, 0] + dy) % size, (corner[:, 1] + dx) % size), weight * flux)
    return field


def stirred(rng: Rng, size: int, times: tuple[float, ...]) -> list[Map]:
    """Return a scalar carried along by two-dimensional turbulence, at several times: fronts and filaments ever sharper.

    The vorticity equation is solved with spectral derivatives, Adams-Bashforth steps and a viscosity that acts on the smallest scales.

    Parameters
    ----------
    rng : Generator
    size : int
    times : tuple of float
        Increasing, in units of the turnover of eddies of a sixth of the map or so.
    """
    ky, kx = (k * size / (2 * np.pi) for k in _wavenumbers(size))
    k2 = ky**2 + kx**2
    inverse = 1 / np.where(k2 == 0, 1, k2)
    kept = np.maximum(np.abs(ky), np.abs(kx)) < size / 3

    def back(spectrum: NDArray[np.complex128]) -> Map:
        return np.asarray(fft.irfft2(spectrum, s=(size, size)))

    vorticity = fft.rfft2(rng.standard_normal((size, size))) * np.exp(-((np.sqrt(k2) - 5) ** 2) / 6)
    speed = np.hypot(back(1j * ky * inverse * vorticity), back(1j * kx * inverse * vorticity))
    vorticity *= 1 / np.sqrt((speed**2).mean())
    scalar = np.tanh(2.5 * clouds(rng, size, size / rng.uniform(12, 25)))
    state = np.stack([vorticity, fft.rfft2(scalar)])
    step = 0.35 * (2 * np.pi / size) / 4.0
    smoothing = np.exp(-step * 40 * (k2 / (size / 3) ** 2) ** 4)
    before, time, results = None, 0.0, []
    for wanted in times:
        while time < wanted:
            y, x = back(-1j * kx * inverse * state[0]), back(1j * ky * inverse * state[0])
            change = np.stack([fft.rfft2(y * back(1j * ky * q) + x * back(1j * kx * q)) for q in state])
            change *= -step * kept
            state = smoothing * (state + (change if before is None else 1.5 * change - 0.5 * before))
            before, time = change * smoothing, time + step
        results.append(back(state[1]))
    return results


def multipole(rng: Rng, size: int, poles: int, depth: tuple[float, float], margin: float = 0.3) -> Vector:
    """Return the field above magnetic charges hidden at depths within two bounds (px), in and around the map; strongest value 1."""
    y, x = np.mgrid[:size, :size].astype(float)
    total = np.zeros((3, size, size))
    signs = rng.permutation(np.resize([1, -1], poles))
    for sign in signs:
        cy, cx = rng.uniform(-margin, 1 + margin, 2) * size
        deep = rng.uniform(*depth)
        distance = np.sqrt((y - cy) ** 2 + (x - cx) ** 2 + deep**2)
        charge = sign * rng.uniform(0.4, 1) * deep**2
        total += charge * np.stack([np.full_like(y, deep), y - cy, x - cx]) / distance**3
    return Vector(*(total / np.sqrt((total**2).sum(0)).max()))


def threads(rng: Rng, along: Vector, width: float, length: float) -> Map:
    """Return threads along the horizontal part of a field, of mean 0 and rms 1: line integral convolution of noise.

    Parameters
    ----------
    rng : Generator
    along : Vector
        The field.
    width, length : float
        Of the threads, in pixels.
    """
    size = along.z.shape[0]
    noise = clouds(rng, size, width / 2)
    strength = np.hypot(along.y, along.x) + 1e-9
    dy, dx = along.y / strength, along.x / strength
    total = noise.copy()
    for direction in (-0.8, 0.8):
        y, x = np.mgrid[:size, :size].astype(float)
        for number in range(round(length / 1.6)):
            weight = np.cos(0.5 * np.pi * number * 1.6 / length) ** 2
            move_y, move_x = (ndimage.map_coordinates(d, [y, x], order=1, mode="nearest") for d in (dy, dx))
            y, x = y + direction * move_y, x + direction * move_x
            total += weight * _sample(noise, y, x)
    return np.asarray((total - total.mean()) / total.std())
