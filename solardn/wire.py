"""The protobuf wire format, as far as ONNX files use it: every length is checked against what is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class BrokenFile(ValueError):  # noqa: N818 - reads as what is wrong
    """The bytes are no ONNX file, or end too early."""


def fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """Yield (field number, value) of a protobuf message: an int for a varint, a memoryview for the rest."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise BrokenFile("its bytes are no protobuf message")
        if size > end - at:
            raise BrokenFile("it ends before its own lengths say")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for i in range(10):
        if at + i >= len(data):
            raise BrokenFile("it ends before its own lengths say")
        byte = data[at + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, at + i + 1
    raise BrokenFile("its bytes are no protobuf message")


def packed(value: int | memoryview) -> list[int]:
    """Return repeated integers, which a file may hold one by one or all in one field."""
    if isinstance(value, int):
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        numbers.append(number)
    return numbers


def signed(value: int) -> int:
    """Return a varint as the signed number of 64 bits that it stands for."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    return value - (1 << 64) if value >> 63 else value


def text(value: memoryview) -> str:
    """Return a field's text; what is no UTF-8 becomes �."""
    return bytes(value).decode("utf-8", "replace")
