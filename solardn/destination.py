"""Where results go: every place is looked at before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from .io import files_of, ready
from .io.form import Form
from .io.packed import PACKERS
from .io.place import check_place, check_space
from .plan import Plan


def checked_place(
    plan: Plan,
    output: str | os.PathLike[str],
    layers: Sequence[str],
    form: Form,
    *,
    overwrite: bool = False,
    resume: bool = False,
) -> Path:
    """Return the real path of the output after looking at all places that would be written."""
    inputs = files_of(plan.source)
    place = check_place(output, inputs, overwrite, folder=plan.source.path.is_dir(), resume=resume)
    ended = resume and ready.is_ours(place)  # then the others beside it are ours too, their notes may be gone
    beside = plan.source.outputs(place, layers)[1:]
    for path in beside:
        check_place(path, inputs, overwrite or ended, resume=resume)
    packed = 2 if place.suffix in PACKERS else 1  # it is written plain first
    check_space(place, packed * plan.source.needed_bytes(1 + len(layers), form), beside)
    return place
