"""The picture of one map of a result, for commands that offer one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..summary import Summary


def check(picture: Path, others: Sequence[Path], *, overwrite: bool) -> None:
    """See that a picture can be drawn and written, before hours of work are done for it.

    Parameters
    ----------
    picture : pathlib.Path
    others : sequence of pathlib.Path
        Files it must not be.
    overwrite : bool
        Whether a file that exists may be replaced.

    Raises
    ------
    MissingExtra, OptionError, OutputError
    """
    from importlib.util import find_spec

    from ..errors import MissingExtra, OptionError
    from ..io.place import check_place
    from ..plots import FORMATS

    if find_spec("matplotlib") is None:
        raise MissingExtra("pictures need matplotlib; install it with: pip install 'solardn[plot]'")
    if picture.suffix.lower() not in FORMATS:
        raise OptionError(
            f"the picture {picture} has no format known here; let its name end in one of {', '.join(FORMATS)}"
        )
    check_place(picture, others, overwrite)


def draw(picture: Path, summary: Summary) -> None:
    """Draw the map that a run kept."""
    from ..plots import quicklook

    kept = summary.sample
    if kept is None:  # of one file among many, whose maps are not kept
        return
    where = f", map {', '.join(map(str, kept.index))}" if kept.index else ""
    letter = f", Stokes {summary.cube.letter(kept.index)}" if summary.cube.letters else ""
    quicklook(
        picture,
        kept.observation,
        kept.result,
        kept.noise_sigma,
        unit=summary.unit,
        title=f"{Path(summary.label).name}{letter}{where}",
    )
