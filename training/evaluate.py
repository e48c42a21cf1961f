"""Judge networks on truths and noises that no training saw, beside the authors' network, BM3D and smoothing."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from rich.progress import Progress

from solardn.machine import usable_cpus
from solardn.views import checked_views

from . import checks
from .cases import Case, cases
from .checks import Probe
from .coverage import Counts
from .methods import Method, Network, denoised
from .scores import Score, score

KEPT = Path("runs/evaluation")
"""Where results of slow methods are kept."""


@dataclass(frozen=True)
class Judged:
    """What was measured on one case.

    Attributes
    ----------
    scores : dict
        By the name of the method.
    probes, counts : dict
        Further checks of the networks, and of their standard deviations, where they were made.
    """

    case: Case
    scores: dict[str, Score]
    probes: dict[str, Probe]
    counts: dict[str, Counts]


@dataclass(frozen=True)
class _Work:
    """Cases of one truth, which one process does after another."""

    cases: tuple[Case, ...]
    methods: tuple[Method, ...]
    networks: tuple[Network, ...]
    kept: Path


def _judge(work: _Work) -> list[Judged]:
    return [_judge_one(case, work) for case in work.cases]


def _judge_one(case: Case, work: _Work) -> Judged:
    maps = case.maps()
    scores, probes, counts = {}, {}, {}
    for method in work.methods:
        scores[method.name] = score(maps, denoised(method, maps, work.kept))
    for network in work.networks:
        result = network(maps)
        scores[network.name] = score(maps, result)
        found = checks.probe(network, case, maps, result)
        if found:
            probes[network.name] = found
        counted = checks.counts(network, case, maps)
        if counted:
            counts[network.name] = counted
    return Judged(case, scores, probes, counts)


def run(
    order: Sequence[Case], networks: Sequence[Network], references: Sequence[Method], kept: Path = KEPT
) -> list[Judged]:
    """Judge networks and the methods they are compared with, on all cores.

    Parameters
    ----------
    order : sequence of Case
        On what; cases of one truth best stand together.
    networks : sequence of Network
        What is judged.
    references : sequence of Method
        What it is compared with.
    kept : Path
        Folder for the results of slow methods.

    Returns
    -------
    list of Judged
        In the order of the cases.
    """
    groups = [tuple(group) for _, group in itertools.groupby(order, key=lambda c: (c.family, c.instance))]
    works = [_Work(group, tuple(references), tuple(networks), kept) for group in groups]
    # Fresh processes: a forked one may inherit threads of a runtime half way through their work.
    context = multiprocessing.get_context("spawn")
    found: dict[Case, Judged] = {}
    with Progress() as progress, ProcessPoolExecutor(usable_cpus(), mp_context=context) as pool:
        task = progress.add_task("judging", total=len(order))
        futures = [pool.submit(_judge, work) for work in works]
        for future in as_completed(futures):
            judged = future.result()
            found |= {one.case: one for one in judged}
            progress.advance(task, len(judged))
    return [found[case] for case in order]


def scores_of(judged: Sequence[Judged], name: str) -> dict[Case, Score]:
    """Return the scores of one method by case."""
    return {one.case: one.scores[name] for one in judged}


def probes_of(judged: Sequence[Judged], name: str) -> dict[Case, Probe]:
    """Return the further checks of one network by case, where they were made."""
    return {one.case: one.probes[name] for one in judged if name in one.probes}


def counts_of(judged: Sequence[Judged], name: str) -> dict[Case, Counts]:
    """Return how one network's standard deviations compare with its errors by case, where that was counted."""
    return {one.case: one.counts[name] for one in judged if name in one.counts}


def evaluate(models: Sequence[str], authors: Path, bm3d: bool, quick: bool, out: Path, views: int = 1) -> str:
    """Judge networks, write tables and pictures, and return the page of tables.

    Parameters
    ----------
    models : sequence of str
        Names of networks, or ONNX files.
    authors : Path
        Folder of the authors' network, which is fetched and converted into it when it is not there.
    bm3d : bool
        Whether to compare with BM3D, which takes most of the time.
    quick : bool
        Fewer cases.
    out : Path
        Folder for tables and pictures.
    views : int
        Where it is more than one, each network is also judged by the mean over so many views of each map.
    """
    from . import methods, pictures, report

    networks = [methods.network(model) for model in models]
    if checked_views(views) > 1:
        networks += [replace(one, name=f"{one.name}, {views} views", views=views) for one in networks]
    references: list[Method] = [methods.authors(authors), methods.Gaussian(), methods.Wiener()]
    if bm3d:
        references.append(methods.bm3d())
    methods.check_names([*networks, *references])
    judged = run(list(cases(quick)), networks, references)
    found = report.report(judged, networks, references)
    report.write(found, judged, out)
    pictures.examples([*networks, *references], KEPT, quick, out / "examples.png")
    pictures.removed(found, out / "removed.png")
    if any("coverage" in method for method in found["methods"].values()):
        pictures.reliability(found, out / "reliability.png")
    return f"{report.page(found)}\n{out / 'evaluation.json'}"
