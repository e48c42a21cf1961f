"""The picture of a result, for commands that offer one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..summary import Summary

SHEET = "sheet"
"""What to say for many maps at once instead of one."""

_CHOICES = ("ext", "axes", "stokes", "fill_value", "mask_ext")


def check(picture: str, others: Sequence[Path], where: str | None, *, overwrite: bool, **choices: Any) -> None:
    """See that a picture can be drawn and written, before hours of work are done for it.

    Parameters
    ----------
    picture : str
        As it was given.
    others : sequence of pathlib.Path
        Files it must not be; the first is the input.
    where : str or None
        Which map, as ``--quicklook-map`` says it.
    overwrite : bool
        Whether a file that exists may be replaced.
    **choices
        Which maps of the input are meant; options that say nothing about that are left aside.

    Raises
    ------
    MissingExtra, OptionError, OutputError, InputError
    """
    from ..choice import index_of
    from ..errors import OptionError
    from ..io.place import check_place
    from ..panels import check_format, check_matplotlib
    from ..plan import look_at

    check_matplotlib()
    check_format(Path(picture))
    check_place(picture, others, overwrite)
    if where in (None, SHEET):
        return
    with look_at(others[0], **_which(choices)) as plan:
        index = index_of(str(where), plan.cube)
        if not plan.denoises(index):
            raise OptionError(
                f"--quicklook-map {where} names a map of Stokes {plan.cube.letter(index)}, which is copied; name one of {', '.join(plan.letters)}, or denoise it with --stokes"
            )


def draw(picture: Path, summary: Summary, given: Path, where: str | None = None, **choices: Any) -> None:
    """Draw one map of a run or, with the word ``sheet``, many; by default the one in the middle."""
    from ..choice import index_of
    from ..comparison import compare
    from ..io import open_source
    from ..pictures import draw_one, draw_sheet, draw_trust

    sigmas = {record.index: record.noise_sigma for record in summary.maps if record.cycles}
    result, deviation, ext = _addresses(summary)
    with compare(given, result, **_which(choices)) as files:
        if where == SHEET:
            draw_sheet(picture, files, sigmas)
            return
        index = list(sigmas)[len(sigmas) // 2] if where is None else index_of(where, files.before.cube)
        sigma = sigmas.get(index, summary.noise_sigma)
        if summary.deviation is None:
            draw_one(picture, files, index, sigma)
            return
        with closing(open_source(deviation, ext)) as source:
            draw_trust(picture, files, index, sigma, source)


def _which(choices: dict[str, Any]) -> dict[str, Any]:
    """Return the options that tell which maps are meant."""
    return {key: choices[key] for key in _CHOICES if choices.get(key) is not None}


def _addresses(summary: Summary) -> tuple[str | Path, str | Path, str | None]:
    """Return where the result and its standard deviation are: their files, and the FITS extension of the latter."""
    from ..io.address import MARK
    from ..io.rawout import layer_path
    from ..layers import LAYERS, RESULT, UNCERT

    output = summary.outputs[0]
    if summary.deviation is None:
        return output, output, None
    _, named, name = summary.label.partition(MARK)
    if named:
        return f"{output}{MARK}{name}", f"{output}{MARK}{name}_{UNCERT.lower()}", None
    if output.suffix.lower() == ".npz":
        return f"{output}{MARK}{RESULT}", f"{output}{MARK}{LAYERS[UNCERT].array}", None
    beside = layer_path(output, UNCERT)
    return (output, beside, None) if beside in summary.outputs else (output, output, UNCERT)
