"""Headers of FITS outputs: the result's own, those of further images, and those that are carried over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from astropy.io import fits

from ..errors import InputError
from ..layers import LAYERS, OF, words_on
from ..provenance import Step, ascii_text, record, stale
from .checksum import encoded, folded, words_sum
from .fitsfile import Span
from .fitssizes import BLOCK
from .form import Form
from .mend import mended

if TYPE_CHECKING:
    from .fits import FitsSource

DESCRIBED = ("DATAMIN", "DATAMAX", "DATAMEAN", "DATARMS")
"""Keywords that tell of the image's values, made anew where its header has them."""

_CARD = 80
_OF = f"{OF:8}=".encode()
_SCALING = ("BSCALE", "BZERO", "BLANK")
_NO_CHECKSUM = "0" * 16
_SUMS_UP = "HDU checksum"


def result_header(source: FitsSource, step: Step, form: Form, name: str, former: Collection[str]) -> Any:
    """Return the input's header as it fits floating values in a file of this name, with the step recorded.

    What lay beside a former result and is left out (`former`) is named, and nothing points to it any more.
    """
    header, said = mended(source.cards, source.raw_header, (*DESCRIBED, *_SCALING, *stale(source.cards)))
    if source.number and "XTENSION" not in header:  # it was compressed from a primary image
        header = extension_header(header, source.shape, str(header.get("EXTNAME", "")))
    header["BITPIX"] = -8 * form.dtype.itemsize
    for key in _SCALING:
        header.remove(key, ignore_missing=True)
    if source.number == 0:
        header.set("EXTEND", True, after=f"NAXIS{len(source.shape)}")
    if "FILENAME" in header:
        header["FILENAME"] = ascii_text(name)
    for link in filter(None, (LAYERS[layer].link for layer in former)):
        header.remove(link, ignore_missing=True)
    if former:
        said.append(f"solardn: {words_on(former)}")
    record(header, replace(step, history=(*step.history, *said)))
    return header


def extension_header(header: Any, shape: tuple[int, ...], name: str) -> Any:
    """Return a header like another one, for an image extension of this name."""
    new = fits.Header()
    new["XTENSION"], new["BITPIX"], new["NAXIS"] = "IMAGE", header["BITPIX"], len(shape)
    for number, length in enumerate(reversed(shape), 1):
        new[f"NAXIS{number}"] = length
    new["PCOUNT"], new["GCOUNT"] = 0, 1
    if name:
        new["EXTNAME"] = name
    rest = header.copy(strip=True)
    rest.remove("EXTNAME", ignore_missing=True)
    for card in rest.cards:
        new.append(card, end=True)
    return new


def layer_header(header: Any, shape: tuple[int, ...], layer: str) -> Any:
    """Return a header like the result's for an image beside it, see `solardn.layers`."""
    about = LAYERS[layer]
    new = extension_header(header, shape, layer)
    new.comments["EXTNAME"] = about.words
    for link in filter(None, (one.link for one in LAYERS.values())):
        new.remove(link, ignore_missing=True)
    for key, value in about.keywords.items():
        new.set(key, value, after="EXTNAME")
    new.set("OBS_HDU", 0, "holds no observation", after="EXTNAME")
    for key in [card.keyword for card in new.cards if len(card.image) > _CARD]:
        del new[key]  # long texts stay with the result
    return new


def with_checksums(header: Any, words: int) -> bytes:
    """Return a header's bytes, its checksums right for data of this sum."""
    header.set("DATASUM", str(folded(words)), "data unit checksum")
    header.set("CHECKSUM", _NO_CHECKSUM, _SUMS_UP)
    try:
        header["CHECKSUM"] = encoded(words_sum(header.tostring().encode("ascii")) + words)
        return bytes(header.tostring().encode("ascii"))
    except (ValueError, fits.VerifyError) as error:
        raise InputError(f"the header cannot be written again ({error}); mend it with astropy's 'fitscheck'") from error


def carried_header(given: BinaryIO, span: Span, words: int, of: int | None) -> bytes:
    """Return the header of an extension that is carried over.

    It has its own bytes, but for the number of the image that it belongs to (`of`) where that has moved, and a checksum where it has none.
    """
    given.seek(span.header)
    header = given.read(span.data - span.header)
    cards = [header[place : place + _CARD] for place in range(0, len(header), _CARD)]
    own = cards[: next(number for number, card in enumerate(cards) if card.rstrip() == b"END")]
    summed = any(card.startswith((b"CHECKSUM=", b"DATASUM =")) for card in own)
    if summed and of == span.of:
        return header
    if of != span.of:
        own = [_card(OF, of, fits.Card.fromstring(card).comment) if card.startswith(_OF) else card for card in own]
    open_sum = _card("CHECKSUM", _NO_CHECKSUM, _SUMS_UP)
    if summed:
        own = [open_sum if card.startswith(b"CHECKSUM=") else card for card in own]
    else:
        own += [_card("DATASUM", str(folded(words)), "data unit checksum"), open_sum]
    whole = b"".join([*own, b"END".ljust(_CARD)])
    whole += b" " * (padded(len(whole)) - len(whole))
    return whole.replace(open_sum, _card("CHECKSUM", encoded(words_sum(whole) + words), _SUMS_UP))


def _card(key: str, value: str | int | None, comment: str) -> bytes:
    return bytes(str(fits.Card(key, value, comment)).encode("ascii"))


def padded(size: int) -> int:
    """Return a size in bytes rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK
