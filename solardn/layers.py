"""Images that an output may hold beside its result: what they are called, and what headers say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

RESIDUAL, UNCERT, ALEATORIC, EPISTEMIC = "RESIDUAL", "UNCERT", "ALEATORIC", "EPISTEMIC"
"""Names of extensions in FITS, and in lower case of files beside the output in formats that hold one array a file."""

OF = "OF_HDU"
"""Keyword of every extension that comes with a result in FITS, the table of maps too: the number of the image that it belongs to."""


@dataclass(frozen=True)
class Layer:
    """What is said of an image beside the result.

    Attributes
    ----------
    words : str
        What it is, for the comment of ``EXTNAME``.
    array : str
        Its name in ``.npz`` files.
    keywords : mapping of str to str
        Further keywords of its own header.
    link : str
        Keyword of the result's header that points to it, or empty.
    """

    words: str
    array: str
    keywords: Mapping[str, str] = field(default_factory=dict)
    link: str = ""


_DEVIATION = {"UTYPE": "StdDevUncertainty"}  # what astropy's CCDData looks for
_VALUES = f"VALUES:{UNCERT}"  # by SOLARNET's words, the extension that SIGMADAT points to has a name that begins so

LAYERS = {
    RESIDUAL: Layer("data - result", "residual"),
    # astropy's CCDData.read takes the extension of this EXTNAME without being asked; cfitsio finds it by its HDUNAME as well.
    UNCERT: Layer("total standard deviation, 1 sigma", "sigma", {**_DEVIATION, "HDUNAME": _VALUES}, "SIGMADAT"),
    ALEATORIC: Layer("standard deviation by the noise", "aleatoric", _DEVIATION),
    EPISTEMIC: Layer("standard deviation by the network", "epistemic", _DEVIATION),
}

RESULT = "mean"
"""The result's name in ``.npz`` files."""


def words_on(names: Iterable[str]) -> str:
    """Return what is said of images beside a former result, which are left out as they describe that; empty without any."""
    listed = ", ".join(dict.fromkeys(names))
    return listed and f"{listed} of the former result left out"
