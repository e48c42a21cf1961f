"""What the machine gives this process: CPUs, and a driver for NVIDIA's GPUs."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cpus() -> int:
    """Return how many CPUs this process may use, by its affinity and by the quota of its container."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text().split()
    except (OSError, ValueError):  # no control groups here, or of another kind
        return cpus
    return cpus if quota == "max" else max(1, min(cpus, int(quota) // int(period)))


def has_nvidia_driver() -> bool:
    """Tell whether the driver's library loads, which takes no time and spares the search for others where there is none."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
