"""Several arrays of one shape in a ``.npz`` file, for results that are more than one array."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ..layers import LAYERS, RESULT
from ..provenance import Step
from .container import MAPS, RECORD, ContainerSink, Table, records, step_with
from .numpy import npy_header

_PIECE = 2**20


class ArchiveSink(ContainerSink):
    """A ``.npz`` file with the result and all further layers; what was done is in the array ``solardn``, the maps' table in ``maps``.

    Parameters
    ----------
    output : pathlib.Path
    layers : sequence of str
        See `solardn.layers`.
    step : Step
        What is recorded.
    shape : tuple of int
    dtype : numpy.dtype
    resume : bool
        Go on with what an earlier run left.
    """

    def __init__(
        self,
        output: Path,
        layers: Sequence[str],
        step: Step,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        resume: bool,
    ) -> None:
        super().__init__(output, layers, shape, dtype, resume)
        self._names, self._step = [RESULT, *(LAYERS[layer].array for layer in layers)], step

    def build(self, place: Path, table: Table, remark: str) -> None:
        """Write the archive."""
        with zipfile.ZipFile(place, "w", allowZip64=True) as made:
            for name, array in zip(self._names, self.arrays, strict=True):
                array.file.seek(0)
                # ZipInfo's own date is always the same, so that the same work gives the same bytes.
                with made.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                    member.write(npy_header(array.shape, array.dtype))
                    shutil.copyfileobj(array.file, member, _PIECE)
            _add(made, RECORD, np.array(json.dumps([step_with(self._step, remark, self._names[1:], ())])))
            if any(len(column) > 1 for column in table.values()):
                _add(made, MAPS, records(table))


def _add(made: zipfile.ZipFile, name: str, values: Any) -> None:
    data = io.BytesIO()
    npy.write_array(data, values, allow_pickle=False)
    made.writestr(zipfile.ZipInfo(f"{name}.npy"), data.getvalue())
