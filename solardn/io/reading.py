"""The errors of libraries that read files, turned into one sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..errors import InputError, SolardnError


@contextlib.contextmanager
def reading(where: str, kind: str = "", again: str = "get the whole file again") -> Iterator[None]:
    """Turn whatever a library raises about damaged data into an error that names the file.

    Parameters
    ----------
    where : str
        The file, and which part of it.
    kind : str
        What it is read as, such as FITS; empty where that is plain.
    again : str
        The way out.

    Raises
    ------
    InputError
    """
    try:
        yield
    except (SolardnError, MemoryError):
        raise
    except Exception as error:  # the libraries have many kinds of them
        said = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise InputError(f"{where} cannot be read{kind and f' as {kind}'} ({said}); {again}") from error
