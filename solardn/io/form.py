"""How the values of an output are stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import OptionError

DTYPES = ("float32", "float64")
COMPRESSIONS = ("rice", "gzip")

_STEPS = 16  # of rice in the rms of the noise: rounding adds a fiftieth of it to the error


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

    def for_noise(self, sigma: float) -> Form:
        """Return the form with the steps of ``rice`` for maps whose least rms of the noise is `sigma`, in the data's units."""
        return replace(self, quantum=sigma / _STEPS) if self.compress == "rice" else self

    @property
    def words(self) -> str:
        """Type and compression, for people."""
        how = {
            "": "",
            "rice": f" compressed by rice (steps of 1/{_STEPS} of the noise rms)",
            "gzip": " compressed by gzip",
        }
        return str(self.dtype) + how[self.compress]


FLOAT32 = Form()


def chosen_form(output_dtype: str, compress: str | None) -> Form:
    """Return a form from what a user says.

    Parameters
    ----------
    output_dtype : str
        ``float32`` or ``float64``.
    compress : str or None
        ``rice`` or ``gzip``.

    Raises
    ------
    OptionError
    """
    if output_dtype not in DTYPES:
        raise OptionError(f"--output-dtype {output_dtype!r} is not known; give {' or '.join(DTYPES)}")
    if compress is not None and compress not in COMPRESSIONS:
        raise OptionError(f"--compress {compress!r} is not known; give {' or '.join(COMPRESSIONS)}, or leave it out")
    return Form(np.dtype(output_dtype), compress or "")


def refuse_compression(where: str, form: Form) -> None:
    """Refuse what only FITS images know.

    Raises
    ------
    OptionError
    """
    if form.compress:
        raise OptionError(f"--compress {form.compress} compresses FITS images, and {where} is none; leave it out")
