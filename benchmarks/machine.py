"""The machine that was measured, in words."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from solardn import __version__
from solardn.machine import usable_cpus
from solardn.versions import installed

_LIBRARIES = (
    "onnxruntime-gpu",
    "onnxruntime",
    "openvino",
    "tensorflow-cpu",
    "tensorflow",
    "keras",
    "torch",
    "numpy",
    "astropy",
)
_FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def describe() -> dict[str, Any]:
    """Return processor, memory, system, versions, and how busy the machine is now."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": _from_file("/proc/cpuinfo", r"model name\s*: (.*)") or platform.processor() or platform.machine(),
        "features": [name for name in _FEATURES if re.search(rf"\b{name}\b", _read("/proc/cpuinfo"))],
        "cpus": usable_cpus(),
        "memory_gb": round(int(_from_file("/proc/meminfo", r"MemTotal:\s*(\d+) kB") or 0) / 1e6, 1),
        "gpu": _gpu(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "solardn": __version__,
        "libraries": dict(there for name in _LIBRARIES if (there := installed(name))),
        "busy": round(os.getloadavg()[0], 2),  # processes that ran or waited in the last minute
    }


def sentence(machine: dict[str, Any]) -> str:
    """Return the description in one line for people."""
    cpus, features = machine["cpus"], ", ".join(machine["features"]) or "no wide vectors"
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    return (
        f"{machine['date']}{gpu}, {cpus} CPU{'s' * (cpus > 1)} of {machine['processor']} ({features}), {machine['memory_gb']:.0f} GB, {machine['system']}, "
        f"Python {machine['python']}, solardn {machine['solardn']}, {libraries}; load before the run {machine['busy']:g}."
    )


def _gpu() -> str:
    """Return name and driver of the first GPU; nothing where there is none."""
    try:
        asked = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=30).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    name, _, driver = said[0].partition(", ") if said else ("", "", "")
    return f"{name} (driver {driver})" if driver else ""


def _from_file(path: str, pattern: str) -> str:
    found = re.search(pattern, _read(path))
    return found[1].strip() if found else ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # not on Linux
        return ""
