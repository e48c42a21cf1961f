"""Truths that networks are judged on and never train on; their physics and code are not those of `training.truth`.

Each family has `INSTANCES` maps of 256 × 256 pixels and rms 1, always the same. One family, there only where its file is, comes from an observed field.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import scenes
from .scenes import Map, Rng, Vector

SIZE, INSTANCES = 256, 8
NIRIS = Path("../shared/solar/truth_niris_me6173.npy")
"""Stokes maps (Q, U, V; two wavelengths; 512; 512) synthesised from a field that GST/NIRIS observed."""
_SEED = 20_260


def _network(rng: Rng, instance: int) -> Map:
    """Quiet network to plage: elements carried by supergranulation; V three times in four, else Q."""
    elements = int(np.exp(rng.uniform(np.log(300), np.log(12_000))))
    field = scenes.flux_transport(rng, SIZE, elements, imbalance=rng.choice([0.0, 0.3, 0.9]))
    width = rng.uniform(0.8, 2.2)
    parts = [scenes.seen_through(part, width) for part in field]
    strongest = max(np.abs(part).max() for part in parts)
    tilt = rng.uniform(0, 0.8)
    z, x = (
        parts[0] * np.cos(tilt) - parts[2] * np.sin(tilt),
        parts[2] * np.cos(tilt) + parts[0] * np.sin(tilt),
    )
    seen = Vector(z / strongest, parts[1] / strongest, x / strongest)
    q, _, v = scenes.zeeman(seen, splitting=rng.uniform(0.5, 2.5), offset=rng.uniform(0.3, 1.2))
    return q if instance % 4 == 3 else v


def _stirred(rng: Rng, instance: int) -> Map:
    """Scalar in two-dimensional turbulence, early to late."""
    return scenes.seen_through(scenes.stirred(rng, SIZE, (0.6 + 0.35 * instance,))[0], rng.uniform(0.5, 1.3), stray=0.0)


def _fibrils(rng: Rng, instance: int) -> Map:
    """Chromospheric fibrils between poles: longitudinal field, or transverse and so of the sign of cos 2χ, textured along the field."""
    field = scenes.multipole(rng, SIZE, poles=int(rng.integers(3, 9)), depth=(20, 70))
    fine = scenes.threads(rng, field, rng.uniform(1.2, 3), rng.uniform(15, 45))
    coarse = scenes.threads(rng, field, rng.uniform(4, 8), rng.uniform(40, 70))
    texture = np.exp(rng.uniform(0.4, 1.1) * (0.8 * fine + 0.4 * coarse))
    horizontal = np.hypot(field.y, field.x)
    azimuth = np.arctan2(field.y, field.x) + 0.2 * coarse
    ground = field.z if instance % 2 else horizontal * np.cos(2 * azimuth + rng.uniform(0, np.pi))
    return scenes.seen_through(ground / (0.05 + np.hypot(field.z, horizontal)) ** 0.6 * texture, rng.uniform(0.5, 1.2))


def _spots(rng: Rng, instance: int) -> Map:
    """Group of spots: V, Q or U in turn, with dark umbrae, combed penumbrae, an outflow in them, and knots around."""
    field = scenes.multipole(rng, SIZE, poles=int(rng.integers(3, 8)), depth=(14, 40), margin=0.05)
    strength = np.sqrt(sum(part**2 for part in field))
    comb = scenes.threads(rng, field, rng.uniform(1.0, 2.0), rng.uniform(10, 30))
    penumbra = np.exp(-(((strength - 0.35) / 0.16) ** 2))
    umbra = 1 / (1 + np.exp(-(strength - 0.6) / 0.03))
    knots = scenes.flux_transport(rng, SIZE, 400, imbalance=0.0, age=60).z
    knots = scenes.seen_through(knots, rng.uniform(1, 2))
    quiet = 1 / (1 + np.exp((strength - 0.18) / 0.02))
    z = field.z * (1 + 0.5 * penumbra * comb) * (1 - 0.9 * quiet) + 0.25 * quiet * knots / np.abs(knots).max()
    y, x = (part * (1 - 0.25 * penumbra * comb) * (1 - 0.9 * quiet) for part in (field.y, field.x))
    offset = rng.uniform(-1.2, 1.2) + rng.uniform(0, 0.8) * penumbra * (1 + comb) * x / (strength + 0.1)
    stokes = scenes.zeeman(Vector(z, y, x), rng.uniform(0.8, 3), offset, depth=1 - 0.8 * umbra)
    return scenes.seen_through(stokes[(2, 0, 2, 1)[instance % 4]], rng.uniform(0.6, 1.6), stray=0.03)


def _internetwork(rng: Rng, instance: int) -> Map:
    """Small loops at the edges of convection cells, here many and there few, over a gradient as of scattering polarisation."""
    flow = scenes.clouds(rng, SIZE, rng.uniform(3, 8))
    lanes = np.maximum(flow + rng.uniform(-0.5, 0.5), 0) ** rng.uniform(0.5, 1.2)
    loops = scenes.threads(rng, Vector(flow, *np.gradient(flow)), rng.uniform(1.2, 3), rng.uniform(5, 15))
    often = np.exp(rng.uniform(0.5, 1.5) * scenes.clouds(rng, SIZE, 25))
    ramp = np.linspace(-1, 1, SIZE)[:, None] * rng.normal(0, 1) + np.linspace(-1, 1, SIZE) * rng.normal(0, 1)
    return scenes.seen_through(lanes * loops * often, rng.uniform(0.7, 1.5)) + 0.3 * ramp


FAMILIES: dict[str, Callable[[Rng, int], Map]] = {
    "network": _network,
    "stirred": _stirred,
    "fibrils": _fibrils,
    "spots": _spots,
    "internetwork": _internetwork,
}


def truth(family: str, instance: int, draw: int = 0) -> NDArray[np.float32]:
    """Return one truth.

    Parameters
    ----------
    family : str
        A name in `names`.
    instance : int
        0 to ``INSTANCES - 1``.
    draw : int
        0 for the truths that networks are judged on; others are others of the same kind, but for ``niris``.

    Returns
    -------
    ndarray, shape (256, 256), float32
        Of rms 1.
    """
    if family == "niris":
        field = _niris(instance)
    else:
        field = FAMILIES[family](
            np.random.default_rng([_SEED + draw, list(FAMILIES).index(family), instance]), instance
        )
    return np.asarray(field / np.sqrt(np.mean(field**2)), np.float32)


def _niris(instance: int) -> Map:
    """Return a window of one of the six maps."""
    maps = np.load(NIRIS, mmap_mode="r").reshape(6, 512, 512)
    y, x = ((0, 0), (256, 256), (128, 128), (0, 256))[instance % 4]
    return np.array(maps[instance % 6, y : y + SIZE, x : x + SIZE], float)


def names() -> list[str]:
    """Return the names of the families that are at hand."""
    return [*FAMILIES, *(["niris"] if NIRIS.exists() else [])]
