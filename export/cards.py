"""The card of a network and the places of its dropout, written into and read from an ONNX file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from solardn.card import Card, encode_array
from solardn.errors import ModelError, OutputError

from .graph import session
from .halo import Needs

_PLACES = "dropout_places"
"""Key of the metadata, beside the card, that tells where dropout sat in training."""
_CHECK_SIZE = 24
"""Side of the map in the card's check, in pixels, rounded up to the multiple."""
_CHECK_TOLERANCE = 1e-5
"""Largest difference that other processors may make, as a fraction of the range of the expected output."""


@dataclass(frozen=True)
class Place:
    """Where dropout sat in training.

    Attributes
    ----------
    tensor : str
        Name of the values it worked on.
    users : tuple of str
        Names of the nodes that take its result.
    rate : float
        Fraction dropped.
    kind : str
        ``element`` or ``channel``.
    """

    tensor: str
    users: tuple[str, ...]
    rate: float
    kind: str


def make_check(
    model: onnx.ModelProto, needs: Needs, input_sigma: float, feeds: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a small input and what the network makes of it, as the card holds them.

    Parameters
    ----------
    model : onnx.ModelProto
        The network.
    needs : Needs
        The network's multiple and smallest size.
    input_sigma : float
        rms of the noise of the input; its signal is a few times larger.
    feeds : dict, optional
        Further inputs of the graph (``seed``, ``origin``), kept with the check as lists.
    """
    size = max(needs.min_size, -(-_CHECK_SIZE // needs.multiple) * needs.multiple)
    array = sample_map(size, size, input_sigma)[None, None]
    feeds = feeds or {}
    names = [value.name for value in model.graph.output]
    results = session(model, threads=1).run(names, {"map": array, **feeds})
    check: dict[str, Any] = {"map": encode_array(array), "tolerance": _CHECK_TOLERANCE}
    check |= {name: np.asarray(value).tolist() for name, value in feeds.items()}
    return check | {name: encode_array(result) for name, result in zip(names, results, strict=True)}


def sample_map(height: int, width: int, sigma: float, seed: int = 0) -> NDArray[np.float32]:
    """Return a map (y, x) with smooth structure of a few σ and white noise of rms ``sigma``, in the units of ``sigma``."""
    y, x = np.mgrid[:height, :width]
    signal = 4 * np.sin(y / 5.0) * np.cos(x / 7.0) + 6 * np.exp(-((y - height / 3) ** 2 + (x - width / 2) ** 2) / 18)
    noise = np.random.default_rng(seed).standard_normal((height, width))
    return np.asarray(sigma * (signal + noise), dtype=np.float32)


def write_card(model: onnx.ModelProto, card: Card) -> None:
    """Put a card into a model, in place of one that is there; other metadata stay."""
    pairs = {entry.key: entry.value for entry in model.metadata_props} | card.to_metadata()
    for key in ("dropout", "calibration", "check"):
        if getattr(card, key) is None:
            pairs.pop(key, None)
    onnx.helper.set_model_props(model, dict(sorted(pairs.items())))


def read_card(model: onnx.ModelProto, where: str) -> Card:
    """Return the card of a model; ``where`` names the file in an error."""
    return Card.from_metadata({entry.key: entry.value for entry in model.metadata_props}, where)


def write_places(model: onnx.ModelProto, places: Sequence[Place]) -> None:
    """Note in a model where dropout sat in training."""
    if places:
        model.metadata_props.add(key=_PLACES, value=json.dumps([asdict(place) for place in places]))


def read_places(model: onnx.ModelProto) -> list[Place]:
    """Return where dropout sat in training; empty for a network trained without."""
    stored = {entry.key: entry.value for entry in model.metadata_props}.get(_PLACES, "[]")
    return [Place(**{**place, "users": tuple(place["users"])}) for place in json.loads(stored)]


def drop_places(model: onnx.ModelProto) -> None:
    """Forget where dropout sat in training."""
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key != _PLACES}
    onnx.helper.set_model_props(model, kept)


def load(path: Path) -> onnx.ModelProto:
    """Read an ONNX file.

    Raises
    ------
    ModelError
        It is missing or is no ONNX file.
    """
    if not path.is_file():
        raise ModelError(f"the network {path} does not exist; check the path")
    try:
        return onnx.load(path, load_external_data=False)
    except (DecodeError, OSError) as error:
        raise ModelError(f"{path} cannot be read as ONNX ({error}); convert the network again") from error


def save(model: onnx.ModelProto, path: Path, overwrite: bool = False) -> None:
    """Write an ONNX file, whole or not at all.

    Raises
    ------
    OutputError
        The file exists and may not be replaced, or its folder cannot be written to.
    """
    check_output(path, overwrite)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(model.SerializeToString(deterministic=True))
        beside.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); choose another place") from error
    finally:
        beside.unlink(missing_ok=True)


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse, before any work is done, a place that `save` could not write to."""
    if path.suffix != ".onnx":
        raise OutputError(f"the output {path} does not end in .onnx; name it so")
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; create it first")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; give another name, or --overwrite")
