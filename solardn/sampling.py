"""Standard deviations of denoised maps: what the noise leaves uncertain (aleatoric), and what the network does (epistemic)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Float, whole
from .calibration import Calibration
from .card import Card
from .engine import Engine
from .errors import ModelError, OptionError
from .model import DEFAULT_WITH_UNCERTAINTY
from .moments import Moments
from .tiling import Network
from .units import Prepared
from .views import VIEWS, first
from .workers import in_order

METHODS = ("dropout", "flips")


@dataclass(frozen=True)
class Uncertainty:
    """Denoised maps and their standard deviations (1 σ), all float32 (..., y, x) in the data's units.

    Attributes
    ----------
    mean : ndarray
        The denoised maps: the mean over the samples. Pixels that were not finite are as they were.
    sigma : ndarray
        Total standard deviation, sigma² = aleatoric² + epistemic². NaN where pixels were not finite, as in the other two.
    aleatoric : ndarray or None
        What the noise of the data leaves uncertain, as the network estimates it; None when it has no such output.
    epistemic : ndarray or None
        What the network itself leaves uncertain: the spread of the samples; None when none were drawn.
    method : str
        ``dropout``; ``aleatoric`` when no samples were drawn; ``flips``, a stand-in for the epistemic part.
    samples : int
        How many were drawn.
    seed : int
        Which ones: the same seed gives the same bits, whatever the tiles, the memory and the threads.
    factor : float
        Calibration on held-out truth, by which all three were multiplied; 1 when the network's card has none for this method. Where the card has
        a map of factors over σ (`solardn.calibration`), that was taken, and this is the one factor that would come nearest.
    """

    mean: Float
    sigma: Float
    aleatoric: Float | None
    epistemic: Float | None
    method: str
    samples: int
    seed: int
    factor: float


_NONE = Calibration()


@dataclass(frozen=True)
class Request:
    """How uncertainties are to be found; checked by `request`."""

    method: str
    samples: int
    seed: int
    calibration: Calibration = _NONE


def request(card: Card, samples: int, seed: int, method: str) -> Request:
    """Return how a network's uncertainties are found, if it can tell them.

    Raises
    ------
    OptionError
        The number of samples, the seed or the method is nonsense.
    ModelError
        The network lacks dropout or a variance; what it can give instead is named.
    """
    if method not in METHODS:
        raise OptionError(f"there is no method {method!r}; possible are {' and '.join(METHODS)}")
    samples, seed = whole(samples, "samples", 0), whole(seed, "seed", 0, most=2**32 - 1)
    if method == "flips":
        return Request("flips", VIEWS, seed)
    if samples == 1:
        raise OptionError(
            "samples is 1, and one sample has no spread; give 2 or more, or 0 for the aleatoric part alone"
        )
    has_variance = "log_variance" in card.outputs
    if samples == 0 and has_variance:
        return Request("aleatoric", 0, seed, _NONE if card.dropout else card.calibrated)
    if has_variance and card.drop_rate > 0:
        return Request("dropout", samples, seed, card.calibrated)
    lacks = "no variance output" if not has_variance else "no dropout, so all its samples would agree"
    gives = "0 samples (samples=0, --samples 0) give the aleatoric part alone, and " if has_variance else ""
    raise ModelError(
        f"network {card.name!r} has {lacks}; {gives}flips (method='flips', --method flips) give a stand-in for the epistemic part, or take a network made for it, such as "
        f"{DEFAULT_WITH_UNCERTAINTY!r}"
    )


def sample_seeds(seed: int, samples: int) -> NDArray[np.uint32]:
    """Return a seed for each sample. The k-th does not depend on how many follow; no two of one seed agree."""
    steps = np.arange(1, samples + 1, dtype=np.uint32) * np.uint32(0x9E3779B9)
    return _mixed(_mixed(np.array([seed], np.uint32)) + steps)


def _mixed(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return a hash of each word that maps no two to one (lowbias32 by C. Wellons, public domain)."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        words = (words ^ (words >> np.uint32(shift))) * np.uint32(factor)
    return words


def sampling(engine: Engine, seeds: NDArray[np.uint32], batch: int, workers: int, threads: int = 1) -> Network:
    """Return a function for `tiling.run_tiled` that gives mean, epistemic and aleatoric variance of a window.

    Parameters
    ----------
    engine : Engine
        The network.
    seeds : ndarray of uint32
        One for each sample.
    batch : int
        Samples in one run.
    workers : int
        Runs at once.
    threads : int
        Threads within each of them.
    """

    def run(window: Float, origin: tuple[int, int]) -> Float:
        shared = engine.share(window[None, None], origin, workers * threads)
        means, variances = Moments(), Moments()
        for log_variance in shared.outputs.get("log_variance", ()):
            variances.add(np.exp(log_variance[0]))
        batches = [seeds[start : start + batch] for start in range(0, len(seeds), batch)]
        for given in in_order(lambda some: engine.draw(shared, some, threads), batches, workers):
            for sample in given["mean"]:
                means.add(sample[0])
            for sample in given.get("log_variance", ()):
                variances.add(np.exp(sample[0]))
        return np.stack([means.mean, means.variance, variances.mean]).astype(np.float32)

    return run


def single(engine: Engine, threads: int = 1) -> Network:
    """Return a function for `tiling.run_tiled` that gives the mean of a window and, where there, its aleatoric variance."""

    def run(window: Float, origin: tuple[int, int]) -> Float:
        given = engine.run(window[None, None], origin=origin, threads=threads)
        layers = [given["mean"][0, 0], *(np.exp(v[0]) for v in given.get("log_variance", ()))]
        return np.stack(layers)

    return run


def over_flips(units: Float, tiled: Callable[[Float], Float]) -> Float:
    """Return mean, epistemic and, where there, aleatoric variance (layer, y, x) over all `VIEWS` of a map."""
    means, variances = Moments(), Moments()
    for view in first(VIEWS):
        layers = view.back(tiled(view.of(units)))
        means.add(view.sign * layers[0])
        for layer in layers[1:]:
            variances.add(layer)
    found = [means.mean, means.variance, *([variances.mean] if variances.count else [])]
    return np.stack(found).astype(np.float32)


def assembled(asked: Request, prepared: Prepared, layers: Float) -> Uncertainty:
    """Return the result for one map from mean, epistemic and aleatoric variance in network units, as far as they are there."""
    parts = list(layers[1:])
    epistemic = None if asked.method == "aleatoric" else parts.pop(0)
    aleatoric = parts.pop(0) if parts else None

    total = layers[1:].sum(axis=0)
    factors = asked.calibration.at(np.sqrt(total))

    def deviation(variance: Float) -> Float:
        return prepared.restored_deviation(np.sqrt(variance) * factors)

    return Uncertainty(
        mean=prepared.restored(layers[0]),
        sigma=deviation(total),
        aleatoric=None if aleatoric is None else deviation(aleatoric),
        epistemic=None if epistemic is None else deviation(epistemic),
        method=asked.method,
        samples=asked.samples,
        seed=asked.seed,
        factor=asked.calibration.factor,
    )


def unknown(asked: Request, data: Float, card: Card) -> Uncertainty:
    """Return the result for a map that holds nothing finite: it stays as it is, and its deviations are NaN."""
    nothing = np.full(data.shape, np.nan, np.float32)
    return Uncertainty(
        mean=data.copy(),
        sigma=nothing,
        aleatoric=nothing.copy() if "log_variance" in card.outputs else None,
        epistemic=nothing.copy() if asked.method != "aleatoric" else None,
        method=asked.method,
        samples=asked.samples,
        seed=asked.seed,
        factor=asked.calibration.factor,
    )


def stacked(results: list[Uncertainty], shape: tuple[int, ...]) -> Uncertainty:
    """Return one result of shape (..., y, x) from those of its maps."""
    arrays: dict[str, Any] = {
        field.name: np.stack([getattr(result, field.name) for result in results]).reshape(shape)
        for field in fields(Uncertainty)
        if isinstance(getattr(results[0], field.name), np.ndarray)
    }
    return replace(results[0], **arrays)
