"""``python -m benchmarks runtime``: maps in memory through every way to run a network, in turns."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from solardn.model import DEFAULT

from .alone import alone
from .candidates import Candidate, candidates
from .networks import AUTHORS, find, multiply_adds
from .peak import matrix_product
from .tables import Report, Table, folder, run_options, say
from .timing import Paired, Spread, paired

CELLS = ((2048, 8), (2048, 1), (1000, 8), (1000, 1), (512, 8), (512, 1), (256, 8), (256, 1))
"""Sizes in pixels and maps at once; the largest first, while this process holds little memory itself."""
QUICK = ((128, 2), (256, 1))
JUDGED, JUDGED_QUICK = (1000, 1), QUICK[1]
"""The size at which ratios are wanted: the two ways of each are timed there once more, in turns by themselves."""

_LARGE, _LARGEST = 4e6, 3e7  # pixels from which every way has a process of its own, and two rounds must do; one must do
_REST = 0.3  # seconds: threads of some ways spin for 0.2 after their last work


@dataclass
class Cell:
    """What was found on maps of one size.

    Attributes
    ----------
    times : Paired
        Seconds of the ways, by name.
    peaks : dict of str to int or None
        Most bytes that a process with one way alone held, None where memory did not suffice; empty where all ways shared a process.
    pairs : dict of (str, str) to Paired
        Seconds of two ways that took turns without any other, by their names.
    """

    times: Paired
    peaks: dict[str, int | None] = field(default_factory=dict)
    pairs: dict[tuple[str, str], Paired] = field(default_factory=dict)

    def speed(self, name: str, megapixels: float) -> Spread | str:
        """Return Mpx/s of a way, or why there is none."""
        return self.times.spread(name).inverse(megapixels) if name in self.times.times else "out of memory"

    def ratio(self, unit: str, way: str) -> Spread | str:
        """Return how many times faster one way is than another."""
        times = self.pairs.get((unit, way), self.times)
        return times.ratio(unit, way) if {unit, way} <= set(times.times) else "out of memory"


Cells = dict[tuple[int, int], Cell]


@click.command()
@click.option("--model", default=DEFAULT, show_default=True, help="Network to compare with the authors'.")
@click.option("--minutes", default=60.0, show_default=True, help="No size is begun after that time.")
@click.option(
    "--only",
    type=click.Choice([f"{number}x{side}" for side, number in CELLS]),
    multiple=True,
    help="Only so many maps of so many pixels along a side; may be given again. The tables go where those of --quick go.",
)
@run_options
def runtime(model: str, minutes: float, only: tuple[str, ...], quick: bool, output: Path | None) -> None:
    """Compare ways to run the authors' network and a network of solardn: Mpx/s, GFLOP/s, and ratios of paired runs."""
    begun = time.perf_counter()
    if quick and only:
        raise click.UsageError("--quick has sizes of its own; leave --only out")
    chosen = QUICK if quick else [(side, number) for side, number in CELLS if not only or f"{number}x{side}" in only]
    words = "".join(f" --only {one}" for one in only)
    report = Report("runtime", f"python -m benchmarks runtime{words}{' --quick' * quick}")
    peak = matrix_product(512 if quick else 2048, 0.1 if quick else 3.0)
    say(f"matrix product: {peak} GFLOP/s")
    found = [one for network in (AUTHORS, model) for one in candidates(find(network))]
    cells: Cells = {}
    for side, number in chosen:
        spent = time.perf_counter() - begun
        if spent > 60 * minutes:
            say(f"{number} × {side}²: left out, the time is over")
            continue
        say(f"{number} × {side}²: {len(found)} candidates, after {spent:.0f} s")
        apart = (side, number) == QUICK[0] or number * side**2 > _LARGE
        cells[side, number] = _apart(found, side, number, quick) if apart else _together(found, side, number, quick)
        if (side, number) == (JUDGED_QUICK if quick else JUDGED):
            cells[side, number].pairs = _pairs(found, side, number, quick)
    cells = dict(sorted(cells.items()))
    name = found[-1].network
    by_network = {one.network: one.model for one in found}
    costs = {network: multiply_adds(one) for network, one in by_network.items()}
    report.tables += [_speeds(found, costs, cells, peak), _ratios(name, cells)]
    if any(cell.peaks for cell in cells.values()):
        report.tables.append(_peaks(found, cells))
    report.figures = {
        "peak_gflops": asdict(peak),
        "seconds": {f"{number}x{side}": cell.times.times for (side, number), cell in cells.items()},
        "pairs": {
            f"{unit} / {way}": times.times for cell in cells.values() for (unit, way), times in cell.pairs.items()
        },
        "peak_bytes": {f"{number}x{side}": cell.peaks for (side, number), cell in cells.items() if cell.peaks},
        "multiply_adds": {one.name: costs[one.network] for one in found},
    }
    report.write(folder(output, quick or bool(only)))  # a part of the sizes takes no place in the page


def _together(found: list[Candidate], side: int, number: int, quick: bool) -> Cell:
    """Time all ways in turns in this process."""
    runs = {one.name: one.on(number, side) for one in found}
    least, seconds, pause = (1, 0.0, 0.0) if quick else (3, 15.0, _REST)
    return Cell(paired(runs, seconds=seconds, least=least, most=15, pause=pause))


def _pairs(found: list[Candidate], side: int, number: int, quick: bool) -> dict[tuple[str, str], Paired]:
    """Time the two ways of each ratio in turns: among all ways, minutes lie between the rounds of a shared machine."""
    runs, pairs = {one.name: one.on(number, side) for one in found}, {}
    for way, unit, _ in _wanted(found[-1].network):
        if {way, unit} <= set(runs):
            both = {unit: runs[unit], way: runs[way]}
            pairs[unit, way] = paired(both, 0 if quick else 30, 1 if quick else 9, 25, pause=0 if quick else _REST)
            say(f"  {way} in units of {unit}: {pairs[unit, way].ratio(unit, way)}")
    return pairs


def _apart(found: list[Candidate], side: int, number: int, quick: bool) -> Cell:
    """Time each way in a process of its own, one after another: all at once they would not fit into memory."""
    rounds = 1 if quick or number * side**2 > _LARGEST else 2
    cell = Cell(Paired())
    for one in found:
        measured = alone(one.network, one.way, number, side, rounds)
        cell.peaks[one.name] = measured.peak if measured else None
        if measured:
            cell.times.times[one.name] = measured.times
        say(f"  {one.name}, Mpx/s: {cell.speed(one.name, number * side**2 / 1e6)}")
    return cell


def _speeds(found: list[Candidate], costs: dict[str, float], cells: Cells, peak: Spread) -> Table:
    table = Table(
        "Throughput, Mpx/s: median (quartiles)", ("network, way to run it", *_heads(cells), "GFLOP/s", "of the peak")
    )
    for one in found:
        speeds = [cell.speed(one.name, number * side**2 / 1e6) for (side, number), cell in cells.items()]
        best = max(speed.median for speed in speeds if isinstance(speed, Spread)) * 2 * costs[one.network] / 1e3
        table.rows.append((one.name, *speeds, f"{best:.0f}", f"{best / peak.median:.0%}"))
    table.remark = (
        f"GFLOP/s at the best of the sizes, two operations for each multiplication of a convolution. The peak is a matrix product of numpy in float32 "
        f"on all CPUs: {peak} GFLOP/s; bfloat16 may exceed it. Where the last table has a size, each way ran there in a process of its own, one after another."
    )
    return table


def _wanted(name: str) -> list[tuple[str, str, str]]:
    """Return which ways are compared, with the network of this name or the authors': the way, its unit, and what is wanted."""
    return [
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


def _ratios(name: str, cells: Cells) -> Table:
    """Return how many times faster one way is than another, from pairs of runs."""
    known = {way for cell in cells.values() for way in cell.times.times}
    table = Table(
        "Speed of one way in units of another, from paired runs", ("way", "in units of", *_heads(cells), "wanted")
    )
    for way, unit, least in _wanted(name):
        if {way, unit} <= known:
            table.rows.append((way, unit, *(cell.ratio(unit, way) for cell in cells.values()), least))
    for size, cell in zip(_heads(cells), cells.values(), strict=True):
        if rounds := [times.rounds for times in cell.pairs.values()]:
            table.remark = f"At {size} the two ways took turns by themselves, {min(rounds)} to {max(rounds)} times; else every round went through all ways."
    return table


def _peaks(found: list[Candidate], cells: Cells) -> Table:
    """Return the memory of the ways where each had a process of its own."""
    large = {place: cell for place, cell in cells.items() if cell.peaks}
    table = Table("Most memory that a process with one way alone held, GB", ("network, way to run it", *_heads(large)))
    for one in found:
        peaks = [cell.peaks[one.name] for cell in large.values()]
        table.rows.append((one.name, *("more than there is" if peak is None else peak / 1e9 for peak in peaks)))
    table.remark = (
        "Libraries, input and output included; `solardn` with a budget of 4 GB, its input and output not counted in it."
    )
    return table


def _heads(cells: Cells) -> list[str]:
    return [f"{number} × {side}²" for side, number in cells]
