"""The table of maps in a FITS output; made by hand, because astropy's own imports half of astropy for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..columns import IMAGE, IN_UNIT, TABLE
from .fitsheader import padded


def table_of(table: Mapping[str, NDArray[Any]], unit: str, image: str) -> tuple[Any, bytes]:
    """Return header and data of a table extension.

    Parameters
    ----------
    table : dict of str to ndarray
        Its columns, all of one length.
    unit : str
        Of the image, which some columns are in; or empty.
    image : str
        Its name, as `solardn.columns.image_name` tells it.

    Returns
    -------
    header : astropy.io.fits.Header
    rows : bytes
        Filled up to whole blocks.
    """
    columns = {name: values.astype(_stored(values)) for name, values in table.items()}
    rows = np.empty(len(next(iter(columns.values()))), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        rows[name] = values
    header = fits.Header([("XTENSION", "BINTABLE", "binary table extension"), ("BITPIX", 8), ("NAXIS", 2)])
    header.update({"NAXIS1": rows.itemsize, "NAXIS2": len(rows), "PCOUNT": 0, "GCOUNT": 1, "TFIELDS": len(columns)})
    for number, (name, values) in enumerate(columns.items(), 1):
        letter = {"S": f"{values.itemsize}A", "i": "J", "f": "D"}[values.dtype.kind]
        header.update({f"TTYPE{number}": name, f"TFORM{number}": letter})
        if unit and name in IN_UNIT:
            header[f"TUNIT{number}"] = unit
    header["EXTNAME"] = TABLE
    header["OBS_HDU"] = (0, "holds no observation")
    header[IMAGE] = (image, "name of the image that it belongs to")
    data = rows.tobytes()
    return header, data + bytes(padded(len(data)) - len(data))


def _stored(values: NDArray[Any]) -> str:
    """Return the type in which a column is stored."""
    kind = values.dtype.kind
    return f"S{max(1, values.dtype.itemsize // 4)}" if kind == "U" else {"i": ">i4", "f": ">f8"}[kind]
