"""Versions of the libraries at hand, without importing them."""

from __future__ import annotations

from importlib import metadata


def installed(*names: str) -> tuple[str, str] | None:
    """Return name and version of the first of some packages that is installed, or None."""
    for name in names:
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def onnxruntime() -> tuple[str, str]:
    """Return name and version of the onnxruntime package that is installed."""
    return installed("onnxruntime-gpu", "onnxruntime") or ("onnxruntime", "not installed as a package")
