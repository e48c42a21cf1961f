"""What a run does, in the words and numbers that go into headers and journals."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .api import Denoiser
from .io import Source, files_of, state_of
from .io.form import Form
from .journal import Task
from .levels import Level, NoiseSigma
from .missing import FillValue
from .plan import Plan
from .processes import Process
from .provenance import EACH, NOT_INSPECTED, Step
from .summary import fill_words


def processing_step(
    plan: Plan,
    denoiser: Denoiser,
    process: Process,
    levels: dict[tuple[str, int], Level],
    noise_sigma: NoiseSigma,
    scale: float | None,
    noise_map: str | os.PathLike[str],
    inspect: bool = True,
) -> Step:
    """Return what is recorded in the output's header."""
    card, cube = denoiser.card, plan.cube
    sigmas = [level.noise_sigma for level in levels.values()]
    how = _where_from(plan, noise_sigma, scale)
    typical = float(np.median(sigmas))
    parameters: dict[str, Any] = {
        "network": card.name,
        "sha256": denoiser.model.sha256,
        "noise_sigma": typical,
        "noise_sigma_from": how,
        "noise_map": _name(plan, plan.sigma) if plan.sigma is not None else str(noise_map),
        "scale": card.input_sigma / typical,
        **process.parameters,
        "stokes": plan.letters or "all",
        "fill_value": plan.fill_value,
        "axes": {"y": cube.y, "x": cube.x},
        "tile": denoiser.tile,
        "device": denoiser.engine.device,
        "precision": denoiser.engine.precision,
        "threads": denoiser.engine.threads,
    }
    if denoiser.engine.precision_error:
        parameters["precision_error"] = float(f"{denoiser.engine.precision_error:.2g}")  # rms, in units of the noise
    if plan.axes is not None:
        parameters["axes_given"] = plan.axes
    if plan.mask is not None:
        parameters["mask"] = _name(plan, plan.mask)
    fills = plan.found_missing(plan.middle, plan.read_map(plan.middle))[1]
    if fills and plan.fill_value == "auto":
        parameters["fills"] = [float(f"{value:.9g}") for value in fills]
    evened = sum(level.uneven is not None for level in levels.values())
    if evened:
        parameters["noise_evened"] = f"{evened} of {len(levels)} kinds of maps"
    sigmas += [sigma for level in levels.values() for sigma in level.each.values()]
    if len(sigmas) > 1:
        parameters["noise_sigma_range"] = [float(f"{sigma:.6g}") for sigma in (min(sigmas), max(sigmas))]
    unit = f" {plan.source.unit}" if plan.source.unit else ""
    history = (
        f"solardn: {plan.n_denoised} of {cube.n_maps} maps of {cube.map_shape[0]} x {cube.map_shape[1]} pixels denoised"
        + (f" (Stokes {', '.join(plan.letters)}; others copied)" if plan.letters else ""),
        f"solardn: network {card.name}, noise rms {typical:.4g}{unit} ({how})",
        f"solardn: {process.words}",
        f"solardn: axes: {cube.how}",
        *_about_fills(plan.fill_value, fills),
        *([NOT_INSPECTED] if inspect else []),
    )
    return Step(
        procedure=process.procedure,
        mode=card.name,
        parameters=parameters,
        references=(card.reference,),
        libraries=_libraries(denoiser),
        environment=_environment(),
        history=history,
        parent=plan.source.path.name,
        date=today(),
    )


def _about_fills(given: FillValue, found: Sequence[float]) -> list[str]:
    """Return the line of HISTORY on the fills of the map in the middle: those that were found, or that the one given is not there."""
    if given == "auto" and found:
        return [f"solardn: {fill_words(found)}as found in the map in the middle"]
    if isinstance(given, float) and not found:
        return [f"solardn: {fill_words([given])}as given, and nowhere in the map in the middle"]
    return []


def stored_as(step: Step, form: Form, unit: str) -> Step:
    """Return a step with how its values are stored, where that is not as usual."""
    told: dict[str, Any] = {}
    if form.dtype.itemsize != 4:
        told["output_dtype"] = str(form.dtype)
    words: tuple[str, ...] = ()
    if form.compress:
        told["compress"] = form.compress
        words = ("solardn: image compressed by tiles with gzip, all bits kept",)
    if form.quantum:
        told["quantum"] = form.quantum
        words = (f"solardn: image compressed by rice: values rounded to steps of {form.quantum:.4g} {unit}".rstrip(),)
    return replace(step, parameters=step.parameters | told, history=(*step.history, *words))


def _where_from(plan: Plan, noise_sigma: NoiseSigma, scale: float | None) -> str:
    """Return how the noise level came about."""
    if plan.sigma is not None:
        return "noise map"
    if scale is not None:
        return "from the scale given"
    return {"auto": "estimated", "per-map": EACH}.get(str(noise_sigma), "given")


def _name(plan: Plan, other: Source) -> str:
    """Return what an image beside the data is called: a part of their file, or another one."""
    if other.path != plan.source.path:
        return other.label
    return other.label.removeprefix(str(other.path)).strip("[]:") or "0"


def today() -> str:
    """Return the date for headers: today in UTC, or the one of SOURCE_DATE_EPOCH for builds that must be repeatable.

    Without the time of day, so that the same work on the same day gives the same bytes.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return moment.strftime("%Y-%m-%d")


def computed_by(denoiser: Denoiser, noise_map: Path | None) -> Task:
    """Return what values depend on beside the input and the options, for a run that goes on to compare: what computes, and the file of a noise map."""
    return {
        "sha256": denoiser.model.sha256,
        "version": __version__,
        "libraries": [" ".join(library) for library in _libraries(denoiser)],
        "environment": _environment(),
        "device": denoiser.engine.device,
        "precision": denoiser.engine.precision,
        **({} if noise_map is None else {"noise_map_file": state_of(noise_map)}),
    }


def _libraries(denoiser: Denoiser) -> tuple[tuple[str, str], ...]:
    return denoiser.engine.library, ("numpy", np.__version__)


def _environment() -> str:
    return f"Python {platform.python_version()} on {sys.platform} {platform.machine()}"


def task(plan: Plan, denoiser: Denoiser, step: Step, layers: list[str]) -> Task:
    """Return everything that the output's bytes depend on, for a run that goes on to compare."""
    return {
        **computed_by(denoiser, None if plan.sigma is None else plan.sigma.path),
        "input": [plan.source.label, [state_of(path) for path in files_of(plan.source)]],
        "layers": layers,
        "date": step.date,
        "history": list(step.history),
        **step.parameters,
    }


def begun_as(step: Step, task: Task) -> Step:
    """Return a step as the run that began the task told it, so that one that goes on writes the same header."""
    return replace(step, date=task["date"], parameters={key: task[key] for key in step.parameters})
