"""Noise-free Stokes maps as they are: the truths from which networks learn.

A truth has shape (size, size), float32 and rms 1; `draw` composes one from the families below, through a telescope or none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from .fields import (
    Field,
    Rng,
    cell_distances,
    frequencies,
    lines,
    log_uniform,
    oriented,
    points,
    random_field,
    sigmoid,
    smooth,
    standard,
)
from .stokes import Line, synthesise


def turbulence(rng: Rng, size: int) -> Field:
    """Spectra of turbulence, Gaussian or intermittent, with strength varying over the field."""
    field = random_field(rng, size, rng.uniform(1.5, 5), outer=log_uniform(rng, 8, size), inner=rng.choice([0, 1, 2]))
    if rng.random() < 0.5:
        field = np.asarray(np.sign(field) * np.abs(field) ** rng.uniform(1.2, 3), np.float32)
    if rng.random() < 0.5:
        field = field * np.exp(rng.uniform(0.5, 1.5) * smooth(rng, size, log_uniform(rng, 20, 100)))
    return standard(field)


def fibrils(rng: Rng, size: int) -> Field:
    """Chromospheric fibrils: bundles of bent threads, here dense and there absent."""
    width = log_uniform(rng, 1.2, 6)
    field = oriented(rng, size, width, length=width * log_uniform(rng, 4, 20))
    if rng.random() < 0.5:
        field = np.abs(field) ** rng.uniform(1, 2) * np.sign(smooth(rng, size, 60) + rng.normal(0, 1))
    return np.asarray(field * np.exp(rng.uniform(0, 1.5) * smooth(rng, size, log_uniform(rng, 20, 80))))


def canopy(rng: Rng, size: int) -> Field:
    """Threads along the field of a few poles: a texture in coordinates across and along the field lines, on what the poles themselves show."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    y += rng.uniform(0, 0.05) * size * smooth(rng, size, size / 5)
    x += rng.uniform(0, 0.05) * size * smooth(rng, size, size / 5)
    # Of point charges in a plane: the potential is the logarithm of the distance, its conjugate the angle.
    potential, stream = np.zeros((2, size, size), np.float32)
    for _ in range(rng.integers(1, 6)):
        charge = rng.choice([-2, -1, 1, 2])  # whole numbers, and a texture periodic in the angle: no seam
        cy, cx = rng.uniform(-0.3, 1.3, 2) * size
        soft = rng.uniform(0.03, 0.2) * size
        potential += charge * 0.5 * np.log((y - cy) ** 2 + (x - cx) ** 2 + soft**2)
        stream += charge * np.arctan2(y - cy, x - cx)
    texture = random_field(rng, size, rng.uniform(1.5, 3.5), outer=size / log_uniform(rng, 4, 30))
    across, along = size / (2 * np.pi) * rng.integers(1, 4), log_uniform(rng, 4, 40)
    threads = ndimage.map_coordinates(texture, [across * stream, along * potential], order=1, mode="grid-wrap")
    ground = standard(potential) if rng.random() < 0.5 else np.cos(2 * stream + rng.uniform(0, 6))
    mixed = (
        ground * np.exp(rng.uniform(0.2, 1.2) * threads)
        if rng.random() < 0.6
        else threads + rng.normal(0, 0.7) * ground
    )
    return np.asarray(mixed, np.float32)


def advected(rng: Rng, size: int) -> Field:
    """Fold a scalar as flows do: fronts and thin layers, from displacing a smooth scalar again and again by eddies of all sizes."""
    field = smooth(rng, size, log_uniform(rng, 10, 80))
    if rng.random() < 0.5:
        field = np.tanh(field * rng.uniform(0.5, 5)).astype(np.float32)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    strength = log_uniform(rng, 0.15, 1.2)
    for _ in range(rng.integers(2, 9)):
        scale = log_uniform(rng, 6, size / 4)
        # The flow has no divergence, so nothing is gathered: only stretched and folded.
        dy, dx = np.gradient(smooth(rng, size, scale))
        stretch = strength * scale / max(float(np.sqrt((dy**2 + dx**2).mean())), 1e-9)
        turned = [ndimage.map_coordinates(d, [y, x], order=1, mode="grid-wrap") for d in (dy, dx)]
        y, x = y + 0.5 * stretch * turned[1], x - 0.5 * stretch * turned[0]
    return np.asarray(ndimage.map_coordinates(field, [y, x], order=1, mode="grid-wrap"), np.float32)


def filaments(rng: Rng, size: int) -> Field:
    """Thin winding filaments whose strength and sign change along them."""
    field = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(1, 4)):
        line = lines(rng, size, log_uniform(rng, 20, 150), log_uniform(rng, 0.7, 3))
        field += line * (smooth(rng, size, log_uniform(rng, 10, 60)) + rng.normal(0, 1))
    return field


