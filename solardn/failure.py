"""What a library's error in a run means: too little memory, for which a smaller tile helps, or anything else."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import DeviceError, lacks_memory
from .session import brief


class OutOfMemory(DeviceError):  # noqa: N818 - reads as what is wrong
    """The device has not enough memory for an array of this size; a smaller one may pass."""


def failed(error: Exception, network: str, device: str, what: str) -> DeviceError:
    """Return what users are told of an error of a library.

    Parameters
    ----------
    error : Exception
    network, device : str
        Their names.
    what : str
        It ran on.
    """
    if lacks_memory(error):
        return OutOfMemory(f"the memory of the device {device} does not suffice on {what}; use a smaller tile")
    return DeviceError(f"network {network!r} failed on the device {device} on {what}: {brief(error)}")


def maps_of(shape: Sequence[int]) -> str:
    """Return words for a batch of this shape."""
    return f"maps of {'×'.join(map(str, shape))}"
