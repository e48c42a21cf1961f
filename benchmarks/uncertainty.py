"""What a sample costs against a pass without dropout, whether memory grows with the samples, and the whole command against ``solardn denoise``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
import numpy as np

from solardn.api import Denoiser

from . import networks, process, tables
from .timing import paired

SAMPLES, FEW = 50, 5
GOALS = {"sample": 0.65, "command": 40.0}
"""Largest time of a sample in units of a pass, and of ``solardn uncertainty`` in units of ``solardn denoise``."""


@click.command()
@click.option(
    "--model", default="stokes-bayes", show_default=True, help="Network with dropout and variance: name or ONNX file."
)
@click.option("--size", default=400, show_default=True, help="Height and width of the map, pixels.")
@click.option("--threads", default=1, show_default=True, help="Threads of the CPU, for both.")
@tables.run_options
def uncertainty(model: str, size: int, threads: int, quick: bool, output: Path | None) -> None:
    """Measure the cost of uncertainties."""
    network = networks.find(model if not model.endswith(".onnx") else Path(model))
    report = tables.Report("uncertainty", f"python -m benchmarks uncertainty --model {model} --size {size}")
    plane = networks.maps(1, size, network)[0]
    denoiser = Denoiser(network, device="cpu", threads=threads)
    tables.say("time of samples and passes, in turns")
    ways = {"pass": partial(denoiser.denoise, plane, scale=1.0)}
    for count in (FEW, SAMPLES):
        ways[f"{count} samples"] = partial(denoiser.uncertainty, plane, samples=count, seed=0, scale=1.0)
    times = paired(ways, seconds=5 if quick else 60, least=3, most=5 if quick else 15)
    whole = times.ratio(f"{SAMPLES} samples", "pass")
    sample = whole.median / SAMPLES
    tables.say("whole processes")
    runs = _commands(network.path, plane, threads)
    peaks = {name: run.peak / 1e6 for name, run in runs.items()}
    command = runs[f"{SAMPLES} samples"].seconds / runs["denoise"].seconds
    rows: list[Sequence[object]] = [
        ("a pass, s", f"{times.spread('pass')}", ""),
        (f"{SAMPLES} samples, in passes", f"{whole}", ""),
        (f"one of {SAMPLES} samples, in passes", sample, f"≤ {GOALS['sample']}"),
        (
            f"solardn uncertainty --samples {SAMPLES} / solardn denoise, whole process",
            command,
            f"≤ {GOALS['command']:g}",
        ),
        ("peak memory of solardn denoise, MB", peaks["denoise"], ""),
        (f"peak memory with {FEW} samples, MB", peaks[f"{FEW} samples"], ""),
        (f"peak memory with {SAMPLES} samples, MB", peaks[f"{SAMPLES} samples"], "the same"),
    ]
    title = f"{network.card.name}, {size} × {size} pixels, {threads} thread{'s' * (threads > 1)}"
    report.tables.append(
        tables.Table(
            title, ("", "measured", "goal"), rows, f"Median and quartiles of {times.rounds} rounds, taken in turns."
        )
    )
    report.figures |= {
        "network": network.card.name,
        "sha256": network.sha256,
        "size": size,
        "threads": threads,
        "times": times.times,
        "sample_over_pass": sample,
        "command_over_denoise": command,
        "peak_mb": peaks,
        "seconds": {name: run.seconds for name, run in runs.items()},
    }
    report.write(tables.folder(output, quick))


def _commands(network: Path, plane: np.ndarray, threads: int) -> dict[str, process.Measured]:
    """Return what whole processes take on a map in a FITS file."""
    from astropy.io import fits

    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "map.fits"
        fits.PrimaryHDU(plane).writeto(given)
        base = [sys.executable, "-m", "solardn"]
        shared = ["--model", str(network.resolve()), "--device", "cpu", "--threads", str(threads), "--overwrite", "-q"]
        out = str(Path(folder) / "out.fits")
        found = {"denoise": process.measure([*base, "denoise", str(given), out, *shared])}
        for count in (FEW, SAMPLES):
            words = [*base, "uncertainty", str(given), out, "--samples", str(count), *shared]
            found[f"{count} samples"] = process.measure(words)
    return found
