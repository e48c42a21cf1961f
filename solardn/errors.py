"""Every error a user can meet, in one tree.

SolardnError
 ├── InputError     the data, or the file that holds them, cannot be used
 ├── OutputError    the result cannot be written where it was asked for
 ├── ModelError     a network's file, card or graph is not what the contract says
 ├── DeviceError    the device, its memory or a precision cannot be had
 ├── OptionError    an option is nonsense, or two contradict each other
 └── MissingExtra   an optional library is needed and not installed

Each carries one sentence that names the file, the value and the way out. The command line prints that sentence and ends with
exit code 1; it is the only place that catches them.
"""

import errno
import re

_OUT_OF_MEMORY = re.compile(
    r"allocate memory|fail(ed|ure) to allocate|out of memory|alloc_failed|bad_alloc|BFCArena", re.IGNORECASE
)
"""What libraries say where memory runs out: onnxruntime, CUDA, OpenVINO, PyTorch, TensorFlow and C++."""

SIGNALS = 128
"""What the number of a signal is added to for an exit code."""


class SolardnError(Exception):
    """Base of all errors that solardn raises on purpose."""


class InputError(SolardnError):
    """The data, or the file that holds them, cannot be used."""


class OutputError(SolardnError):
    """The result cannot be written where it was asked for."""


class ModelError(SolardnError):
    """A network's file, card or graph is not what the contract says."""


class DeviceError(SolardnError):
    """The device, its memory or a precision cannot be had."""


class OptionError(SolardnError, ValueError):
    """An option is nonsense, or two contradict each other."""


class MissingExtra(SolardnError, ImportError):  # noqa: N818 - reads as what is wrong
    """An optional library is needed and not installed."""


def lacks_memory(error: Exception) -> bool:
    """Return whether an error of a library says that memory ran out, so that a smaller array may pass."""
    return isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error)) is not None


def interrupted(left: str = "") -> str:
    """Return what is said after Ctrl-C; with what is left behind, and how it goes on, where that is something."""
    return f"Error: interrupted; {left or 'nothing is left behind'}, the input is untouched"


def way_out(error: OSError, otherwise: str) -> str:
    """Return what helps against an error of the system on a file: a shorter name if that is it, whatever was being done."""
    return "give a shorter name" if error.errno == errno.ENAMETOOLONG else otherwise
