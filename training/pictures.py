"""Pictures of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .cases import cases
from .methods import Method, denoised
from .scores import rms

_SNR, _NOISE = 2.0, "disc 0.3"


def examples(methods: Sequence[Method], kept: Path, quick: bool, path: Path) -> None:
    """Draw, for one case of each truth, observation, truth, and what each method makes of it."""
    chosen = [case for case in cases(quick) if case.snr == _SNR and case.noise == _NOISE]
    titles = ["observed", "truth", *(method.name for method in methods)]
    figure = Figure(figsize=(2.6 * len(titles), 2.6 * len(chosen)), layout="constrained")
    axes = figure.subplots(len(chosen), len(titles), squeeze=False)
    for row, case in zip(axes, chosen, strict=True):
        maps = case.maps()
        planes = [maps.noisy, maps.truth, *(denoised(method, maps, kept) for method in methods)]
        limit = max(3.0, float(np.percentile(np.abs(maps.truth), 99.5)))
        for axis, title, plane in zip(row, titles, planes, strict=True):
            axis.imshow(plane, vmin=-limit, vmax=limit, cmap="gray", origin="lower", interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            error = f" {rms(plane - maps.truth):.2f}" if title != "truth" else ""
            axis.set_title(f"{title}{error}", fontsize=9)
        row[0].set_ylabel(case.family, fontsize=9)
    figure.suptitle(
        f"signal-to-noise {_SNR:g}, noise up to 0.3 cycles/px; numbers: rms error in units of the noise", fontsize=10
    )
    figure.savefig(path, dpi=90)


def removed(found: Mapping[str, Any], path: Path) -> None:
    """Draw the power of what each method removed over that of the noise, against spatial frequency."""
    borders = np.array(found["cases"]["rings"])
    k = 0.5 * (borders[1:] + borders[:-1])
    kinds = found["cases"]["noises"]
    figure = Figure(figsize=(12, 6), layout="constrained")
    axes = figure.subplots(2, -(-len(kinds) // 2), sharex=True, sharey=True, squeeze=False).ravel()
    for axis, kind in zip(axes, kinds, strict=False):
        for name, method in found["methods"].items():
            values = [np.nan if value is None else value for value in method["removed_over_noise"][kind]]
            axis.plot(k, values, label=name, marker=".", markersize=4, linewidth=1)
        axis.axhline(1, color="gray", linewidth=0.7)
        axis.set_title(kind, fontsize=9)
        axis.set(yscale="log", ylim=(0.05, 30))
    axes[0].legend(fontsize=7)
    figure.supxlabel("spatial frequency (cycles/px)")
    figure.supylabel("power removed / power of the noise")
    figure.savefig(path, dpi=90)


def reliability(found: Mapping[str, Any], path: Path) -> None:
    """Draw rms error against stated σ, and the coverage by kind of noise, of each network with standard deviations."""
    networks = {name: method["coverage"] for name, method in found["methods"].items() if "coverage" in method}
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, one in networks.items():
        left.loglog(one["reliability"]["sigma"], one["reliability"]["error"], marker=".", label=name)
        kinds = list(one["within"]["noise"])
        for i, k in enumerate((1, 2)):
            values = [one["within"]["noise"][kind][i] for kind in kinds]
            right.plot(kinds, values, marker="o", linestyle="none", label=f"{name}, within {k} σ")
    low, high = left.get_xlim()
    left.plot([low, high], [low, high], color="gray", linewidth=0.7)
    left.set(xlabel="σ stated (noise rms)", ylabel="rms error (noise rms)")
    for nominal in (0.6827, 0.9545):
        right.axhline(nominal, color="gray", linewidth=0.7)
    right.set(ylabel="part of the pixels", ylim=(0.5, 1))
    right.tick_params(axis="x", rotation=35)
    left.legend(fontsize=8)
    right.legend(fontsize=8)
    figure.savefig(path, dpi=90)
