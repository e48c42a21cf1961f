"""``python -m benchmarks runtime``: maps in memory through every way to run a network, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np

from solardn.model import DEFAULT, Model
from solardn.tiling import pad

from .networks import AUTHORS, authors, find, maps, multiply_adds
from .peak import matrix_product
from .peers import Maps, Way, keras_ways, openvino_ways, runtime_ways, solardn_way
from .tables import Report, Table, folder, run_options, say
from .timing import Paired, Spread, paired

CELLS = ((1000, 1), (512, 8), (256, 1), (256, 8), (512, 1), (2048, 1))
"""Sizes in pixels and maps at once; what matters most comes first, for the case that time runs out."""

_LARGE = 4e6  # pixels from which two rounds must do
_REST = 0.3  # seconds: threads of some ways spin for 0.2 after their last work
_FEW = ("Keras predict", "onnxruntime", "solardn")  # ways that are timed there: all at once take more than 24 GB


@dataclass(frozen=True)
class Candidate:
    """A network in one of the ways to run it."""

    network: str
    way: str
    run: Way
    cost: float  # multiply-adds a pixel

    @property
    def name(self) -> str:
        """Name in the tables."""
        return f"{self.network}, {self.way}"


@click.command()
@click.option("--model", default=DEFAULT, show_default=True, help="Network to compare with the authors'.")
@click.option("--minutes", default=6.0, show_default=True, help="No size is begun after that time.")
@run_options
def runtime(model: str, minutes: float, quick: bool, output: Path | None) -> None:
    """Compare ways to run the authors' network and a network of solardn: Mpx/s, GFLOP/s, and ratios of paired runs."""
    begun = time.perf_counter()
    found = find(model)
    report = Report("runtime", f"python -m benchmarks runtime{' --quick' * quick}")
    peak = matrix_product(512 if quick else 2048, 0.1 if quick else 3.0)
    say(f"matrix product: {peak} GFLOP/s")
    candidates = [*_candidates(AUTHORS, find(AUTHORS)), *_candidates(found.card.name, found)]
    cells, results = (((256, 1), (128, 2)) if quick else CELLS), {}
    for side, number in cells:
        if time.perf_counter() - begun > 60 * minutes:
            say(f"{number} × {side}²: left out, the time is over")
            continue
        say(f"{number} × {side}²: {len(candidates)} candidates, after {time.perf_counter() - begun:.0f} s")
        results[side, number] = _measured(
            candidates, {AUTHORS: find(AUTHORS), found.card.name: found}, side, number, quick
        )
    order = sorted(results)
    report.tables.append(_speeds(candidates, results, order, peak))
    report.tables.append(_ratios(found.card.name, candidates, results, order))
    report.figures = {
        "peak_gflops": asdict(peak),
        "seconds": {f"{number}x{side}": found.times for (side, number), found in results.items()},
        "multiply_adds": {candidate.name: candidate.cost for candidate in candidates},
    }
    report.write(folder(output, quick))


def _candidates(name: str, model: Model) -> list[Candidate]:
    ways = [*(keras_ways(authors()[1]) if name == AUTHORS else ()), *runtime_ways(model)]
    ways += [("solardn", solardn_way(model)), *openvino_ways(model)]
    cost = multiply_adds(model)
    return [Candidate(name, way, run, cost) for way, run in ways]


def _measured(candidates: list[Candidate], models: dict[str, Model], side: int, number: int, quick: bool) -> Paired:
    """Return the times of all candidates on the same maps; other ways than solardn get them padded beforehand."""
    large = number * side**2 > _LARGE
    runs: dict[str, Callable[[], Maps]] = {}
    for name, model in models.items():
        given = maps(number, side, model)
        padded = np.stack([pad(plane, model.card) for plane in given])[:, np.newaxis]
        for candidate in candidates:
            if candidate.network == name and not (large and candidate.way not in _FEW):
                runs[candidate.name] = partial(candidate.run, given if "solardn" in candidate.way else padded)
    least = 1 if quick else 2 if large else 3
    return paired(runs, seconds=0.0 if quick or large else 15.0, least=least, most=15, pause=0.0 if quick else _REST)


def _speeds(
    candidates: list[Candidate], results: dict[tuple[int, int], Paired], order: list[tuple[int, int]], peak: Spread
) -> Table:
    heads = [f"{number} × {side}²" for side, number in order]
    table = Table("Throughput, Mpx/s: median (quartiles)", ("network, way to run it", *heads, "GFLOP/s", "of the peak"))
    for candidate in candidates:
        speeds = {
            cell: results[cell].spread(candidate.name).inverse(cell[0] ** 2 * cell[1] / 1e6)
            for cell in order
            if candidate.name in results[cell].times
        }
        best = max(speed.median for speed in speeds.values()) * 2 * candidate.cost / 1e3
        shown = [speeds.get(cell, "left out") for cell in order]
        table.rows.append((candidate.name, *shown, f"{best:.0f}", f"{best / peak.median:.0%}"))
    table.remark = (
        f"GFLOP/s at the best of the sizes, two operations for each multiplication of a convolution. The peak is a matrix product of numpy in float32 "
        f"on all CPUs: {peak} GFLOP/s; bfloat16 may exceed it."
    )
    return table


def _ratios(
    name: str, candidates: list[Candidate], results: dict[tuple[int, int], Paired], order: list[tuple[int, int]]
) -> Table:
    """Return how many times faster one way is than another, from pairs of runs."""
    known = {candidate.name for candidate in candidates}
    wanted = [
        (f"{name}, solardn", f"{name}, onnxruntime", "0.97 at 1000²"),
        (f"{AUTHORS}, solardn", f"{AUTHORS}, onnxruntime", "0.97 at 1000²"),
        (f"{name}, solardn", f"{AUTHORS}, Keras predict", "4"),
        (f"{name}, solardn", f"{AUTHORS}, tf.function", ""),
        (f"{name}, solardn", f"{AUTHORS}, OpenVINO float32", "1.8"),
        (f"{name}, solardn", f"{name}, PyTorch", ""),
        (f"{name}, solardn on OpenVINO bf16", f"{name}, solardn", "1.9 on a CPU with bfloat16"),
        (f"{name}, solardn on OpenVINO bf16", f"{AUTHORS}, Keras predict", "8"),
        (f"{name}, solardn on OpenVINO fp32", f"{name}, solardn", ""),
    ]
    table = Table(
        "Speed of one way in units of another, from paired runs",
        ("way", "in units of", *(f"{n} × {s}²" for s, n in order), "wanted"),
    )
    for way, unit, least in wanted:
        if way in known and unit in known:
            table.rows.append((way, unit, *(_ratio(results[cell], unit, way) for cell in order), least))
    return table


def _ratio(found: Paired, unit: str, way: str) -> Spread | str:
    return found.ratio(unit, way) if {unit, way} <= set(found.times) else "left out"
