"""Find the factor that makes a network's standard deviations honest, on simulated maps that it was not trained with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from . import coverage
from .bank import bank
from .cases import Maps
from .methods import Network, network

BANKS = Path("runs/banks")
LEVELS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Signal-to-noise ratios at which standard deviations are to be honest."""
_SEED, _COUNT = 2, 24
"""Seed and number of the fields that validation during training uses, too; weights never saw them."""


def simulated(banks: Path = BANKS) -> Iterator[Maps]:
    """Yield simulated maps at each of `LEVELS`."""
    truths, noises = (bank(banks, kind, _COUNT, _SEED) for kind in ("truth", "noise"))
    for number, (truth, noise) in enumerate(zip(truths, noises, strict=True)):
        signal = np.float32(LEVELS[number % len(LEVELS)]) * truth
        yield Maps(signal + noise, signal, np.ones(truth.shape))


def measure(judged: Network, banks: Path = BANKS) -> dict[str, Any]:
    """Return the calibration of a network, as its card holds it.

    Returns
    -------
    dict
        ``factor`` on σ, ``coverage_1`` and ``coverage_2`` with it, and ``data``: what it was measured on.
    """
    before = (judged.denoiser.card.calibration or {}).get("factor", 1.0)
    counts = []
    for maps in track(simulated(banks), description=f"calibrating {judged.name}", total=_COUNT):
        mean, sigma = judged.uncertainty(maps)
        counts.append(coverage.count(maps.truth, mean, sigma / before))
    found = coverage.total(counts)
    factor = coverage.factor(found)
    return {
        "factor": round(factor, 4),
        "coverage_1": round(coverage.within(found, factor), 4),
        "coverage_2": round(coverage.within(found, 2 * factor), 4),
        "data": f"{_COUNT} simulated maps not trained with, signal-to-noise {LEVELS[0]:g} to {LEVELS[-1]:g}",
    }


def calibrate(path: Path) -> dict[str, Any]:
    """Calibrate an ONNX network that has uncertainty, note it in its card, and return what was noted."""
    from export.cards import load, read_card, save, write_card

    found = measure(network(path))
    model = load(path)
    write_card(model, replace(read_card(model, str(path)), calibration=found))
    save(model, path, overwrite=True)
    return found
