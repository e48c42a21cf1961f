"""The authors' way of working, as a script of its own: Keras loads the weights, maps are predicted one by one, astropy writes.

``python -m benchmarks.authors_way WEIGHTS.hdf5 INPUT.fits OUTPUT.fits``
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # as users have it

from export.framework import prepare


def main(weights: str, given: str, output: str) -> None:
    """Denoise every map of a cube (map, y, x)."""
    prepare()
    from astropy.io import fits

    from export.architectures import build_unet
    from export.weights import load_weights

    model = build_unet()
    load_weights(model, Path(weights))
    with fits.open(given) as file:
        cube, header = file[0].data, file[0].header
        for number in range(len(cube)):
            cube[number] = model.predict(cube[number][None, ..., None], verbose=0)[0, ..., 0]
        fits.writeto(output, cube, header, overwrite=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
