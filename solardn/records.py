"""What a result keeps about how it came about: the processing steps of its header or record."""

from __future__ import annotations

import json
import re
from typing import Any

from .io import Source
from .layers import OF
from .plan import STOKES_BY_DEFAULT
from .provenance import STEP, next_number, parameters

_STEP = re.compile(r"PR[A-Z]+\d+[A-Z]?|PARENTXT|CREATOR|VERS_SW|DATE")


def steps_of(source: Source) -> list[dict[str, Any]]:
    """Return the processing steps that the record of a .npz, HDF5 or zarr result tells of, as `solardn.provenance.as_dict` made them."""
    return list(getattr(source, "steps", ()))


def provenance_of(source: Source) -> list[tuple[str, str]]:
    """Return keywords of processing steps and the lines of HISTORY, in the header's order; of formats without a header, what their record tells."""
    steps = steps_of(source)
    if steps:
        return [
            (f"{number} {key}", _words(one))
            for number, step in enumerate(steps, 1)
            for key, value in step.items()
            if key not in ("step", "maps")
            for one in (value if key in ("history", "references") and isinstance(value, list) else [value])
        ]
    header = source.header
    found = [(key, str(header[key])) for key in dict.fromkeys(header) if _STEP.fullmatch(key)]
    history = header.get("HISTORY", "")
    lines = history.splitlines() if isinstance(history, str) else list(map(str, history))
    return found + [("HISTORY", line) for line in lines if line.strip()]


def last_parameters(source: Source) -> dict[str, Any]:
    """Return the parameters of a result's last processing step, if it is ours."""
    steps = steps_of(source)
    if steps:
        return dict(steps[-1].get("parameters", {}))
    number = next_number(source.header) - 1
    return parameters(source.header, number) if _is_ours(source.header, number) else {}


def recorded_choices(source: Source) -> dict[str, Any]:
    """Return which maps and pixels the run meant that made a result, as `solardn.plan.look_at` takes it, where that is not what goes without saying."""
    known = last_parameters(source)
    found = {
        "axes": known.get("axes_given"),
        "stokes": known.get("stokes"),
        "fill_value": known.get("fill_value"),
        "mask_ext": known.get("mask"),
    }
    return {key: value for key, value in found.items() if value not in (None, "auto", "all", STOKES_BY_DEFAULT)}


def former_step(source: Source) -> str:
    """Return which step of solardn made an image, the last where it was several, in words; empty where it is no result, as a residual is none."""
    steps, header = steps_of(source), source.header
    if OF in header:
        return ""
    if steps:
        return f"step {len(steps)}, network {steps[-1].get('network')}"
    for number in range(next_number(header) - 1, 0, -1):
        if _is_ours(header, number):
            return f"step {number}, network {header.get(f'PRMODE{number}')}"
    return ""


def _is_ours(header: Any, number: int) -> bool:
    """Tell whether solardn took noise away in a step: a simulation by `solardn demo` is an observation."""
    return header.get(f"PRSTEP{number}") == STEP and str(header.get(f"PRPROC{number}", "")).startswith("solardn")


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
