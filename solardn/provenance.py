"""What was done to a file, written into its header: SOLARNET's keywords for a processing step, and HISTORY in words.

The step continues the file's own numbering. Keywords that described the input's pixels and no longer hold are removed.
"""

from __future__ import annotations

import json
import re
import string
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import __version__

PAPER = "Díaz Baso et al. 2019, doi:10.1051/0004-6361/201936069"

STEP = "NOISE-FILTERING"
"""SOLARNET's kind of processing step."""

NOT_INSPECTED = "solardn: residual not inspected"
"""HISTORY until what the residual says is known, when the output is complete."""

EACH = "estimated for each map"
"""Where noise levels come from that maps have each for itself, in the parameters of a step."""

_STALE = re.compile(r"DATA(MEDN|NRMS|MAD|SKEW|KURT|N?P\d\d)|CHECKSUM|DATASUM|ZHECKSUM|ZDATASUM")
_NUMBERED = re.compile(r"PR(?:STEP|PROC)([1-9]\d?)")
_LONGEST_KEY = 8
_LETTERS = "ABCDEFGH"
_TWO_DIGITS = 10
_WHOLE_CARD = 80  # characters of a card …
_CARD = 68  # … those of a text between its quotes …
_ROOM = 65  # … and those of a text together with a comment behind a slash
_LINE = 72  # characters of HISTORY


@dataclass(frozen=True)
class Step:
    """One processing step.

    Attributes
    ----------
    procedure : str
        The command, such as ``solardn denoise``.
    mode : str
        The network's name.
    parameters : dict
        Everything the result depends on, and how it was chosen; values as JSON knows them.
    references : tuple of str
        The network's reference, and others.
    libraries : tuple of (str, str)
        Names and versions of the libraries that computed.
    environment : str
        Where it was computed, in words.
    history : tuple of str
        What was done, in words.
    parent : str
        The input's file name.
    date : str
        When, as YYYY-MM-DD.
    """

    procedure: str
    mode: str
    parameters: dict[str, Any]
    references: tuple[str, ...]
    libraries: tuple[tuple[str, str], ...]
    environment: str
    history: tuple[str, ...]
    parent: str
    date: str


def next_number(header: Any) -> int:
    """Return the number of the next processing step of a FITS header."""
    matches = (_NUMBERED.match(key) for key in header)
    return 1 + max((int(match[1]) for match in matches if match), default=0)


def stale(header: Any) -> list[str]:
    """Return the keywords of a header that hold no longer once its image changes, and are not made anew."""
    return [key for key in header if _STALE.fullmatch(key)]


def record(header: Any, step: Step) -> None:
    """Write a step into a FITS header, in place.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Of the image that the step made.
    step : Step
    """
    for key in stale(header):
        del header[key]
    n = next_number(header)
    libraries = (*step.libraries, (f"network {step.mode}", str(step.parameters.get("sha256", ""))))
    hashed = f"PRHSH{n}{_LETTERS[len(libraries) - 1]}"
    entries = [
        (f"PRSTEP{n}", STEP, "kind of processing step"),
        (f"PRPROC{n}", step.procedure, "procedure"),
        (f"PRPVER{n}", __version__, "version of the procedure"),
        (f"PRMODE{n}", step.mode, "network"),
        *((key, text, "") for key, text in _parameter_cards(n, step.parameters, hashed)),
        (f"PRREF{n}", PAPER, "reference"),
        *(
            (f"PRREF{n}{letter}", text, "reference")
            for letter, text in zip(_LETTERS, _lines(step.references), strict=False)
        ),
        (f"PRENV{n}", step.environment, "environment"),
    ]
    for letter, (name, version) in zip(_LETTERS, libraries, strict=False):
        kind, words = ("PRHSH", "") if name.startswith("network ") else ("PRVER", "its version")
        entries += [(f"PRLIB{n}{letter}", name, "library"), (f"{kind}{n}{letter}", version, words)]
    entries += [
        ("PARENTXT", step.parent, "file this was made from"),
        ("CREATOR", "solardn", "software that wrote this file"),
        ("VERS_SW", __version__, "its version"),
        ("DATE", step.date, "when this file was written"),
    ]
    for key, value, comment in entries:
        if len(key) <= _LONGEST_KEY and value:
            _set(header, key, value, comment)
    if "LONGSTRN" not in header and any(len(card.image) > _WHOLE_CARD for card in header.cards):
        header["LONGSTRN"] = ("OGIP 1.0", "long texts go on in CONTINUE cards")
    for line in step.history:
        for part in textwrap.wrap(ascii_text(line), _LINE):
            header.add_history(part)


def as_dict(step: Step, remark: str = "") -> dict[str, Any]:
    """Return a step for formats that have no such header, as JSON knows it; the remark tells what the residual says."""
    history = [f"solardn: residual {remark}" if remark and line == NOT_INSPECTED else line for line in step.history]
    return {
        "step": STEP,
        "procedure": step.procedure,
        "version": __version__,
        "network": step.mode,
        "parameters": step.parameters,
        "references": [PAPER, *filter(None, step.references)],
        "libraries": dict(step.libraries),
        "environment": step.environment,
        "history": history,
        "parent": step.parent,
        "date": step.date,
    }


def remark(header: Any, text: str) -> None:
    """Write what the residual says in the place that was kept for it, in place; the header keeps its length."""
    for card in header.cards:
        if card.keyword == "HISTORY" and card.value == NOT_INSPECTED:
            words = ascii_text(f"solardn: residual {text}")
            card.value = words if len(words) <= _LINE else words[: _LINE - 3] + "..."


def parameters(header: Any, n: int) -> dict[str, Any]:
    """Return the parameters of a processing step that solardn recorded in a FITS header, as `Step.parameters` held them.

    Parameters
    ----------
    header : mapping
        Of the image that the step made.
    n : int
        The step's number: its kind is ``PRSTEPn``.
    """
    found: dict[str, Any] = {}
    for key in _parameter_keys(n):
        text = header.get(key)
        found |= json.loads(text) if text else {}
    if "sha256" in found:
        found["sha256"] = header.get(found["sha256"], found["sha256"])
    return found


def _parameter_cards(n: int, values: Mapping[str, Any], hashed: str) -> list[tuple[str, str]]:
    """Return keywords and values that hold parameters as JSON, each an object of its own that fits on one card.

    A sha256 fits on none as JSON: it stands in the keyword `hashed`, and its name in its place.
    """
    values = {key: hashed if key == "sha256" and len(hashed) <= _LONGEST_KEY else values[key] for key in values}
    keys = _parameter_keys(n)
    parts: list[dict[str, Any]] = [{}]
    for key, value in values.items():
        longer = parts[-1] | {key: value}
        if parts[-1] and _length(json.dumps(longer)) > _CARD and len(parts) < len(keys):
            parts.append({key: value})
        else:
            parts[-1] = longer
    return [(key, json.dumps(part)) for key, part in zip(keys, parts, strict=False)]


def _parameter_keys(n: int) -> list[str]:
    """Return the keywords that hold the parameters of a step; from step 10 on the letter takes the place of one in the name."""
    stem = f"PRPARA{n}" if n < _TWO_DIGITS else f"PRPAR{n}"
    return [f"PRPARA{n}", *(stem + letter for letter in string.ascii_uppercase)]


def _lines(texts: Iterable[str]) -> list[str]:
    """Return texts broken between words, so that each piece fits on one card."""
    return [line for text in texts for line in textwrap.wrap(ascii_text(text), _CARD)]


def _length(value: str) -> int:
    return len(value.replace("'", "''"))


def _set(header: Any, key: str, value: str, comment: str) -> None:
    """Set a keyword; a text too long for one card goes on in CONTINUE cards."""
    value = ascii_text(value)
    header[key] = (value, comment) if _length(value) + len(comment) <= _ROOM else value


def ascii_text(text: str) -> str:
    """Return a text in the characters FITS allows."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).replace("σ", "sigma").replace("×", "x").replace("–", "-")
    return plain.encode("ascii", "ignore").decode("ascii")
