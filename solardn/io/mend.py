"""Cards that FITS does not allow, as some writers leave them, put right before a header is written again."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from astropy.io import fits

_NO_NUMBER = re.compile(r"[+-]?nan", re.IGNORECASE)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_NUMBERS = re.compile(r"(CRDER|CSY?S?ER|CRVAL|CDELT|CRPIX|CROTA)\d+[A-Z]?|(PC|CD|PV)\d+_\d+[A-Z]?")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?)?)(Z|_UTC)")
_UNPRINTABLE = re.compile(r"[^ -~]")
_TEXT = re.compile(r"[^=]*= *'([^']|'')*' *(/.*)?")  # a card whose value is a text as FITS writes it
_VALUE = re.compile(r".{8}= |HIERARCH .*=")
_LONG = "HIERARCH "  # before keywords of more than 8 letters
_GOES_ON = "CONTINUE"
_CARD = 80
_NO_KEYWORD = "a card without a keyword"


def understood(header: Any) -> Any:
    """Return a copy of a header as it is to be read: what is undefined, or a number that is none, counts as absent."""
    whole = mended(header)[0]
    return fits.Header([card for card in whole.cards if not isinstance(card.value, fits.card.Undefined)])


def mended(header: Any, raw: bytes = b"", anew: Collection[str] = ()) -> tuple[Any, list[str]]:
    """Return a copy of a header in which every card is one that FITS allows, and what was changed, in words.

    A number that is none (``nan``, which FITS has no word for, also as a text) becomes undefined, or is left out where the standard wants a
    number, as is ``inf`` there; dates lose the ``Z`` or ``_UTC`` behind them, which FITS takes for granted; zero bytes
    and other characters that cannot be printed become blanks. What else cannot be read is left to astropy: it puts what is no value of
    FITS in quotes, such as ``0,5``, and ? in place of letters beyond ASCII. Only the header's bytes in the file (`raw`) tell of these.
    Nothing is said of keywords whose values are made `anew`, or go.
    """
    stored = list(_stored(raw))
    unquoted = defaultdict[str, list[bool]](list)  # of each card of a keyword, in their order
    for key, text in stored:
        if not text.startswith(_GOES_ON):
            unquoted[key].append(bool(_VALUE.match(text)) and not _TEXT.fullmatch(text))
    cards, undefined, left_out, dated, blanked, quoted = [], [], [], [], [], []
    for card in header.cards:
        card, bare = _printable(card)
        key = card.keyword
        plain = unquoted[key.upper()].pop(0) if unquoted[key.upper()] else False
        if bare:
            blanked.append(key or _NO_KEYWORD)
        try:
            value, comment = card.value, card.comment
        except fits.VerifyError:
            comment = ""
            value = "nan" if _NO_NUMBER.search(card.image[10:].split("/")[0]) else None
        text = value.strip() if isinstance(value, str) else ""
        lost = bool(_NO_NUMBER.fullmatch(text))
        if _NUMBERS.fullmatch(key) and (lost or _INFINITE.fullmatch(text)):
            left_out.append(key)
            continue
        if lost:
            undefined.append(key)
            card = fits.Card(key, fits.card.UNDEFINED, comment)
        elif key.startswith("DATE") and (date := _DATE.fullmatch(text)):
            dated.append(key)
            card = fits.Card(key, date[1], comment)
        elif text and plain:
            quoted.append(key)
        cards.append(copy.copy(card))
    changes = (
        (undefined, "nan in the input, undefined here"),
        (left_out, "nan or inf in the input, left out here"),
        (quoted, "in quotes here, as FITS knows no such value"),
        (blanked, "blanks here in place of characters that FITS does not allow"),
        ([key for key, card in stored if not card.isascii()], "? here in place of letters beyond ASCII"),
        (dated, "Z or UTC behind the date left out, as FITS has it"),
    )
    said = ((", ".join(dict.fromkeys(key for key in keys if key not in anew)), words) for keys, words in changes)
    return fits.Header(cards), [f"solardn: {keys}: {words}" for keys, words in said if keys]


def _stored(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield keyword and text of each card as it stands in the file; what goes on in CONTINUE cards has the keyword of its first."""
    key = ""
    for place in range(0, len(raw), _CARD):
        card = raw[place : place + _CARD].decode("latin-1")
        if not card.startswith(_GOES_ON):
            name = card.partition("=")[0] if card.startswith(_LONG) else card[:8]
            key = name.removeprefix(_LONG).strip().upper() or _NO_KEYWORD
        yield key, card


def _printable(card: Any) -> tuple[Any, bool]:
    """Return a card with blanks in place of what cannot be printed, such as the zero bytes that C leaves behind a text, and whether it had such."""
    image = card._image  # as it stands in the file: `image` fails where astropy cannot parse it
    if not image or not _UNPRINTABLE.search(image):
        return card, False
    return fits.Card.fromstring(_UNPRINTABLE.sub(" ", image)), True
