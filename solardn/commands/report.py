"""Figures for people and for programs: each JSON key is described here once, for the help, the docs and the tests."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from ..api import Denoiser
    from ..cube import Cube
    from ..errors import SolardnError
    from ..io.form import Form
    from ..levels import Level
    from ..plan import Plan
    from ..summary import Summary

_COMMON = {
    "input": "the file, and which part of it",
    "shape": "lengths of the axes, slowest first",
    "unit": "unit of the data, or empty",
    "axes": "for each axis: number (0 is the slowest), fits (its NAXIS number), length, type (CTYPE), role",
    "axes_how": "how the axes were understood, in words",
    "map_shape": "height and width of a map, in pixels",
    "maps": "number of maps",
    "denoised": "how many are denoised; the others are copied",
    "stokes": "Stokes parameters that are denoised; empty where nothing is known of them",
    "noise_sigma": "rms of the noise in the data's units: the median over the groups of maps",
    "levels": "for each group of maps: stokes, wavelength (place on its axis), noise_sigma, maps (how many it was estimated from)",
    "scale": "factor from the data's units to the network's, for noise_sigma",
    "missing": "part of the pixels that hold no value (not finite, fills, masked), from 0 to 1; info looks at one map",
    "fills": "values that stand for none, found or given, as far as they occur",
    "network": "name of the network",
    "sha256": "of the network's file",
    "tile": "pixels along a tile's side",
    "device": "where the network runs",
    "device_why": "how that was chosen, in words",
    "warnings": "that the data are a result already, what of them is far from what the network knows, a noise level that is borrowed, or a fill value that they do not hold, in words",
}

INFO_KEYS = _COMMON | {
    "stored": "type of the values in the file",
    "memory": "memory budget of the computation, in bytes",
    "output": "what would be written, in words",
    "output_bytes": "size of the output, before compression",
    "outputs": "files that would be written; empty where no output was named",
    "refused": "why they could not be written (they exist already, …), in words; null where they could",
    "seconds": "estimated time of the computation, from one map or a part of it",
}

_DONE = _COMMON | {
    "outputs": "files written",
    "residual_rms": "rms of data − result in the data's units: the median over maps",
    "residual_ratio": "the same in units of the noise",
    "inspection": "what the residuals of a sample of maps say, with the keys of 'solardn inspect'; a text where nothing is known; null with --no-inspect",
    "pixels": "pixels denoised",
    "seconds": "time taken",
    "others": "the same for the further images of the file, with --ext all",
    "left": "why further images of the file stay as they are, with --ext all",
    "stages": "seconds of each stage; what reads and writes in threads runs beside the others",
}

DENOISE_KEYS = _DONE | {
    "cycles": "passes of the network: the most over the maps",
    "views": "views of each map over which a pass is the mean",
}

UNCERTAINTY_KEYS = _DONE | {
    "method": "dropout, aleatoric (no samples) or flips",
    "samples": "how many were drawn",
    "seed": "which ones; null where none were drawn",
    "dropout": "kind, rate and number of layers of the dropout; null where none was used",
    "calibration": "the network's calibration that was applied: factor, over_sigma (true where factors over σ were taken in its place), coverage_1 and coverage_2 reached; null without",
    "sigma": "what the total standard deviation is made of",
    "sigma_median": "total standard deviation of the result in the data's units: the median over maps of their medians",
}


_ANY_WIDTH = 10_000  # characters; a table takes what its cells need


def keys_help(keys: Mapping[str, str]) -> str:
    """Return a table of JSON keys for a command's help."""
    width = max(map(len, keys))
    lines = (f"  {key:<{width}}  {meaning}" for key, meaning in keys.items())
    return "\b\nKeys of --json:\n" + "\n".join(lines)


def print_json(figures: Mapping[str, Any]) -> None:
    """Print figures as JSON; what is no number becomes null."""
    click.echo(json.dumps(_clean(figures), indent=2, ensure_ascii=False))


