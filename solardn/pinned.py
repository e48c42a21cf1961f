"""Page-locked memory of the host, which a GPU reads and writes while it computes; memory that may be paged out is copied once more."""

from __future__ import annotations

import ctypes
import math
import sys
import weakref
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FOR_ALL_GPUS = 1  # cudaHostAllocPortable
_NO_MEMORY = 2  # cudaErrorMemoryAllocation


class PinnedMemory:
    """Arrays in page-locked memory, by NVIDIA's runtime library that onnxruntime has loaded.

    Parameters
    ----------
    cuda_version : str
        That onnxruntime was built for, as in ``13.0``.
    gpu : int
        In whose context the memory is allocated.

    Raises
    ------
    OSError
        The library cannot be loaded, or refuses.
    """

    def __init__(self, cuda_version: str, gpu: int) -> None:
        major = cuda_version.partition(".")[0]
        name = f"cudart64_{major}.dll" if sys.platform == "win32" else f"libcudart.so.{major}"
        self._library = ctypes.CDLL(name)
        self._gpu = gpu
        self.array((1,))

    def array(self, shape: Sequence[int]) -> NDArray[np.float32]:
        """Return an array of float32 whose memory is given back with its last view.

        Raises
        ------
        MemoryError
            There is not so much memory to be locked.
        OSError
            The library fails otherwise.
        """
        place, size = ctypes.c_void_p(), 4 * math.prod(shape)
        self._call("cudaSetDevice", self._gpu)  # of this thread
        self._call("cudaHostAlloc", ctypes.byref(place), ctypes.c_size_t(size), _FOR_ALL_GPUS)
        memory = (ctypes.c_char * size).from_address(place.value or 0)
        weakref.finalize(memory, self._library.cudaFreeHost, place)
        return np.frombuffer(memory, np.float32).reshape(shape)

    def _call(self, function: str, *values: object) -> None:
        code = getattr(self._library, function)(*values)
        if code == _NO_MEMORY:
            raise MemoryError(f"{function} of NVIDIA's runtime library finds no more memory")
        if code:
            raise OSError(f"{function} of NVIDIA's runtime library fails with code {code}")
