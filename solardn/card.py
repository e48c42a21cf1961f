"""The card of a network: everything the runtime needs to know, carried inside the ONNX file's metadata.

Written by ``export``, read by `solardn.model`. Scalars are stored as their text, structured values as JSON.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .calibration import Calibration, calibration_of
from .errors import ModelError

CONTRACT = 1
"""Version of the contract this release reads and writes."""

_MOST_PIXELS = 8192  # more than any detector's side: no network needs so much context

_REQUIRED = ("name", "halo", "multiple", "min_size", "input_sigma", "outputs")


def encode_array(array: NDArray[np.float32]) -> dict[str, Any]:
    """Return a float32 array as JSON: its shape, and its little-endian bytes in base64."""
    data = np.ascontiguousarray(array, dtype="<f4")
    return {"shape": list(data.shape), "data": base64.b64encode(data.tobytes()).decode("ascii")}


def decode_array(value: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return the array that `encode_array` wrote."""
    flat = np.frombuffer(base64.b64decode(value["data"]), dtype="<f4")
    return flat.reshape(value["shape"]).astype(np.float32)


@dataclass(frozen=True)
class Card:
    """What a network is and needs.

    Attributes
    ----------
    name, description, reference, licence : str
        For people.
    halo : int
        Pixels of context, in any direction, on which an output pixel depends.
    multiple : int
        Tile origins, and the heights and widths given to the graph, are multiples of this.
    min_size : int
        Height and width, in pixels, of the smallest map the network takes.
    input_sigma : float
        rms of the noise the network was trained with, in its own input units.
    outputs : tuple of str
        ``("mean",)`` or ``("mean", "log_variance")``; the log variance is natural, in network units squared.
    dropout : dict or None
        ``{"rate": p, "kind": "element" | "channel", "layers": n}``; None when the graph is deterministic.
    calibration : dict or None
        Measured on held-out truth: ``{"factor": f, "coverage_1": …, "coverage_2": …}``, perhaps with ``sigmas`` and ``factors``, see
        `solardn.calibration`.
    source : dict
        Where the weights come from: sha256, training command and revision, data.
    check : dict or None
        A small input and the expected outputs, for the self-check: ``{"map": array, "mean": array, …, "tolerance": t}``
        with arrays as `encode_array` writes them, of shape (n, 1, height, width). The tolerance is the largest difference
        allowed, as a fraction of the range of the expected output. With dropout, ``seed`` (n) and ``origin`` (2) are lists.
    contract : int
        Version of this table.
    """

    name: str
    halo: int
    multiple: int
    min_size: int
    input_sigma: float
    outputs: tuple[str, ...] = ("mean",)
    description: str = ""
    reference: str = ""
    licence: str = ""
    dropout: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    source: dict[str, Any] = field(default_factory=dict)
    check: dict[str, Any] | None = None
    contract: int = CONTRACT

    def __post_init__(self) -> None:
        """Refuse values no network can have."""
        for key, low in (("halo", 0), ("multiple", 1), ("min_size", 1)):
            if not low <= getattr(self, key) <= _MOST_PIXELS:
                raise ModelError(
                    f"the card of network {self.name!r} says {key} = {getattr(self, key)}; a number from {low} to {_MOST_PIXELS} is needed"
                )
        if not (np.isfinite(self.input_sigma) and self.input_sigma > 0):
            raise ModelError(
                f"the card of network {self.name!r} says input_sigma = {self.input_sigma}; a positive number is needed"
            )
        if self.outputs not in (("mean",), ("mean", "log_variance")):
            raise ModelError(
                f"the card of network {self.name!r} names the outputs {', '.join(self.outputs)}; 'mean', or 'mean' and 'log_variance', are needed"
            )
        if not 0 <= self.drop_rate < 1:
            raise ModelError(
                f"the card of network {self.name!r} says dropout of rate {self.drop_rate}; it must be in [0, 1)"
            )
        calibration_of(self.calibration, self.name)  # refuses nonsense

    @property
    def drop_rate(self) -> float:
        """Fraction that dropout drops, 0 when the graph is deterministic."""
        return self._number(self.dropout, "dropout", "rate", 0.0)

    @property
    def factor(self) -> float:
        """What standard deviations are multiplied by so that they cover the truth; 1 when that was not measured."""
        return self.calibrated.factor

    @property
    def calibrated(self) -> Calibration:
        """The whole calibration: for networks that one factor does not make honest, factors over σ."""
        return calibration_of(self.calibration, self.name)

    def _number(self, entry: Any, name: str, key: str, without: float) -> float:
        if entry is None:
            return without
        try:
            return float(entry[key])
        except (KeyError, TypeError, ValueError, IndexError):
            raise ModelError(f"the card of network {self.name!r} tells no {key} of its {name}: {entry!r}") from None

    def to_metadata(self) -> dict[str, str]:
        """Return the card as the key-value pairs that go into the ONNX file."""
        pairs = {
            "contract": str(self.contract),
            "name": self.name,
            "description": self.description,
            "reference": self.reference,
            "licence": self.licence,
            "halo": str(self.halo),
            "multiple": str(self.multiple),
            "min_size": str(self.min_size),
            "input_sigma": repr(float(self.input_sigma)),
            "outputs": ",".join(self.outputs),
            "source": json.dumps(self.source, sort_keys=True),
        }
        for key in ("dropout", "calibration", "check"):
            value = getattr(self, key)
            if value is not None:
                pairs[key] = json.dumps(value, sort_keys=True)
        return pairs

    @classmethod
    def from_metadata(cls, pairs: Mapping[str, str], where: str) -> Card:
        """Read a card from an ONNX file's metadata.

        Parameters
        ----------
        pairs : mapping of str to str
            The file's metadata.
        where : str
            The file, for the error message.

        Raises
        ------
        ModelError
            No card, a newer contract, a key missing, or a value that is not of its type.
        """
        if "contract" not in pairs:
            raise ModelError(
                f"{where} has no solardn card; convert the network with 'python -m export convert' to give it one"
            )
        try:
            contract = int(pairs["contract"])
        except ValueError:
            raise ModelError(
                f"{where} states the contract {pairs['contract']!r}, which is no number; convert the network again"
            ) from None
        if contract > CONTRACT:
            raise ModelError(
                f"{where} was made for contract {contract}, this solardn knows up to {CONTRACT}; update solardn"
            )
        missing = [key for key in _REQUIRED if key not in pairs]
        if missing:
            raise ModelError(f"the card in {where} lacks {', '.join(missing)}; convert the network again")
        try:
            return cls(
                name=pairs["name"],
                halo=int(pairs["halo"]),
                multiple=int(pairs["multiple"]),
                min_size=int(pairs["min_size"]),
                input_sigma=float(pairs["input_sigma"]),
                outputs=tuple(pairs["outputs"].split(",")),
                description=pairs.get("description", ""),
                reference=pairs.get("reference", ""),
                licence=pairs.get("licence", ""),
                dropout=json.loads(pairs["dropout"]) if "dropout" in pairs else None,
                calibration=json.loads(pairs["calibration"]) if "calibration" in pairs else None,
                source=json.loads(pairs.get("source", "{}")),
                check=json.loads(pairs["check"]) if "check" in pairs else None,
                contract=contract,
            )
        except (ValueError, TypeError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"the card in {where} cannot be read ({error}); convert the network again") from error
