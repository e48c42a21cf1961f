"""Where results go: every place is looked at before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from .errors import OptionError
from .io import Format, files_of, format_of, ready
from .io.form import Form, refuse_compression
from .io.numpy import is_archive
from .io.packed import PACKERS
from .io.place import check_name, check_place
from .io.room import check_space
from .layers import UNCERT
from .plan import Plan

_NAMES = {
    Format.FITS: ((".fits", *PACKERS), ""),
    Format.NPY: ((".npy",), ""),
    Format.NPZ: ((".npz",), ""),
    Format.HDF5: ((".h5", ".hdf5"), ""),
    Format.ZARR: ((".zarr",), ""),
    Format.LAPALMA: ((".fcube",), "one of float32 values"),
}
"""How the name of an output ends, by the format of its input, and what it is where that differs."""

_STRICT = (Format.NPY, Format.NPZ, Format.LAPALMA)
"""Those whose outputs must end so; others may bear any name that promises no other format."""


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
    check_form(plan, layers, form)
    place = check_place(output, inputs, overwrite, folder=plan.source.path.is_dir(), resume=resume)
    _check_name(place, _format(plan), layers, form)
    ended = resume and ready.is_ours(place)  # then the others beside it are ours too, their notes may be gone
    beside = plan.source.outputs(place, layers)[1:]
    for path in beside:
        check_place(path, inputs, overwrite or ended, resume=resume)
    packed = 2 if place.suffix.lower() in PACKERS else 1  # it is written plain first
    check_space(place, packed * plan.source.needed_bytes(1 + len(layers), form), beside)
    return place


def check_form(plan: Plan, layers: Sequence[str], form: Form) -> None:
    """Refuse values stored in a way that the output's format does not know, or that does not suit them.

    Raises
    ------
    OptionError
    """
    format, label = _format(plan), plan.source.label
    if format is not Format.FITS:
        refuse_compression(label, form)
    if format is Format.LAPALMA and form.dtype.itemsize != 4:
        raise OptionError(f"{label} is a La Palma cube, which becomes an .fcube of float32; leave --output-dtype out")
    if UNCERT in layers and form.compress == "rice":
        raise OptionError(
            "--compress rice rounds to steps that are too coarse for standard deviations; take --compress gzip, which keeps all bits"
        )


def _check_name(output: Path, format: Format, layers: Sequence[str], form: Form) -> None:
    """Refuse an output whose name promises what it will not be."""
    if format is Format.NPY and is_archive(layers):
        check_name(output, format.value, ".npz", becomes="a .npz file, as there are several arrays", strict=True)
    else:
        endings, becomes = _NAMES[format]
        check_name(output, format.value, *endings, becomes=becomes, strict=format in _STRICT)
    if form.compress and output.suffix.lower() in PACKERS:
        raise OptionError(
            f"the output {output} would be compressed twice, by its name and by --compress {form.compress}; leave one out"
        )


def _format(plan: Plan) -> Format:
    return format_of(files_of(plan.source)[0])
