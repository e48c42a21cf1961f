"""Libraries that not every user needs: imported when they are, and named with their extra where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import MissingExtra


def need(module: str, extra: str, what: str) -> Any:
    """Return an optional library.

    Parameters
    ----------
    module : str
        Its name.
    extra : str
        The extra of solardn that brings it.
    what : str
        What it is needed for, such as a file.

    Raises
    ------
    MissingExtra
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(f"{what} needs {module}: pip install 'solardn[{extra}]'") from error
