"""Find the factor that makes a network's standard deviations honest, on simulated maps that it was not trained with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from solardn.api import Denoiser
from solardn.calibration import calibration_of

from . import coverage
from .cases import NOISES, Maps, of_family
from .heldout import FAMILIES
from .methods import SAMPLES, Network, network

LEVELS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Signal-to-noise ratios at which standard deviations are to be honest."""
_KNOTS = 6
"""Places of a map of factors over σ, each with as many pixels."""
Ratio = tuple[NDArray[np.floating], NDArray[np.floating]]
"""|error| and σ of pixels, in network units."""
_DRAW = 1
_COUNT = len(FAMILIES) * len(NOISES) * len(LEVELS)


def simulated() -> Iterator[tuple[float, Maps]]:
    """Yield maps and their signal-to-noise: of the kinds that networks are judged on, but drawn anew, so that neither weights nor judgement see them."""
    for family in FAMILIES:
        for case in of_family(family, LEVELS, draw=_DRAW):
            yield case.snr, case.maps()


def measure(judged: Network) -> dict[str, Any]:
    """Return the calibration of a network, as its card holds it.

    Returns
    -------
    dict
        ``factor`` on σ; where that leaves a level of signal-to-noise outside `training.coverage.WITHIN` and a map over σ serves them all better, ``sigmas`` and
        ``factors`` as well (see `solardn.calibration`). ``coverage_1`` and ``coverage_2``: parts of the truth within 1 and 2 σ, over all
        levels; ``by_snr``: the same by level. ``data``: what it was measured on.
    """
    plain = _without_calibration(judged)
    errors: dict[float, list[Ratio]] = {level: [] for level in LEVELS}
    for level, one in track(simulated(), description=f"calibrating {judged.name}", total=_COUNT):
        found = plain.uncertainty(one.noisy, noise_sigma=judged.stated, samples=SAMPLES, seed=0)
        units = plain.card.input_sigma / judged.stated
        errors[level].append(((np.abs(found.mean - one.truth) * units).ravel(), (found.sigma * units).ravel()))
    return fitted({level: _joined(pairs) for level, pairs in errors.items()})


def fitted(errors: Mapping[float, Ratio]) -> dict[str, Any]:
    """Return the calibration that serves errors and σ (network units) of several levels of signal-to-noise; see `measure`."""
    error, sigma = _joined(list(errors.values()))
    single = {"factor": round(_factor(error / sigma), 4)}
    varied = None if _is_honest(single, errors) else _varied(single, error, sigma)
    chosen = varied if varied and _worst(varied, errors) < _worst(single, errors) else single
    first, second = _within(chosen, error, sigma)
    by_snr = {f"{level:g}": [round(part, 4) for part in _within(chosen, *pair)] for level, pair in errors.items()}
    return {
        **chosen,
        "coverage_1": round(first, 4),
        "coverage_2": round(second, 4),
        "by_snr": by_snr,
        "data": f"{_COUNT} simulated maps neither trained with nor judged on, signal-to-noise {LEVELS[0]:g} to {LEVELS[-1]:g}",
    }


def _varied(
    single: Mapping[str, Any], error: NDArray[np.floating], sigma: NDArray[np.floating]
) -> dict[str, Any] | None:
    """Return a calibration by a map of factors over σ; nothing where σ hardly varies."""
    edges = np.unique(np.quantile(sigma, np.linspace(0, 1, _KNOTS + 1)))
    knots = len(edges) - 1
    if knots < 2:
        return None
    places = np.clip(np.searchsorted(edges, sigma, side="right") - 1, 0, knots - 1)
    here = [places == knot for knot in range(knots)]
    sigmas = np.array([np.exp(np.log(sigma[one]).mean()) for one in here])
    after = np.maximum.accumulate(sigmas * [_factor(error[one] / sigma[one]) for one in here])
    after *= 1 + 1e-3 * np.arange(knots)  # a larger σ stays a larger one
    return {**single, "sigmas": _rounded(sigmas), "factors": _rounded(after / sigmas)}


def _without_calibration(judged: Network) -> Denoiser:
    model = judged.denoiser.model
    return Denoiser(replace(model, card=replace(model.card, calibration=None)), device="cpu", threads=1)


def _joined(pairs: Sequence[Ratio]) -> Ratio:
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def _factor(ratios: NDArray[np.floating]) -> float:
    """Return the factor on σ that serves pixels with these |error| / σ best."""
    ordered = np.sort(ratios)
    return coverage.best_factor(lambda sigmas: np.searchsorted(ordered, sigmas) / len(ordered))


def _within(entry: Mapping[str, Any], error: NDArray[np.floating], sigma: NDArray[np.floating]) -> tuple[float, float]:
    """Return the parts of the truth within 1 and 2 calibrated σ."""
    ratio = error / (sigma * calibration_of(entry, "fitted").at(sigma))
    return float((ratio < 1).mean()), float((ratio < 2).mean())


def _worst(entry: Mapping[str, Any], errors: Mapping[float, Ratio]) -> float:
    """Return the largest miss over the levels, in units of what is allowed."""
    parts = [_within(entry, *pair) for pair in errors.values()]
    return max(float(coverage.miss({1: first, 2: second})) for first, second in parts)


def _is_honest(entry: Mapping[str, Any], errors: Mapping[float, Ratio]) -> bool:
    return _worst(entry, errors) <= 1


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def calibrate(path: Path) -> dict[str, Any]:
    """Calibrate an ONNX network that has uncertainty, note it in its card, and return what was noted."""
    from export.cards import load, read_card, save, write_card

    found = measure(network(path))
    model = load(path)
    write_card(model, replace(read_card(model, str(path)), calibration=found))
    save(model, path, overwrite=True)
    return found
