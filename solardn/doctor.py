"""What this installation can do: versions, devices that truly compute, what is missing."""

from __future__ import annotations

import base64
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import __version__
from .card import Card
from .engine import Engine
from .errors import SolardnError
from .machine import usable_cpus
from .model import Model, available
from .versions import installed, onnxruntime

_LIBRARIES = ("numpy", "astropy", "click", "rich")
_EXTRAS = {"matplotlib": "plot"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what, how it is, and whether that is well (None: neither)."""

    what: str
    state: str
    good: bool | None


def examine() -> list[Finding]:
    """Look at everything solardn depends on; a session is opened, and used, on each device."""
    found = [
        Finding("solardn", __version__, None),
        Finding("Python", f"{platform.python_version()} on {sys.platform} {platform.machine()}", None),
        Finding("onnxruntime", " ".join(reversed(onnxruntime())), None),
    ]
    if installed("onnxruntime") and installed("onnxruntime-gpu"):
        found.append(
            Finding(
                "onnxruntime",
                "onnxruntime and onnxruntime-gpu are both installed and break each other: uninstall both, install one",
                False,
            )
        )
    for name in _LIBRARIES:
        there = installed(name)
        found.append(Finding(name, there[1] if there else "missing", None if there else False))
    for name, extra in _EXTRAS.items():
        there = installed(name)
        found.append(
            Finding(name, there[1] if there else f"not installed: pip install 'solardn[{extra}]' for pictures", None)
        )
    found += [_device("cpu", needed=True), _device("openvino", needed=False), _device("cuda", needed=False)]
    found.append(Finding("threads", f"{usable_cpus()} that this process may use", None))
    names = list(available())
    found.append(
        Finding(
            "networks", ", ".join(names) if names else "none; add one with 'solardn models add FILE.onnx'", bool(names)
        )
    )
    return found


def _device(name: str, *, needed: bool) -> Finding:
    """Run a network that returns its input on a device."""
    batch = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    try:
        same = np.array_equal(Engine(_identity(), device=name).run(batch)["mean"], batch)
    except SolardnError as error:
        return Finding(f"device {name}", str(error), False if needed else None)
    return Finding(f"device {name}", "works" if same else "computes wrongly", same)


def _identity() -> Model:
    """Return a network that returns its input; with it a device can be tried without any file."""
    card = Card(name="identity", halo=0, multiple=1, min_size=1, input_sigma=1.0)
    return Model(path=Path("identity.onnx"), card=card, sha256="", data=base64.b64decode(_IDENTITY))


_IDENTITY = (
    "CAk6eQoVCgNtYXASBG1lYW4iCElkZW50aXR5EgFnWi0KA21hcBImCiQIARIgCgcSBWJhdGNoCgIIAQoIEgZoZWlnaH"
    "QKBxIFd2lkdGhiLgoEbWVhbhImCiQIARIgCgcSBWJhdGNoCgIIAQoIEgZoZWlnaHQKBxIFd2lkdGhCBAoAEBI="
)
