"""The contract that a network's file must keep, looked at before anything runs it; see docs/reference/card.md."""

from __future__ import annotations

import math
from typing import Any

from . import onnxfile
from .card import Card
from .errors import ModelError
from .onnxgraph import OnnxFile
from .wire import BrokenFile

DROPOUT_THRESHOLD, DROPOUT_SCALE = "dropout_threshold", "dropout_scale"
"""Constants of a graph that draws masks: below which word, of 2³², a unit is dropped, and by what the others are multiplied. They can be
given as inputs: with 0 and 1 nothing is dropped."""

_FLOAT, _INT64, _UINT32 = 1, 7, 12  # ONNX's numbers for element types
_STANDARD = ("", "ai.onnx")
_ENDLESS = ("Loop", "Scan")


def check(data: bytes, where: str) -> Card:
    """Return the card of an ONNX file after looking whether the file keeps the contract.

    Parameters
    ----------
    data : bytes
        The whole file.
    where : str
        The file, for the error message.

    Raises
    ------
    ModelError
        It does not; nothing of the file has been run then.
    """
    try:
        parts = onnxfile.read(data)
    except BrokenFile as error:
        raise ModelError(f"{where} is no complete ONNX file: {error}; get it again or convert it again") from error
    card = Card.from_metadata(parts.metadata, where)
    if parts.external:
        raise ModelError(
            f"{where} keeps weights in other files ({parts.external[0]!r}), which is refused; save it as a single file"
        )
    _check_operators(parts, where)
    _check_weights(parts, len(data), where)
    _check_inputs(parts, card, where)
    if card.dropout is not None:
        _check_dropout(parts, card, where)
    for name in card.outputs:
        if name not in parts.outputs:
            raise ModelError(
                f"{where} has no output {name!r}, which its card names; its outputs are {_names(parts.outputs)}"
            )
    return card


def _check_operators(parts: OnnxFile, where: str) -> None:
    foreign = sorted({f"{node.domain}::{node.op}" for node in parts.nodes if node.domain not in _STANDARD})
    if foreign or parts.functions:
        which = ", ".join(foreign or parts.functions)
        raise ModelError(f"{where} uses operators outside the ONNX standard ({which}), which is refused")
    endless = sorted({node.op for node in parts.nodes if node.op in _ENDLESS})
    if endless:
        raise ModelError(
            f"{where} uses {', '.join(endless)}, which may run without end and is refused; unroll it and convert again"
        )


def _check_weights(parts: OnnxFile, size: int, where: str) -> None:
    """Refuse weights that say they hold more numbers than the file has room for: two in a byte is the densest that ONNX knows."""
    for name, shape in parts.weights.items():
        count = math.prod(shape)
        if min(shape, default=0) < 0 or count > 2 * size:
            raise ModelError(
                f"{where} says that its weight {name!r} has the shape {shape}, which a file of {size:,} bytes cannot hold; get it again or convert it again"
            )


def _check_inputs(parts: OnnxFile, card: Card, where: str) -> None:
    wanted: dict[str, Any] = {"map": (_FLOAT, 4)}
    if card.dropout is not None:
        wanted |= {"seed": (_UINT32, 1), "origin": (_INT64, 1)}
    if set(parts.inputs) != set(wanted):
        raise ModelError(f"{where} has the inputs {_names(parts.inputs)}; by its card it should have {_names(wanted)}")
    for name, (dtype, axes) in wanted.items():
        value = parts.inputs[name]
        if value.dtype != dtype or value.shape is None or len(value.shape) != axes:
            raise ModelError(
                f"{where} has an input {name!r} of another type or number of axes than the contract says; convert the network again"
            )
    shape = parts.inputs["map"].shape or ()
    if shape[1] != 1:
        raise ModelError(f"{where} takes {shape[1]} channels; a network takes maps of one")
    fixed = [
        f"{axis} {size}"
        for axis, size in zip(("batch", "", "height", "width"), shape, strict=True)
        if axis and isinstance(size, int)
    ]
    if fixed:
        raise ModelError(f"{where} takes only maps of {', '.join(fixed)}; convert the network with free sizes")


def _check_dropout(parts: OnnxFile, card: Card, where: str) -> None:
    for name in (DROPOUT_THRESHOLD, DROPOUT_SCALE):
        if name not in parts.defaults or name not in parts.constants:
            raise ModelError(
                f"{where} says that it draws dropout masks, but has no {name!r}; make it again with 'python -m export'"
            )
    rate = parts.constants[DROPOUT_THRESHOLD][0] / 2**32
    if abs(rate - card.drop_rate) > 1e-6 or abs(parts.constants[DROPOUT_SCALE][0] * (1 - rate) - 1) > 1e-6:
        raise ModelError(
            f"the card in {where} says that a fraction of {card.drop_rate:g} is dropped, its graph drops {rate:.6g}; make it again with 'python -m export'"
        )


def _names(values: dict[str, Any]) -> str:
    return ", ".join(sorted(values)) or "none"
