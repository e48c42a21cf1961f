"""A network and its card: names become files, and a file is checked before anything runs it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .card import Card, decode_array
from .contract import check
from .errors import ModelError

DEFAULT = "stokes"
"""Name of the network that denoises when none is named."""

DEFAULT_WITH_UNCERTAINTY = "stokes-bayes"
"""Name of the network that tells uncertainties when none is named."""

_MOST_BYTES = 512 * 2**20


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

        example = self.card.check
        if example is None:
            raise ModelError(f"the card of {self.path} carries no self-check; convert the network again to give it one")
        try:
            given = decode_array(example["map"])
            expected = {name: decode_array(example[name]) for name in self.card.outputs}
            tolerance = float(example["tolerance"])
            masks: dict[str, Any] = {}
            if self.card.dropout is not None:
                masks = {"seeds": np.array(example["seed"], np.uint32), "origin": tuple(example["origin"])}
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
        if os.access(folder, os.R_OK | os.X_OK):  # in a container the user's folder may be that of another user
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
        One of the names in `available`, or the path of a file.

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
    card = check(data, str(path))
    return Model(path=path, card=card, sha256=hashlib.sha256(data).hexdigest(), data=data)


def _locate(name_or_path: str | Path) -> Path:
    known = available()
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, str) and text in known:
        return known[text]
    if os.path.isfile(text):  # noqa: PTH113 - that of pathlib raises where a name is too long for a file
        return Path(text)
    is_path = isinstance(name_or_path, Path) or text.endswith(".onnx") or any(s in text for s in ("/", os.sep))
    names = ", ".join(sorted(known)) or "none"
    what = f"the network file {text} does not exist" if is_path else f"there is no network called {text!r}"
    raise ModelError(f"{what}; known are {names}; an ONNX file is given by its path")