def print_table(table: Table) -> None:
    """Print a table; where that is no terminal every row is one line, however long."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = _ANY_WIDTH
    console.print(table)


def failures(failed: Iterable[tuple[Path, SolardnError]]) -> list[dict[str, str]]:
    """Return the figures of inputs that failed."""
    return [{"input": str(path), "error": str(error)} for path, error in failed]


def tell_failed(failed: Sequence[tuple[Path, SolardnError]], others: int, then: str = "the others are done") -> None:
    """Say which inputs failed, each reason once, and fail where one did; of the others what follows for them, where there are some.

    Raises
    ------
    SolardnError
    """
    from ..errors import SolardnError

    for error in dict.fromkeys(str(error) for _, error in failed):
        click.echo(f"failed: {error}", err=True)
    if failed:
        rest = f"; {then}" if others else ""
        raise SolardnError(f"{len(failed)} of {others + len(failed)} files failed, as said above{rest}")


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cube(cube: Cube) -> dict[str, Any]:
    n = len(cube.axes)
    return {
        "shape": list(cube.shape),
        "axes": [
            {"number": a.number, "fits": n - a.number, "length": a.length, "type": a.kind, "role": a.role}
            for a in cube.axes
        ],
        "axes_how": cube.how,
        "map_shape": list(cube.map_shape),
        "maps": cube.n_maps,
    }


def _levels(levels: Iterable[Level]) -> list[dict[str, Any]]:
    return [
        {"stokes": v.stokes, "wavelength": v.wavelength, "noise_sigma": v.noise_sigma, "maps": v.maps} for v in levels
    ]


def info_figures(
    plan: Plan,
    denoiser: Denoiser,
    levels: list[Level],
    sigma: float,
    missing: tuple[float, tuple[float, ...]],
    seconds: float,
    form: Form,
    said: Sequence[str],
    images: int,
    outputs: Sequence[str] = (),
    refused: str | None = None,
) -> dict[str, Any]:
    """Return the figures of `solardn info`."""
    return {
        "input": plan.source.label,
        "stored": plan.source.stored,
        "unit": plan.source.unit,
        **_cube(plan.cube),
        "denoised": plan.n_denoised,
        "stokes": plan.letters,
        "noise_sigma": sigma,
        "levels": _levels(levels),
        "scale": denoiser.card.input_sigma / sigma,
        "missing": missing[0],
        "fills": list(missing[1]),
        "network": denoiser.card.name,
        "sha256": denoiser.model.sha256,
        "tile": denoiser.tile,
        "memory": denoiser.memory,
        "device": denoiser.engine.device,
        "device_why": denoiser.engine.why,
        "warnings": said,
        "output": f"{form.words}, {plan.source.output_words}",
        "output_bytes": plan.source.output_bytes(images, form),
        "outputs": list(outputs),
        "refused": refused,
        "seconds": seconds,
    }


def denoise_figures(summary: Summary, denoiser: Denoiser) -> dict[str, Any]:
    """Return the figures of `solardn denoise`."""
    passes = max(record.cycles for record in summary.maps)
    others = [denoise_figures(other, denoiser) for other in summary.others]
    return {
        **_done_figures(summary, denoiser),
        "cycles": passes,
        "views": summary.parameters["views"],
        "others": others,
    }


def uncertainty_figures(summary: Summary, denoiser: Denoiser) -> dict[str, Any]:
    """Return the figures of `solardn uncertainty`."""
    others = [uncertainty_figures(other, denoiser) for other in summary.others]
    return {**_done_figures(summary, denoiser), **deviations(summary), "others": others}


def deviations(summary: Summary) -> dict[str, Any]:
    """Return how standard deviations were found, and how large they are."""
    found: dict[str, Any] = dict.fromkeys(("method", "samples", "seed", "dropout", "calibration", "sigma"))
    found |= {key: value for key, value in summary.parameters.items() if value != "none"}
    return {**found, "sigma_median": summary.deviation}


def _done_figures(summary: Summary, denoiser: Denoiser) -> dict[str, Any]:
    from ..inspection import Inspection

    return {
        "input": summary.label,
        "outputs": [str(path) for path in summary.outputs],
        "unit": summary.unit,
        **_cube(summary.cube),
        "denoised": summary.denoised,
        "stokes": "".join(dict.fromkeys(level.stokes for level in summary.levels)),
        "noise_sigma": summary.noise_sigma,
        "levels": _levels(summary.levels),
        "scale": denoiser.card.input_sigma / summary.noise_sigma,
        "missing": summary.missing,
        "fills": list(summary.fills),
        "residual_rms": summary.residual_rms,
        "residual_ratio": summary.residual_ratio,
        "inspection": summary.inspection.as_dict()
        if isinstance(summary.inspection, Inspection)
        else summary.inspection,
        "network": summary.network,
        "sha256": denoiser.model.sha256,
        "tile": summary.tile,
        "device": summary.device,
        "device_why": summary.why,
        "warnings": summary.warnings,
        "pixels": summary.pixels,
        "seconds": summary.seconds,
        "left": list(summary.left),
        "stages": dict(summary.stages),
    }


def duration(seconds: float) -> str:
    """Return a time in words."""
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
