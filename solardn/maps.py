"""The way of one map: scaled, filled, cut into tiles, run, put together and scaled back here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Cycles, Float, as_float32, checked_cycles
from .engine import Engine
from .errors import OptionError
from .memory import Share
from .runner import Runner
from .sampling import (
    Uncertainty,
    assembled,
    over_flips,
    request,
    sample_seeds,
    sampling,
    single,
    unknown,
)
from .tiling import Network
from .units import Scale, prepare
from .views import checked_views, mean_over


@dataclass(frozen=True)
class Denoised:
    """One denoised map.

    Attributes
    ----------
    values : ndarray of float32
        The map (y, x) in the data's units; pixels that were not finite are as they were.
    cycles : int
        Passes of the network that are in it.
    """

    values: Float
    cycles: int


def mean_of(engine: Engine, share: Share) -> Network:
    """Return the network as a function of a window, which gives the mean only."""

    def mean(window: Float, _: tuple[int, int]) -> Float:
        batch = window[np.newaxis, np.newaxis]
        found: Float = engine.run(batch, outputs=["mean"], threads=share.threads)["mean"][0]
        return found

    return mean


def _see_they_pair(planes: Sequence[NDArray[Any]], scales: Sequence[Scale]) -> None:
    """Refuse scales that are not as many as the maps.

    Raises
    ------
    OptionError
    """
    if len(planes) != len(scales):
        raise OptionError(f"there are {len(planes)} maps and {len(scales)} scales; give one for each map")


def denoised(
    runner: Runner, planes: Sequence[NDArray[Any]], scales: Sequence[Scale], cycles: Cycles, views: int = 1
) -> Iterator[Denoised]:
    """Return the denoised maps one after the other; see `solardn.Denoiser.denoise_maps`."""
    asked, views = checked_cycles(cycles), checked_views(views)
    _see_they_pair(planes, scales)

    def work(number: int, share: Share) -> Denoised:
        data = as_float32(planes[number])
        if not np.isfinite(data).any():
            return Denoised(data.copy(), 1)
        prepared = prepare(data, scales[number])

        def seen(units: Float) -> Float:
            layers = runner.tiled(mean_of(runner.engine, share), units, share)
            return np.asarray(layers[0])

        once = mean_over(views, seen)
        found, passes = once(prepared.units), 1
        if asked == "auto":
            from .cycles import refine

            found = prepared.checked(found, runner.card.name)
            found, passes = refine(once, prepared.units, found, prepared.holes)
        else:
            while passes < asked:
                found, passes = found + once(prepared.units - found), passes + 1
        return Denoised(prepared.restored(prepared.checked(found, runner.card.name)), passes)

    return runner.each_map(work, planes)


def uncertainties(
    runner: Runner, planes: Sequence[NDArray[Any]], scales: Sequence[Scale], samples: int, seed: int, method: str
) -> Iterator[Uncertainty]:
    """Return the uncertainties of maps one after the other; see `solardn.Denoiser.uncertainty_maps`."""
    card, engine = runner.card, runner.engine
    asked = request(card, samples, seed, method)
    _see_they_pair(planes, scales)
    seeds = sample_seeds(seed, asked.samples if asked.method == "dropout" else 0)

    def once(units: Float, share: Share) -> Float:
        return runner.tiled(single(engine, share.threads), units, share, layers=len(card.outputs))

    def work(number: int, share: Share) -> Uncertainty:
        data = as_float32(planes[number])
        if not np.isfinite(data).any():
            return unknown(asked, data, card)
        prepared = prepare(data, scales[number])
        if asked.method == "dropout":
            # Samples are shared out over the threads, not tiles: so no margin is computed twice.
            network = sampling(engine, seeds, share.batch, share.runs, share.threads)
            found = runner.tiled(network, prepared.units, replace(share, runs=1), layers=3)
        elif asked.method == "flips":
            found = over_flips(prepared.units, lambda view: once(view, share))
        else:
            found = once(prepared.units, share)
        return assembled(asked, prepared, prepared.checked(found, card.name))

    if asked.method == "dropout":
        return (work(number, runner.sampling_limits(plane.shape)) for number, plane in enumerate(planes))
    return runner.each_map(work, planes)
