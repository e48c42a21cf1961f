"""A network and its card: names become files, and a file is checked before anything runs it."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import onnxfile
from .card import Card, decode_array
from .errors import ModelError

DEFAULT = "stokes"
"""Name of the network that denoises when none is named."""

DEFAULT_WITH_UNCERTAINTY = "stokes-bayes"
"""Name of the network that tells uncertainties when none is named."""

DROPOUT_THRESHOLD, DROPOUT_SCALE = "dropout_threshold", "dropout_scale"
"""Constants of a graph that draws masks: below which word, of 2³², a unit is dropped, and by what the others are multiplied. They can be
given as inputs: with 0 and 1 nothing is dropped."""

_MOST_BYTES = 512 * 2**20
_FLOAT, _INT64, _UINT32 = 1, 7, 12  # ONNX's numbers for element types
_STANDARD = ("", "ai.onnx")
_ENDLESS = ("Loop", "Scan")


@dataclass(frozen=True)
class Model:
    """A network that passed the checks of `load`.

    Attributes
    ----------
    path : pathlib.Path
        Where it was read from.
    card : Card
        What it is and needs.
    sha256 : str
        Of the file, in hexadecimal digits.
    data : bytes
        The file itself.
    """

    path: Path
    card: Card
    sha256: str
    data: bytes = field(repr=False)

    def verify(self, device: str = "cpu") -> float:
        """Run the small input that the card carries and compare with what should come out.

        Parameters
        ----------
        device : str
            Where to run it, as for `solardn.Denoiser`.

        Returns
        -------
        float
            The largest difference found, as a fraction of the range of the expected output.

        Raises
        ------
        ModelError
            The card carries no check, or the difference exceeds its tolerance.
        """
        from .engine import Engine

        check = self.card.check
        if check is None:
            raise ModelError(f"the card of {self.path} carries no self-check; convert the network again to give it one")
        try:
            given = decode_array(check["map"])
            expected = {name: decode_array(check[name]) for name in self.card.outputs}
            tolerance = float(check["tolerance"])
            masks: dict[str, Any] = {}
            if self.card.dropout is not None:
                masks = {"seeds": np.array(check["seed"], np.uint32), "origin": tuple(check["origin"])}
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the self-check in the card of {self.path} cannot be read ({error!r}); convert the network again"
            ) from error
        results = Engine(self, device=device).run(given, **masks)
        worst = max(_difference(results[name], expected[name]) for name in self.card.outputs)
        if not worst <= tolerance:
            raise ModelError(
                f"network {self.card.name!r} ({self.path}) fails its self-check: the output is off by {worst:.3g} of its range, allowed are {tolerance:.3g}; "
                "get the file again, or report the versions that 'solardn doctor' prints"
            )
        return worst


def _difference(given: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the largest absolute difference as a fraction of the range of what is expected."""
    return float(np.abs(given - expected).max() / (np.ptp(expected) or 1.0))


def available() -> dict[str, Path]:
    """Return the networks that can be named, and their files.

    The ones that ship come first, then those in the folders of the environment variable ``SOLARDN_MODELS``, then the user's own. A
    name that comes twice means the first, so that a stray file cannot take the place of a network that ships.
    """
    found: dict[str, Path] = {}
    for folder in (bundled_folder(), *_folders_from_environment(), user_folder()):
        if folder.is_dir():
            for path in sorted(folder.glob("*.onnx")):
                found.setdefault(path.stem, path)
    return found


def bundled_folder() -> Path:
    """Return the folder of the networks that ship."""
    installed = Path(__file__).parent / "models"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "models"


def user_folder() -> Path:
    """Return the folder of the networks that the user added, by the customs of the operating system."""
    from platformdirs import user_data_path

    return user_data_path("solardn", appauthor=False) / "models"


def place_of(path: Path) -> str:
    """Tell where a network of `available` comes from: ``bundled``, ``SOLARDN_MODELS`` or ``your own``."""
    named = {bundled_folder(): "bundled", user_folder(): "your own"}
    return named.get(path.parent, "SOLARDN_MODELS")


def _folders_from_environment() -> list[Path]:
    return [Path(folder) for folder in os.environ.get("SOLARDN_MODELS", "").split(os.pathsep) if folder]


def load(name_or_path: str | Path = DEFAULT) -> Model:
    """Return a network by its name, or from an ONNX file.

    Parameters
    ----------
    name_or_path : str or pathlib.Path
        One of the names in `available`, or the path of a file (anything that ends in ``.onnx`` or holds a path separator).

    Raises
    ------
    ModelError
        No such network or file, or the file is not what the contract says. Nothing of the file has been run then.
    """
    path = _locate(name_or_path)
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ModelError(
                f"network {path} has {size / 2**20:.0f} MB, more than the {_MOST_BYTES // 2**20} MB a network may have; is it the right file?"
            )
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"network {path} cannot be read: {error.strerror or error}") from error
    card = _check(data, str(path))
    return Model(path=path, card=card, sha256=hashlib.sha256(data).hexdigest(), data=data)


def _locate(name_or_path: str | Path) -> Path:
    known = available()
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, str) and text in known:
        return known[text]
    is_path = isinstance(name_or_path, Path) or text.endswith(".onnx") or any(s in text for s in ("/", os.sep))
    if is_path and Path(text).is_file():
        return Path(text)
    names = ", ".join(sorted(known)) or "none"
    what = f"the network file {text} does not exist" if is_path else f"there is no network called {text!r}"
    raise ModelError(f"{what}; known are {names}; an ONNX file is given by its path")


def _check(data: bytes, where: str) -> Card:
    """Return the card of an ONNX file after looking whether the file keeps the contract."""
    try:
        parts = onnxfile.read(data)
    except onnxfile.BrokenFile as error:
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


def _check_operators(parts: onnxfile.OnnxFile, where: str) -> None:
    foreign = sorted({f"{node.domain}::{node.op}" for node in parts.nodes if node.domain not in _STANDARD})
    if foreign or parts.functions:
        which = ", ".join(foreign or parts.functions)
        raise ModelError(f"{where} uses operators outside the ONNX standard ({which}), which is refused")
    endless = sorted({node.op for node in parts.nodes if node.op in _ENDLESS})
    if endless:
        raise ModelError(
            f"{where} uses {', '.join(endless)}, which may run without end and is refused; unroll it and convert again"
        )


def _check_weights(parts: onnxfile.OnnxFile, size: int, where: str) -> None:
    """Refuse weights that say they hold more numbers than the file has room for: two in a byte is the densest that ONNX knows."""
    for name, shape in parts.weights.items():
        count = math.prod(shape)
        if min(shape, default=0) < 0 or count > 2 * size:
            raise ModelError(
                f"{where} says that its weight {name!r} has the shape {shape}, which a file of {size:,} bytes cannot hold; get it again or convert it again"
            )


def _check_inputs(parts: onnxfile.OnnxFile, card: Card, where: str) -> None:
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


def _check_dropout(parts: onnxfile.OnnxFile, card: Card, where: str) -> None:
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