def network(rng: Rng, size: int) -> Field:
    """Magnetic network: flux gathered in lanes between supergranules, mostly of one polarity, broken into elements."""
    first, second = cell_distances(rng, size, log_uniform(rng, 15, 90))
    lane = np.exp(-(((second - first) / log_uniform(rng, 1.5, 8)) ** 2))
    clumps = sigmoid(
        (random_field(rng, size, 2.5, outer=log_uniform(rng, 5, 40)) - rng.uniform(-0.5, 1.5))
        / log_uniform(rng, 0.05, 0.6)
    )
    polarity = np.tanh((smooth(rng, size, log_uniform(rng, 20, 100)) + rng.normal(0, 1)) / log_uniform(rng, 0.05, 1))
    return np.asarray(lane * clumps * polarity)


def plage(rng: Rng, size: int) -> Field:
    """Plage: patches with ragged, often sharp edges, saturated or structured within, on a quiet ground."""
    shape = random_field(rng, size, rng.uniform(2, 4.5), outer=log_uniform(rng, 15, 150))
    patches = sigmoid((shape - rng.uniform(-0.5, 2)) / log_uniform(rng, 0.01, 0.4))
    inside = 1 + rng.uniform(0, 1) * random_field(rng, size, rng.uniform(2, 4), outer=log_uniform(rng, 5, 60))
    polarity = np.sign(smooth(rng, size, log_uniform(rng, 30, 120)) + rng.normal(0, 1.5)) if rng.random() < 0.5 else 1.0
    return np.asarray(patches * inside * polarity, np.float32)


def granulation(rng: Rng, size: int) -> Field:
    """Granules and dark lanes, as crosstalk from intensity and velocity leaves them in polarisation maps."""
    first, second = cell_distances(rng, size, log_uniform(rng, 6, 25))
    lane = np.exp(-(((second - first) / log_uniform(rng, 1, 4)) ** 2))
    return standard(-lane * rng.uniform(0.5, 2) + 0.5 * random_field(rng, size, 3.0, outer=25))


def elements(rng: Rng, size: int) -> Field:
    """Isolated magnetic elements near the resolution limit, on nothing or on a weak ground."""
    field = points(rng, size, int(log_uniform(rng, 3, 250)), (0.5, log_uniform(rng, 1.0, 5)))
    return np.asarray(field + rng.choice([0.0, 0.05]) * random_field(rng, size, 3.0))


def gradient(rng: Rng, size: int) -> Field:
    """Large smooth gradients, as of stray light, crosstalk or scattering polarisation towards the limb."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    slope = rng.normal(0, 1, 5)
    plane = slope[0] * y + slope[1] * x + 0.5 * (slope[2] * y**2 + slope[3] * x * y + slope[4] * x**2)
    field = plane + rng.normal(0, 1) + rng.uniform(0, 0.7) * smooth(rng, size, log_uniform(rng, 30, 120))
    return np.asarray(field, np.float32)


def sunspot_field(rng: Rng, size: int) -> tuple[Field, Field, Field, Field]:
    """Return (b_los, b_x, b_y, gradient) of a spot: dark umbra, penumbra of radial filaments, field fanning out."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    cy, cx = rng.uniform(-0.2, 1.2, 2) * size
    dy, dx = y - cy, x - cx
    bend = smooth(rng, size, size / 6)
    radius = np.hypot(dy * rng.uniform(0.7, 1.4), dx) * (1 + 0.15 * bend) / (size * log_uniform(rng, 0.12, 0.6))
    angle = np.arctan2(dy, dx) + rng.normal(0, 0.3) * radius
    spokes = _spokes(rng, size, np.hypot(dy, dx), angle)
    penumbra = np.exp(-(((radius - 0.75) / 0.3) ** 2))
    strength = rng.uniform(0.7, 1.2) * np.exp(-((radius / 1.0) ** 2)) * (1 + 0.25 * penumbra * spokes)
    inclination = np.minimum(radius, 1.15) * rng.uniform(1.2, 1.7) + 0.3 * penumbra * spokes
    tilt = rng.normal(0, 0.5)
    b_z = strength * np.cos(inclination) * rng.choice([-1, 1])
    b_r = strength * np.sin(inclination)
    b_x, b_y = b_r * np.cos(angle), b_r * np.sin(angle)
    # Seen off disc centre: the vertical field leans into the plane of the sky.
    b_los = b_z * np.cos(tilt) - b_x * np.sin(tilt)
    b_x = b_z * np.sin(tilt) + b_x * np.cos(tilt)
    brightness = 1 - 0.85 * sigmoid((0.5 - radius) / 0.06) - 0.25 * penumbra * (1 - 0.4 * spokes)
    return b_los, b_x, b_y, np.clip(brightness, 0.05, None).astype(np.float32)


def _spokes(rng: Rng, size: int, distance: Field, angle: Field) -> Field:
    """Penumbral filaments: random in angle, long in radius."""
    count = int(rng.integers(20, 120))
    phases = random_field(rng, size, 1.5, outer=rng.uniform(4, 30))
    row = ((angle + np.pi) / (2 * np.pi) * count * 3).astype(int) % size
    return np.asarray(phases[row, (distance / rng.uniform(4, 12)).astype(int) % size])


