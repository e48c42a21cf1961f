"""How right the noise level is that solardn finds, over kinds of truth, kinds of noise, and ratios of signal to noise."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

from solardn.noise import noise_sigma

from .scenes import NOISES, TRUTHS, Map, make_noise, make_truth, unit

RATIOS = (0.5, 2.0, 8.0)
"""Signal rms / noise rms."""

CASES = "cases"
"""The word for the held-out maps on which networks are judged (`training.cases`)."""


@dataclass(frozen=True)
class Row:
    """One map: its noise and truth, their ratio, the relative error of the level found, and the time that took."""

    noise: str
    truth: str
    ratio: float
    error: float
    seconds: float

    @property
    def allowed(self) -> float:
        """Largest relative error that is wanted: less for white noise, and where signals are not strong."""
        white = self.noise == "white"
        return (0.05 if white else 0.1) if self.ratio <= 2 else (0.1 if white else 0.2)


@click.command()
@click.option("--size", default=512, show_default=True, help="Height and width of the maps, pixels.")
@click.option("--seeds", default=2, show_default=True, help="Realisations of every combination.")
@click.option(
    "--cutoff", default=0.6, show_default=True, help="Where the telescope that sees the truth ends, cycles/px."
)
@click.option(
    "--held-out",
    metavar="FILE|cases",
    help="A .npy file (…, y, x) of noise-free truth to judge on instead of the simulated one, or 'cases': the maps on which networks are judged.",
)
@click.option("--quick", is_flag=True, help="Of the held-out cases, those with 12 of the 48 truths.")
@click.option("--json", "as_json", is_flag=True, help="Every single result as JSON.")
def noise(size: int, seeds: int, cutoff: float, held_out: str | None, quick: bool, as_json: bool) -> None:
    """Compare the noise level found with the true one.

    Example: python -m benchmarks noise --held-out cases
    """
    rows = []
    for kind, name, ratio, data in _cases(quick) if held_out == CASES else _maps(size, seeds, cutoff, held_out):
        started = time.perf_counter()
        error = noise_sigma(data) - 1
        rows.append(Row(kind, name, ratio, error, time.perf_counter() - started))
    click.echo(json.dumps([asdict(row) for row in rows], indent=1) if as_json else _table(rows))


def _maps(size: int, seeds: int, cutoff: float, held_out: str | None) -> Iterator[tuple[str, str, float, Map]]:
    """Give the noise, the truth, their ratio and the map for every combination."""
    for kind in NOISES:
        for name, truth, seed in _truths(size, seeds, cutoff, held_out):
            level = make_noise(kind, truth.shape, seed)
            for ratio in RATIOS if truth.any() else (0.0,):
                yield kind, name, ratio, ratio * truth + level


def _truths(size: int, seeds: int, cutoff: float, held_out: str | None) -> Iterator[tuple[str, Map, int]]:
    """Give truths of rms 1 (or without any signal), each with its name and the seed of its noise."""
    if held_out:
        planes = np.load(Path(held_out)).astype(np.float64)
        for number, plane in enumerate(planes.reshape(-1, *planes.shape[-2:])):
            yield f"map {number}", unit(plane), number
        return
    for seed in range(seeds):
        for name in ("none", *TRUTHS):
            yield name, make_truth(name, (size, size), seed, cutoff), seed


def _cases(quick: bool) -> Iterator[tuple[str, str, float, Map]]:
    """Give the same for the maps on which networks are judged."""
    from training.cases import cases

    for case in cases(quick):
        if case.snr in (0.0, *RATIOS):
            yield case.noise, f"{case.family} {case.instance}", case.snr, case.maps().noisy.astype(np.float64)


def _table(rows: list[Row]) -> str:
    """Return the mean absolute error, and the largest with its truth, by kind of noise and ratio, as Markdown."""
    ratios = sorted({row.ratio for row in rows})
    lines = [
        "| noise | " + " | ".join(f"signal {ratio:g} × noise" if ratio else "no signal" for ratio in ratios) + " |",
        "|---" * (len(ratios) + 1) + "|",
    ]
    for kind in (*dict.fromkeys(row.noise for row in rows), "all"):
        cells = []
        for ratio in ratios:
            here = [row for row in rows if row.ratio == ratio and kind in (row.noise, "all")]
            worst = max(here, key=lambda row: abs(row.error))
            mean = np.mean([abs(row.error) for row in here])
            beyond = sum(abs(row.error) > row.allowed for row in here)
            wrong = f"{beyond} of {len(here)} beyond the goal; " if beyond else ""
            cells.append(f"{mean:.1%} ({wrong}at most {worst.error:+.0%}, {worst.truth})")
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    seconds = np.median([row.seconds for row in rows])
    return "\n".join([*lines, "", f"{len(rows)} maps, {seconds * 1e3:.0f} ms each (median)"])
