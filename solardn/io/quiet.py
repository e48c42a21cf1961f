"""Silence about the habits of other people's headers."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep astropy from warning about cards that are not standard: they are carried over, mended where it can."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
