"""``python -m benchmarks quality``: what networks reach against what they cost."""

from __future__ import annotations

import warnings
from pathlib import Path

import click
import numpy as np

from solardn import Denoiser
from solardn.model import available

from .networks import AUTHORS, authors, find, multiply_adds
from .noise import RATIOS
from .scenes import NOISES, TRUTHS, make_noise, make_truth, unit
from .tables import Report, Table, folder, run_options, say


@click.command()
@click.option("--model", "models", multiple=True, metavar="NAME|FILE.onnx", help="Further networks; may be repeated.")
@click.option("--cutoff", default=0.6, show_default=True, help="Where the telescope ends, cycles/px.")
@run_options
def quality(models: tuple[str, ...], cutoff: float, quick: bool, output: Path | None) -> None:
    """Compare networks: error on simulated maps against multiplications a pixel, as a table and a picture."""
    authors()
    names = [*dict.fromkeys([*available(), AUTHORS, *models])]
    report = Report("quality", f"python -m benchmarks quality{' --quick' * quick}")
    size, seeds = (128, 1) if quick else (384, 2)
    kinds, truths = (list(NOISES)[:2], list(TRUTHS)[:2]) if quick else (list(NOISES), list(TRUTHS))
    table = Table(
        "Error (rms, in units of the noise) against cost",
        ("network", "multiply-adds a pixel", *(f"signal {r:g} × noise" for r in RATIOS), "all"),
    )
    points = {}
    for name in names:
        network = find(name)
        say(f"{network.card.name}: {len(kinds) * len(truths) * len(RATIOS) * seeds} maps")
        errors = _errors(Denoiser(network, device="cpu"), kinds, truths, size, seeds, cutoff)
        cost = multiply_adds(network)
        means = [float(np.mean(errors[ratio])) for ratio in RATIOS]
        points[network.card.name] = (cost, float(np.mean(means)))
        table.rows.append((f"`{network.card.name}`", f"{cost:,.0f}", *means, points[network.card.name][1]))
        report.figures[network.card.name] = {
            "multiply_adds": cost,
            "error": dict(zip(map(str, RATIOS), means, strict=True)),
        }
    table.remark = f"Mean over {', '.join(truths)} under {', '.join(kinds)} noise, {seeds} of each, {size}² pixels, noise level given. Noise as it came would have the error 1."
    report.tables.append(table)
    place = folder(output, quick)
    report.write(place)
    _draw(points, place / "quality.png")


def _errors(
    denoiser: Denoiser, kinds: list[str], truths: list[str], size: int, seeds: int, cutoff: float
) -> dict[float, list[float]]:
    """Return the rms errors on all maps, in units of the noise, by ratio of signal and noise."""
    found: dict[float, list[float]] = {ratio: [] for ratio in RATIOS}
    for seed in range(seeds):
        for name in truths:
            truth = unit(make_truth(name, (size, size), seed, cutoff))
            for kind in kinds:
                noise = make_noise(kind, truth.shape, seed)
                for ratio in RATIOS:
                    result = denoiser.denoise(ratio * truth + noise, noise_sigma=1.0, noise_map="off")
                    found[ratio].append(float(np.sqrt(np.mean((result - ratio * truth) ** 2))))
    return found


def _draw(points: dict[str, tuple[float, float]], path: Path) -> None:
    try:
        import matplotlib as mpl
    except ImportError:
        say("the picture needs matplotlib")
        return
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, (cost, error) in points.items():
        axes.plot(cost, error, "o", color="#1f5a8a")
        axes.annotate(name, (cost, error), xytext=(2, 7), textcoords="offset points", rotation=40)
    axes.set(xlabel="multiply-adds a pixel", ylabel="error, rms in units of the noise")
    axes.margins(x=0.2, y=0.2)
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure.savefig(path, dpi=150)
    plt.close(figure)
    say(f"written: {path}")
