"""What the headers of a FITS file say of sizes, held against the file before anything relies on it.

astropy takes sizes as they stand: a negative one sends it round in circles, and one beyond the file shows only when data are read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError

BLOCK = 2880
_CARD = 80
_SIZES = re.compile(rb"(BITPIX|NAXIS\d{0,3}|PCOUNT|GCOUNT) *= *([^/]*)")
_WHOLE = re.compile(r"[+-]?\d+")
_BITPIX = (8, 16, 32, 64, -32, -64)
_MOST_AXES = 999
_MOST_BLOCKS = 4096  # of a header; more are none

Sizes = dict[str, str]
"""The keywords that tell sizes, as they stand."""


def check_sizes(plain: Path, path: Path) -> None:
    """Refuse sizes that cannot be, or that are beyond the end of the file.

    Parameters
    ----------
    plain : pathlib.Path
        The file without its outer compression.
    path : pathlib.Path
        Its name for people.

    Raises
    ------
    InputError
        The keyword, its value and the extension are named.
    """
    length = plain.stat().st_size
    with plain.open("rb") as file:
        for number, sizes in enumerate(_headers(file)):
            where = f"extension {number}" if number else "the primary header"
            begin = file.tell()
            end = begin + _data_bytes(sizes, path, where)
            if end - length >= BLOCK:  # a last block that is not filled up is a habit of some writers, and harmless
                raise InputError(
                    f"{path} is truncated: by {where} ({_axes(sizes)}) it goes on for {end - begin:.4g} bytes, and {length - begin} are there; get the whole file again"
                )
            _check_rest(file, end, path, where, sizes)
            file.seek(end)


def _check_rest(file: BinaryIO, end: int, path: Path, where: str, sizes: Sizes) -> None:
    """Refuse data that go on behind the end that a header gives them; zeros, and less than a block, are harmless."""
    file.seek(end)
    rest = file.read(BLOCK)
    header = rest.isascii() and rest[:_CARD].decode().isprintable() and not rest.isspace()  # astropy looks at it
    empty = any(key[5:] and text == "0" for key, text in sizes.items() if key.startswith("NAXIS"))
    if len(rest) == BLOCK and not header and (any(rest) if empty else rest[0]):
        raise InputError(
            f"{path} goes on behind the data of {where} ({_axes(sizes)}) with what is no extension; if these lengths are wrong, mend them, else cut the rest off"
        )


def _axes(sizes: Sizes) -> str:
    return ", ".join(f"{key} = {text}" for key, text in sizes.items() if key.startswith("NAXIS"))


def _headers(file: BinaryIO) -> Iterator[Sizes]:
    """Yield what each header says of sizes, the file at the data behind it; headers without an end are left to astropy."""
    while True:
        sizes: Sizes = {}
        for _ in range(_MOST_BLOCKS):
            block = file.read(BLOCK)
            if len(block) < BLOCK:
                return
            cards = [block[place : place + _CARD] for place in range(0, BLOCK, _CARD)]
            for card in cards:
                if found := _SIZES.match(card):
                    sizes.setdefault(found[1].decode(), found[2].strip().decode("latin-1"))
            if any(card.rstrip() == b"END" for card in cards):
                break
        else:
            return
        yield sizes


def _data_bytes(sizes: Sizes, path: Path, where: str) -> int:
    """Return the size of the data, in whole blocks."""

    def number(key: str, least: int | None = 0, otherwise: str | None = None) -> int:
        text = sizes.get(key, otherwise)
        if text is None:
            axes = f"NAXIS = {sizes['NAXIS']} in {where} and " if "NAXIS" in sizes else ""
            raise InputError(f"{path} says {axes}nothing of {key}; mend its header, or get the file again")
        value = int(text) if _WHOLE.fullmatch(text) else None
        if value is None or (least is not None and value < least):
            raise InputError(
                f"{path} says {key} = {text} in {where}, where a whole number{'' if least is None else f' from {least}'} must stand; mend its header, or get the file again"
            )
        return value

    bitpix, axes = number("BITPIX", None), number("NAXIS")
    if bitpix not in _BITPIX or axes > _MOST_AXES:
        key, value = ("BITPIX", bitpix) if bitpix not in _BITPIX else ("NAXIS", axes)
        known = "8, 16, 32, 64, -32 and -64" if key == "BITPIX" else f"0 to {_MOST_AXES}"
        raise InputError(
            f"{path} says {key} = {value} in {where}, where FITS knows {known}; mend its header, or get the file again"
        )
    lengths = [number(f"NAXIS{axis}") for axis in range(1, axes + 1)]
    if lengths and lengths[0] == 0 and len(lengths) > 1:  # random groups, or nothing
        lengths = lengths[1:] if "GCOUNT" in sizes else [0]
    pixels = math.prod(lengths) if lengths else 0
    size = abs(bitpix) // 8 * number("GCOUNT", 0, "1") * (number("PCOUNT", 0, "0") + pixels)
    return -(-size // BLOCK) * BLOCK
