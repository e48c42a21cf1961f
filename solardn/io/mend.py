"""Cards that FITS does not allow, as some writers leave them, put right before a header is written again."""

from __future__ import annotations

import copy
import re
from typing import Any

from astropy.io import fits

_NO_NUMBER = re.compile(r"[+-]?nan", re.IGNORECASE)
_NUMBERS = re.compile(r"(CRDER|CSY?S?ER|CRVAL|CDELT|CRPIX|CROTA)\d+[A-Z]?|(PC|CD|PV)\d+_\d+[A-Z]?")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?)?)(Z|_UTC)")
_UNPRINTABLE = re.compile(r"[^ -~]")


def understood(header: Any) -> Any:
    """Return a copy of a header as it is to be read: what is undefined, or a number that is none, counts as absent."""
    whole = mended(header)[0]
    return fits.Header([card for card in whole.cards if not isinstance(card.value, fits.card.Undefined)])


def mended(header: Any) -> tuple[Any, list[str]]:
    """Return a copy of a header in which every card is one that FITS allows, and what was changed, in words.

    A number that is none (``nan``, which FITS has no word for, also as a text) becomes undefined, or is left out where the standard wants a
    number; dates lose the ``Z`` or ``_UTC`` behind them, which FITS takes for granted; zero bytes
    and other characters that cannot be printed become blanks. What else cannot be read is left to astropy.
    """
    cards, undefined, left_out, dated, blanked = [], [], [], [], []
    for card in header.cards:
        card, bare = _printable(card)
        key = card.keyword
        if bare:
            blanked.append(key or "a card without a keyword")
        try:
            value = card.value
        except fits.VerifyError:
            value = "nan" if _NO_NUMBER.search(card.image[10:].split("/")[0]) else None
        lost = isinstance(value, str) and bool(_NO_NUMBER.fullmatch(value.strip()))
        if lost and _NUMBERS.fullmatch(key):
            left_out.append(key)
            continue
        if lost:
            undefined.append(key)
            card = fits.Card(key, fits.card.UNDEFINED)
        elif key.startswith("DATE") and isinstance(value, str) and (date := _DATE.fullmatch(value.strip())):
            dated.append(key)
            card = fits.Card(key, date[1], card.comment)
        cards.append(copy.copy(card))
    changes = (
        (undefined, "nan in the input, undefined here"),
        (left_out, "nan in the input, left out here"),
        (blanked, "blanks here in place of characters that FITS does not allow"),
        (dated, "Z or UTC behind the date left out, as FITS has it"),
    )
    return fits.Header(cards), [f"solardn: {', '.join(keys)}: {words}" for keys, words in changes if keys]


def _printable(card: Any) -> tuple[Any, bool]:
    """Return a card with blanks in place of what cannot be printed, such as the zero bytes that C leaves behind a text, and whether it had such."""
    image = card._image  # as it stands in the file: `image` fails where astropy cannot parse it
    if not image or not _UNPRINTABLE.search(image):
        return card, False
    return fits.Card.fromstring(_UNPRINTABLE.sub(" ", image)), True
