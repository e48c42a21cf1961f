"""``python -m benchmarks scaling``: time and memory of whole processes against the number and size of maps, and threads."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from solardn.machine import usable_cpus
from solardn.model import DEFAULT

from .cubes import npy_cube
from .process import Measured, measure
from .tables import TRIALS, Report, Table, folder, run_options, say

MEMORY = "512MB"


@click.command()
@click.option("--model", default=DEFAULT, show_default=True, help="Network that solardn runs.")
@click.option("--minutes", default=10.0, show_default=True, help="No process is begun after that time.")
@run_options
def scaling(model: str, minutes: float, quick: bool, output: Path | None) -> None:
    """Measure throughput and peak memory for cubes of 1 to 1000 maps, maps of 64² to 8192², and 1, 2, … threads; noise found, residuals inspected."""
    begun = time.perf_counter()
    report = Report("scaling", f"python -m benchmarks scaling{' --quick' * quick}")
    cpus = usable_cpus()
    numbers = (1, 4) if quick else (1, 10, 100, 1000)
    sides = (64, 128) if quick else (64, 256, 1024, 4096, 8192)
    threads = sorted({1, 2} if quick else {1, 2, *(2**n for n in range(2, 8) if 2**n <= 2 * cpus)})
    cubes, maps, cores = [(n, 256) for n in numbers], [(1, side) for side in sides], (8, 128 if quick else 1000)
    TRIALS.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=TRIALS) as scratch:

        def took(number: int, side: int, *options: str) -> Measured | None:
            if time.perf_counter() - begun > 60 * minutes:
                say(f"{number} × {side}²: left out, the time is over")
                return None
            say(f"{number} × {side}² {' '.join(options)}, after {time.perf_counter() - begun:.0f} s")
            given, out = npy_cube(Path(scratch, "given.npy"), number, side), Path(scratch, "out.npy")
            words: list[str | Path] = [
                sys.executable,
                "-m",
                "solardn",
                "denoise",
                given,
                out,
                "--overwrite",
                "--quiet",
                "--device",
                "cpu",
            ]
            return measure([*words, "--model", model, "--axes", "y=1,x=2", *options])

        for name, cells in (("Number of maps", cubes), ("Size of a map", maps)):
            found = [(n, side, took(n, side, "--memory", MEMORY)) for n, side in cells]
            report.tables.append(_growth(f"{name}, `--memory {MEMORY}`", [(n, s, m) for n, s, m in found if m]))
            report.figures[name] = [(n, side, vars(m)) for n, side, m in found if m]
        speeds = [(count, took(*cores, "--threads", str(count))) for count in threads]
    report.tables.append(_threads(cores, [(count, m) for count, m in speeds if m]))
    report.figures["threads"] = [(count, vars(m)) for count, m in speeds if m]
    report.write(folder(output, quick))


def _growth(title: str, found: Sequence[tuple[int, int, Measured]]) -> Table:
    """Return time and memory against pixels, and how far from a straight line the times are."""
    table = Table(title, ("maps", "Mpx", "seconds", "seconds after start-up / Mpx", "peak MB"))
    start = found[0][2].seconds if found else 0.0
    for number, side, measured in found:
        pixels = number * side**2 / 1e6
        rate = f"{(measured.seconds - start) / pixels:.3f}" if pixels > 1 else ""
        table.rows.append(
            (f"{number} × {side}²", f"{pixels:.3g}", measured.seconds, rate, f"{measured.peak / 1e6:.0f}")
        )
    if len(found) > 2:
        sizes = np.log([number * side**2 for number, side, _ in found[-2:]])
        times = np.log([measured.seconds - start for _, _, measured in found[-2:]])
        slope = (times[1] - times[0]) / (sizes[1] - sizes[0])
        table.remark = f"Start-up is the time of the smallest. Time grows as pixels to the power {slope:.2f} between the last two. Wanted: linear in pixels, flat in memory, 1000 MB at most."
    return table


def _threads(cores: tuple[int, int], found: Sequence[tuple[int, Measured]]) -> Table:
    number, side = cores
    table = Table(
        f"Threads, {number} maps of {side}²",
        ("threads", "seconds", "speed in units of one thread", "CPU seconds", "peak MB"),
    )
    for count, m in found:
        table.rows.append((count, m.seconds, found[0][1].seconds / m.seconds, m.cpu, f"{m.peak / 1e6:.0f}"))
    table.remark = f"Whole processes, start-up included; {usable_cpus()} CPUs."
    return table