def quiet_field(rng: Rng, size: int) -> tuple[Field, Field, Field, Field]:
    """Return (b_los, b_x, b_y, gradient) of network, plage and turbulence, horizontal parts as of a potential field."""
    b_los = np.zeros((size, size), np.float32)
    families = np.array([network, plage, turbulence, elements], object)
    for family in rng.choice(families, rng.integers(1, 4), replace=False):
        b_los += log_uniform(rng, 0.03, 1) * standard(family(rng, size))
    ky, kx = frequencies(size)
    spectrum = np.fft.rfft2(b_los) / np.maximum(np.hypot(ky, kx), 1e-6)
    spread = rng.uniform(0.3, 1.5)
    b_x, b_y = (spread * np.fft.irfft2(-1j * k * spectrum, s=(size, size)) for k in (kx, ky))
    turn = rng.normal(0, 0.6) + rng.uniform(0, 0.6) * smooth(rng, size, 40)
    b_x, b_y = b_x * np.cos(turn) - b_y * np.sin(turn), b_x * np.sin(turn) + b_y * np.cos(turn)
    b_x = b_x + rng.normal(0, 0.2) * b_los
    return b_los, b_x, b_y, np.ones((size, size), np.float32)


def synthetic(rng: Rng, size: int) -> Field:
    """Stokes Q, U or V at some wavelength of a spot or of quieter fields, synthesised in a Milne-Eddington atmosphere."""
    b_los, b_x, b_y, brightness = quiet_field(rng, size)
    if rng.random() < 0.5:
        spot = sunspot_field(rng, size)
        quiet = rng.uniform(0, 0.6)
        b_los, b_x, b_y = (s + quiet * q for s, q in zip(spot[:3], (b_los, b_x, b_y), strict=True))
        brightness = spot[3]
    if rng.random() < 0.4:
        # Inversions leave fields below some strength at nothing: flat ground beside sharp edges.
        kept = np.sqrt(b_los**2 + b_x**2 + b_y**2) > rng.uniform(0.05, 0.5)
        b_los, b_x, b_y = b_los * kept, b_x * kept, b_y * kept
    line = Line(
        offset=rng.normal(0, 1.5),
        strength=log_uniform(rng, 1, 30),
        damping=log_uniform(rng, 0.02, 0.6),
        splitting=log_uniform(rng, 0.2, 3),
    )
    velocity = rng.uniform(0, 0.5) * (granulation(rng, size) if rng.random() < 0.5 else turbulence(rng, size))
    texture = brightness * (1 + 0.1 * random_field(rng, size, 3.0, outer=20))
    stokes = synthesise(line, b_los, b_x, b_y, velocity, texture)
    return stokes[rng.integers(3)]


FAMILIES: dict[Callable[[Rng, int], Field], float] = {
    synthetic: 0.28,
    plage: 0.1,
    network: 0.09,
    fibrils: 0.08,
    canopy: 0.1,
    turbulence: 0.1,
    advected: 0.09,
    filaments: 0.05,
    elements: 0.06,
    granulation: 0.02,
    gradient: 0.03,
}
"""The families and how often each is drawn."""


def telescope(rng: Rng, field: Field) -> Field:
    """Return the field as a telescope shows it: a circular aperture's transfer function, a Gaussian blur, or untouched."""
    kind = rng.random()
    if kind < 0.25:
        return field
    ky, kx = frequencies(field.shape[0])
    k = np.hypot(ky, kx)
    if kind < 0.65:
        x = np.clip(k / rng.uniform(0.2, 0.7), 0, 1)
        transfer = (2 / np.pi) * (np.arccos(x) - x * np.sqrt(1 - x**2))
        # Restoration lifts the transfer function again towards a flat one.
        transfer = transfer ** rng.uniform(0.1, 1)
    else:
        transfer = np.exp(-2 * (np.pi * k * log_uniform(rng, 0.4, 2.0)) ** 2)
    return np.fft.irfft2(np.fft.rfft2(field) * transfer, s=field.shape).astype(np.float32)


def draw(rng: Rng, size: int) -> Field:
    """Return one truth of shape (size, size) with rms 1: one to three families at amplitudes up to 30 times apart."""
    families = list(FAMILIES)
    weights = np.array(list(FAMILIES.values()))
    count = rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15])
    field = np.zeros((size, size), np.float32)
    for family in rng.choice(np.array(families, dtype=object), count, p=weights / weights.sum()):
        part = family(rng, size)
        part = part / max(float(np.sqrt((part**2).mean())), 1e-12)
        if rng.random() < 0.3:
            # Present in a part of the field only, with a soft or a sharp border.
            part = part * sigmoid(
                (smooth(rng, size, log_uniform(rng, 20, 100)) - rng.uniform(-0.5, 0.5)) / log_uniform(rng, 0.02, 0.5)
            )
        field += log_uniform(rng, 0.03, 1) * part
    field = telescope(rng, field)
    return (field / max(float(np.sqrt((field**2).mean())), 1e-12)).astype(np.float32)
