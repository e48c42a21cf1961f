"""What an evaluation found: as JSON that documentation can quote, as a page of tables, and case by case."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import checks
from .cases import QUICK, Case
from .evaluate import Judged, counts_of, probes_of, scores_of
from .methods import AUTHORS, BM3D, Method, Network
from .scores import RINGS, Score, by, geometric

GOALS = {AUTHORS: (0.90, 0.68, 0.30, 0.58), BM3D: (0.78, 0.94, 1.00, 0.91)}
"""Largest error of our networks relative to another method's, at each level of `QUICK` and over them all."""
WORST, SILENT, EDGE = 0.95, 0.10, 1.3
"""Largest error of any case, rms output where there is no signal, and error at the edge over that in the middle."""


def report(judged: Sequence[Judged], networks: Sequence[Network], references: Sequence[Method]) -> dict[str, Any]:
    """Return everything that an evaluation found, ready for JSON.

    Returns
    -------
    dict
        ``cases``: what was judged on. ``methods``: for each, errors (rms of result − truth in units of the noise rms, geometric means over
        cases) and checks. ``goals``: for each network, value, limit, and whether it was reached.
    """
    all_scores = {method.name: scores_of(judged, method.name) for method in (*networks, *references)}
    found = {method.name: _method(method, all_scores[method.name]) for method in (*networks, *references)}
    for network in networks:
        probes = probes_of(judged, network.name)
        found[network.name] |= checks.probed(probes, all_scores[network.name])
        counts = counts_of(judged, network.name)
        if counts:
            found[network.name] |= checks.covered(counts)
    cases = [one.case for one in judged]
    return {
        "cases": {
            "count": len(cases),
            "levels": sorted({case.snr for case in cases}),
            "families": list(dict.fromkeys(case.family for case in cases)),
            "noises": list(dict.fromkeys(case.noise for case in cases)),
            "rings": RINGS.tolist(),
        },
        "methods": found,
        "goals": {network.name: goals(found, network.name) for network in networks},
    }


def _method(method: Method, scores: Mapping[Case, Score]) -> dict[str, Any]:
    signal = {case: one for case, one in scores.items() if case.snr}
    worst = max(signal, key=lambda case: signal[case].error)
    by_level = by(signal, "snr")
    return {
        "version": method.version,
        "error": {
            "all": geometric(one.error for one in signal.values()),
            "main": geometric(by_level[f"{level:g}"] for level in QUICK),
            "by_snr": by_level,
            "by_noise": by(signal, "noise"),
            "by_family": by(signal, "family"),
            "worst": {"case": worst.name, "error": signal[worst].error},
            "cases_above": sum(one.error >= WORST for one in signal.values()),
        },
        **checks.summary(scores),
    }


