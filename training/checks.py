"""Further checks of a network: noise misjudged, the map's edge, and what its own uncertainty is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import coverage
from .cases import QUICK, Case, Maps
from .coverage import Counts
from .methods import Map, Network
from .scores import EDGE, Score, frame, geometric, rms

MISJUDGED = (0.7, 1.3)
"""Stated over true noise rms."""
CERTAIN = (0.5, 8.0)
"""Least and largest signal-to-noise at which standard deviations are judged."""
UNEVEN = "uneven"
"""How the names of kinds of noise begin that vary strongly over the field."""
_CROP = 32
"""Pixels cut off all around to see what an edge does to pixels that had neighbours."""


@dataclass(frozen=True)
class Probe:
    """Checks of one network on one case.

    Attributes
    ----------
    misjudged : tuple of float
        rms errors when told each of `MISJUDGED`.
    cut, uncut : float
        rms error in the outermost `EDGE` pixels of the map's middle part, denoised by itself, and as a part of the whole map.
    evened : (float, float), optional
        Under noise that varies strongly over the field and is not told: rms error when it is made even before the network, and when not.
    """

    misjudged: tuple[float, ...]
    cut: float
    uncut: float
    evened: tuple[float, float] | None = None


def probe(network: Network, case: Case, maps: Maps, result: Map) -> Probe | None:
    """Return the further checks of a network on a case, or None for a case on which they are not made."""
    if case.snr not in QUICK:
        return None
    misjudged = tuple(rms(replace(network, stated=stated)(maps) - maps.truth) for stated in MISJUDGED)
    part = np.s_[_CROP:-_CROP, _CROP:-_CROP]
    alone = network(Maps(maps.noisy[part], maps.truth[part], maps.spectrum))
    outer = frame(alone.shape)
    cut, uncut = (rms((found - maps.truth[part])[outer]) for found in (alone, result[part]))
    return Probe(misjudged, cut, uncut, _evened(network, maps) if case.noise.startswith(UNEVEN) else None)


def _evened(network: Network, maps: Maps) -> tuple[float, float]:
    auto, off = (
        rms(network.denoiser.denoise(maps.noisy, noise_map=way, views=network.views) - maps.truth)
        for way in ("auto", "off")
    )
    return auto, off


def counts(network: Network, case: Case, maps: Maps) -> Counts | None:
    """Return how a network's standard deviations compare with its errors on a case; None where they are not judged."""
    if not network.uncertain or not CERTAIN[0] <= case.snr <= CERTAIN[1]:
        return None
    return coverage.count(maps.truth, *network.uncertainty(maps))


def covered(found: Mapping[Case, Counts]) -> dict[str, Any]:
    """Return what `counts` of many cases tell, as JSON (see `training.coverage.report`)."""
    groups: dict[str, dict[str, Counts]] = {"noise": {}, "snr": {}}
    for case in sorted(found, key=lambda case: case.snr):
        for kind, name in (("noise", case.noise), ("snr", f"{case.snr:g}")):
            before = groups[kind].get(name)
            groups[kind][name] = found[case] if before is None else before + found[case]
    return {"coverage": coverage.report(groups, coverage.total(found.values()))}


def summary(scores: Mapping[Case, Score]) -> dict[str, Any]:
    """Return what the scores of one method tell beyond its error, as JSON.

    Returns
    -------
    dict
        ``no_signal``: rms of the output where there is only noise, mean and largest. ``weak_slope``: slope of output on truth over
        pixels whose truth is below 1 σ, by signal-to-noise. ``edge_over_middle``: error in the outermost 16 px over that in the rest.
        ``removed_over_noise``: power removed over power of the noise, by kind of noise, in rings of spatial frequency where the
        noise has power (null elsewhere). ``leak``: correlation of what was removed with the truth, by signal-to-noise.
    """
    silent = [one.output for case, one in scores.items() if not case.snr]
    signal = {case: one for case, one in scores.items() if case.snr}
    levels = sorted({case.snr for case in signal})

    def at(level: float) -> list[Score]:
        return [one for case, one in signal.items() if case.snr == level]

    return {
        "no_signal": {"mean": float(np.mean(silent)), "largest": max(silent)},
        "weak_slope": {
            f"{level:g}": sum(one.weak[0] for one in at(level)) / sum(one.weak[1] for one in at(level))
            for level in levels
        },
        "edge_over_middle": {
            "all": geometric(one.frame / one.middle for one in signal.values()),
            **{f"{level:g}": geometric(one.frame / one.middle for one in at(level)) for level in levels},
        },
        "removed_over_noise": {kind: _removed(signal, kind) for kind in dict.fromkeys(case.noise for case in signal)},
        "leak": {f"{level:g}": float(np.mean([one.leak for one in at(level)])) for level in levels},
    }


def _removed(scores: Mapping[Case, Score], kind: str) -> list[float | None]:
    chosen = [one for case, one in scores.items() if case.noise == kind]
    removed, noise = (np.mean([getattr(one, name) for one in chosen], axis=0) for name in ("removed", "noise"))
    return [float(r / n) if n > 0.05 * noise.max() else None for r, n in zip(removed, noise, strict=True)]


def probed(probes: Mapping[Case, Probe], scores: Mapping[Case, Score]) -> dict[str, Any]:
    """Return the further checks of a network, as JSON.

    Returns
    -------
    dict
        ``misjudged``: error when told each of `MISJUDGED` over that when told the truth, by signal-to-noise. ``cut_over_uncut``: error in the
        outermost pixels of a map over that of the same pixels when the map goes on beyond them. ``evened``: error under noise that varies
        strongly when it is made even over that when it is not, by signal-to-noise.
    """
    levels = sorted({case.snr for case in probes})
    return {
        "misjudged": {
            f"{stated:g}": {
                f"{level:g}": geometric(
                    one.misjudged[i] / scores[case].error for case, one in probes.items() if case.snr == level
                )
                for level in levels
            }
            for i, stated in enumerate(MISJUDGED)
        },
        "cut_over_uncut": geometric(one.cut / one.uncut for one in probes.values()),
        "edge": EDGE,
        "evened": {
            f"{level:g}": geometric(
                one.evened[0] / one.evened[1] for case, one in probes.items() if one.evened and case.snr == level
            )
            for level in levels
            if any(one.evened for case, one in probes.items() if case.snr == level)
        },
    }
