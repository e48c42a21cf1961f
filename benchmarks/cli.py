"""``python -m benchmarks cli``: whole processes, start-up included, against the authors' way of working."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from solardn.model import DEFAULT

from .cubes import fits_cube
from .machine import describe
from .networks import authors
from .process import Measured, measure, python
from .tables import TRIALS, Report, Table, folder, run_options, say
from .timing import Paired, paired

_COMPUTE = """
import sys, time, numpy as np
from solardn import Denoiser
model, number, side = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
denoiser = Denoiser(model, device="cpu")
rng = np.random.default_rng(0)
planes = [np.float32(0.002) * rng.standard_normal((side, side), np.float32) for _ in range(4)]
together = 4 * denoiser.engine.threads
scales = [denoiser.card.input_sigma / 0.002] * together
list(denoiser.denoise_maps(planes, scales[:4]))
begun = time.perf_counter()
for start in range(0, number, together):
    count = min(together, number - start)
    for result in denoiser.denoise_maps([planes[n % 4] for n in range(count)], scales[:count]):
        pass
print(time.perf_counter() - begun)
"""
"""The network alone, on maps in memory, as many together as when files are denoised; prints the seconds."""


@click.command()
@click.option("--model", default=DEFAULT, show_default=True, help="Network that solardn runs.")
@run_options
def cli(model: str, quick: bool, output: Path | None) -> None:
    """Compare whole processes on FITS cubes: solardn, the authors' way, and the computation alone."""
    begun = time.perf_counter()
    report = Report("cli", f"python -m benchmarks cli{' --quick' * quick}")
    side, few, many = (96, 2, 4) if quick else (1000, 24, 200)
    _, weights = authors()
    TRIALS.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=TRIALS) as scratch:
        place = Path(scratch)
        processes = Table(
            f"Whole processes on FITS cubes of {side}² maps", ("command", "maps", "seconds", "CPU seconds", "peak MB")
        )
        ratios = Table(
            "Speed of solardn in units of the authors' way, from paired runs",
            ("maps", "solardn / authors' way", "wanted"),
        )
        for number, least, most in ((1, 1 if quick else 3, None), (few, 1 if quick else 2, None), (many, 1, 2)):
            say(f"{number} maps: solardn and the authors' way, after {time.perf_counter() - begun:.0f} s")
            ways, measured = _ways(place, model, weights, number, side, most)
            found = paired(ways, seconds=0.0, least=least, warm_up=0)
            for name in ways:
                last = measured[name][-1]
                processes.rows.append((name, number, found.spread(name), last.cpu, f"{last.peak / 1e6:.0f}"))
            for name in list(ways)[1:]:
                ratios.rows.append(
                    (f"{number}, {name}", found.ratio("the authors' way", name), 4 if number == few else "")
                )
            report.figures[f"{number} maps"] = found.times
        say(f"{many} maps and the computation alone, after {time.perf_counter() - begun:.0f} s")
        processes.rows.append(_many(place / f"{many}.fits", model, many, side, ratios, report))
    report.tables += [processes, ratios, _start_up(quick, report)]
    report.write(folder(output, quick))


def _ways(
    place: Path, model: str, weights: Path, number: int, side: int, most: int | None
) -> tuple[dict[str, Callable[[], object]], dict[str, list[Measured]]]:
    """Return the processes to compare on a cube, the first ``most`` of them, and where what each took is noted."""
    given, out = str(fits_cube(place / f"{number}.fits", number, side)), str(place / "out.fits")
    solardn = [sys.executable, "-m", "solardn", "denoise", given, out, "--overwrite", "--quiet", "--model", model]
    commands = {
        "the authors' way": [sys.executable, "-m", "benchmarks.authors_way", str(weights), given, out],
        "solardn denoise": solardn,
        "solardn denoise, noise given, not inspected": [*solardn, "--noise-sigma", "0.002", "--no-inspect"],
    }
    if importlib.util.find_spec("openvino") is not None:
        commands["solardn denoise --device openvino"] = [*solardn, "--device", "openvino"]
        if "avx512_bf16" in describe()["features"] or "amx_bf16" in describe()["features"]:
            fast = [*solardn, "--device", "openvino", "--precision", "bf16"]
            commands["solardn denoise --device openvino --precision bf16"] = fast
    measured: dict[str, list[Measured]] = {name: [] for name in list(commands)[:most]}

    def run(name: str) -> None:
        measured[name].append(measure(commands[name]))

    return {name: partial(run, name) for name in measured}, measured


def _many(cube: Path, model: str, number: int, side: int, ratios: Table, report: Report) -> tuple[object, ...]:
    """Measure a large cube, and the computation alone; return the row of the process."""
    given, out = str(cube), str(cube.with_name("out.fits"))
    command = [sys.executable, "-m", "solardn", "denoise", given, out, "--overwrite", "--quiet", "--model", model]
    some = max(1, number * 2 // 5)
    before = float(python(_COMPUTE, model, str(some), str(side)).said) * number / some
    took = measure([*command, "--noise-sigma", "0.002", "--no-inspect"])
    after = float(python(_COMPUTE, model, str(some), str(side)).said) * number / some
    alone = (before + after) / 2
    ratios.remark = (
        f"{number} maps, noise given, not inspected: whole process / computation alone = {took.seconds:.1f} s / {alone:.1f} s = {took.seconds / alone:.2f} "
        f"(wanted: at most 1.1). The computation alone was measured on {some} maps in memory before ({before:.1f} s) and after ({after:.1f} s)."
    )
    report.figures[f"{number} maps and the computation alone"] = {
        "whole": took.seconds,
        "alone": [before, after],
        "peak": took.peak,
    }
    return ("solardn denoise, noise given, not inspected", number, took.seconds, took.cpu, f"{took.peak / 1e6:.0f}")


def _start_up(quick: bool, report: Report) -> Table:
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import solardn'": [sys.executable, "-c", "import solardn"],
        "solardn --help": [sys.executable, "-m", "solardn", "--help"],
        "solardn --version": [sys.executable, "-m", "solardn", "--version"],
    }
    found: Paired = paired(
        {name: partial(measure, words) for name, words in commands.items()}, 5.0, 2 if quick else 7, 2 if quick else 15
    )
    report.figures["start-up"] = found.times
    heavy = "onnxruntime", "astropy", "matplotlib"
    program = f"import sys, solardn.cli; print(*[m for m in {heavy} if m in sys.modules])"
    loaded = python(program).said.strip() or "none"
    table = Table("Start-up", ("command", "seconds", "wanted"))
    table.rows = [(name, found.spread(name), "0.25 at most" if "solardn" in name else "") for name in commands]
    table.remark = f"Of {', '.join(heavy)}, the command line has imported before a command runs: {loaded}. Each command was started by a small process, which adds about the time of `python -c pass`."
    return table