def goals(methods: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return each goal with what a network reached."""
    mine = methods[name]
    rows = []
    for other, limits in GOALS.items():
        if other not in methods:
            continue
        theirs = methods[other]["error"]
        for level, limit in zip((*(f"{level:g}" for level in QUICK), "all"), limits, strict=True):
            if level == "all":
                what, value = f"error / {other}, over {_listed(QUICK)}", mine["error"]["main"] / theirs["main"]
            else:
                value = mine["error"]["by_snr"][level] / theirs["by_snr"][level]
                what = f"error / {other}, signal-to-noise {level}"
            rows.append({"what": what, "value": value, "limit": limit})
    rows.append({"what": "error, worst case", "value": mine["error"]["worst"]["error"], "limit": WORST})
    rows.append({"what": "output without signal, worst case", "value": mine["no_signal"]["largest"], "limit": SILENT})
    rows.append({"what": "error at the edge / in the middle", "value": mine["edge_over_middle"]["all"], "limit": EDGE})
    return [{**row, "reached": bool(row["value"] <= row["limit"])} for row in rows]


def _listed(levels: Iterable[float]) -> str:
    return ", ".join(f"{level:g}" for level in levels)


def write(found: Mapping[str, Any], judged: Sequence[Judged], folder: Path) -> None:
    """Write ``evaluation.json``, ``evaluation.md`` and ``cases.csv`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "evaluation.md").write_text(page(found), encoding="utf-8")
    names = list(judged[0].scores)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["truth", "instance", "noise", "snr", *names])
        for one in judged:
            errors = [f"{one.scores[name].error:.4f}" for name in names]
            writer.writerow([one.case.family, one.case.instance, one.case.noise, f"{one.case.snr:g}", *errors])


def page(found: Mapping[str, Any]) -> str:
    """Return what was found as a page of Markdown tables."""
    methods, cases = found["methods"], found["cases"]
    parts = [
        "# Evaluation\n",
        f"{cases['count']} cases: {', '.join(cases['families'])} under {', '.join(cases['noises'])}. Errors are rms(result − truth) in units of "
        "the noise rms, geometric means over cases; 1 is the data as they are. The width of Gaussian smoothing is the best for each case.\n",
    ]
    for name, rows in found["goals"].items():
        parts.append(f"## Goals: {name}\n")
        lines = [
            [row["what"], f"{row['value']:.3f}", f"≤ {row['limit']:.2f}", "yes" if row["reached"] else "**no**"]
            for row in rows
        ]
        parts.append(_table(["", "value", "limit", "reached"], lines))
    for title, key in (("signal-to-noise", "by_snr"), ("kind of noise", "by_noise"), ("truth", "by_family")):
        columns = list(next(iter(methods.values()))["error"][key])
        rows = [
            [name, *(f"{m['error'][key][c]:.3f}" for c in columns), f"{m['error']['all']:.3f}"]
            for name, m in methods.items()
        ]
        parts += [f"## Error by {title}\n", _table(["", *columns, "all"], rows)]
    parts += ["## Checks\n", _table(["", *methods], _checks(methods))]
    for name, m in methods.items():
        if "coverage" in m:
            parts += [f"## Standard deviations: {name}\n", *_coverage(m["coverage"])]
    return "\n".join(parts)


def _checks(methods: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of the table of checks."""
    rows = [
        [
            "worst case",
            *(f"{m['error']['worst']['error']:.2f} ({m['error']['worst']['case']})" for m in methods.values()),
        ],
        [f"cases with an error ≥ {WORST}", *(str(m["error"]["cases_above"]) for m in methods.values())],
        [
            "output without signal, mean and largest",
            *(f"{m['no_signal']['mean']:.3f}, {m['no_signal']['largest']:.3f}" for m in methods.values()),
        ],
        ["error at the edge / in the middle", *(f"{m['edge_over_middle']['all']:.2f}" for m in methods.values())],
        ["… / of the same pixels inside a larger map", *(_or_dash(m.get("cut_over_uncut")) for m in methods.values())],
    ]
    for level in next(iter(methods.values()))["weak_slope"]:
        rows.append(
            [f"slope below 1 σ, signal-to-noise {level}", *(f"{m['weak_slope'][level]:.2f}" for m in methods.values())]
        )
    for level in next(iter(methods.values()))["leak"]:
        rows.append(
            [f"removed × truth, signal-to-noise {level}", *(f"{m['leak'][level]:.3f}" for m in methods.values())]
        )
    for stated in checks.MISJUDGED:
        for level in (f"{level:g}" for level in QUICK):
            values = [m.get("misjudged", {}).get(f"{stated:g}", {}).get(level) for m in methods.values()]
            rows.append(
                [f"error if σ is stated × {stated:g} / exactly, signal-to-noise {level}", *map(_or_dash, values)]
            )
    for level in (f"{level:g}" for level in QUICK):
        values = [m.get("evened", {}).get(level) for m in methods.values()]
        rows.append([f"error if uneven noise is made even / if not, signal-to-noise {level}", *map(_or_dash, values)])
    return rows


def _coverage(found: Mapping[str, Any]) -> list[str]:
    """Return the table of coverage, and a sentence on what it means."""
    parts = found["within"]
    rows = [(name, parts[name]) for name in ("all", "weak", "strong")]
    rows += [(name, values) for kind in ("noise", "snr") for name, values in parts[kind].items()]
    lines = [[name, *(["–"] * 3 if values is None else (f"{100 * v:.1f} %" for v in values))] for name, values in rows]
    return [
        _table(["pixels", "within 1 σ", "2 σ", "3 σ"], lines),
        f"A Gaussian has 68.3 %, 95.4 % and 99.7 %. The factor on σ that would come nearest is {found['factor']:.3f}; correlation of σ and error over bins of σ "
        f"{_or_dash(found['correlation'])}. Weak: truth within ±1 noise rms; strong: beyond ±3.\n",
    ]


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows), ""])
