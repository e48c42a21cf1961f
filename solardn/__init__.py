"""Take the noise out of solar polarimetric maps, and know how far to trust what is left."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Denoiser, denoise, uncertainty
    from .doubts import UnfamiliarData
    from .errors import DeviceError, InputError, MissingExtra, ModelError, OptionError, OutputError, SolardnError
    from .files import denoise_file, uncertainty_file
    from .many import Outcome, denoise_files
    from .sampling import Uncertainty
    from .scaling import Scaling
    from .summary import Summary

__version__ = "0.1.0"

_WHERE = {
    "Denoiser": "api",
    "Scaling": "scaling",
    "denoise": "api",
    "denoise_file": "files",
    "denoise_files": "many",
    "DeviceError": "errors",
    "InputError": "errors",
    "MissingExtra": "errors",
    "ModelError": "errors",
    "OptionError": "errors",
    "Outcome": "many",
    "OutputError": "errors",
    "SolardnError": "errors",
    "Summary": "summary",
    "Uncertainty": "sampling",
    "UnfamiliarData": "doubts",
    "uncertainty": "api",
    "uncertainty_file": "files",
}

_MODULES = ("diagnosis", "errors", "inspect", "noise", "objects", "plots", "provenance")
"""Those with public functions, which the documentation calls by their full names."""

__all__ = [
    "Denoiser",
    "DeviceError",
    "InputError",
    "MissingExtra",
    "ModelError",
    "OptionError",
    "Outcome",
    "OutputError",
    "Scaling",
    "SolardnError",
    "Summary",
    "Uncertainty",
    "UnfamiliarData",
    "__version__",
    "denoise",
    "denoise_file",
    "denoise_files",
    "uncertainty",
    "uncertainty_file",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import solardn`` costs nothing."""
    if name not in _WHERE and name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)
    value = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
