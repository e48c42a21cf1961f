"""How the values of an output are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import OptionError

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Form:
    """What a user may choose about the values of an output.

    Attributes
    ----------
    dtype : numpy.dtype
        float32 or float64, in the machine's byte order; the format gives its own.
    compress : str
        ``rice`` or ``gzip`` for FITS images that are to be compressed by tiles; empty for plain ones.
    quantum : float
        Width of the steps that ``rice`` rounds to, in the data's units; 0 where values are kept exactly.
    """

    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    compress: str = ""
    quantum: float = 0.0


FLOAT32 = Form()


def refuse_compression(where: str, form: Form) -> None:
    """Refuse what only FITS images know.

    Raises
    ------
    OptionError
    """
    if form.compress:
        raise OptionError(f"--compress {form.compress} compresses FITS images, and {where} is none; leave it out")
