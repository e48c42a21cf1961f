"""A strict reader of legacy HDF5 weights: every layer by its name and shape, nothing left over.

Keras 3 reads files of Keras 2 wrongly without a word: ``by_name`` skips names it does not know, ``skip_mismatch`` keeps random
weights. Two layouts exist: bare weights (layers at the root) and a whole saved model (layers under ``model_weights``).
"""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

from solardn.errors import ModelError

Weights = dict[str, dict[str, NDArray[np.float32]]]
"""Arrays by layer and, within a layer, by variable (``kernel``, ``bias``, …)."""


def read_weights(path: Path) -> Weights:
    """Return all weights of a legacy HDF5 file; layers without weights are left out.

    Raises
    ------
    ModelError
        The file is missing, is not HDF5, is damaged, or has neither layout.
    """
    if not path.is_file():
        raise ModelError(f"the weights {path} do not exist; check the path")
    if is_zipfile(path):
        raise ModelError(
            f"{path} is a whole model of Keras 3, which tells its architecture itself; leave out --architecture"
        )
    try:
        with h5py.File(path) as file:
            return _read_layers(file, path)
    except (OSError, RuntimeError, KeyError) as error:
        raise ModelError(
            f"{path} cannot be read as HDF5 ({str(error).splitlines()[0]}); fetch or save the file again"
        ) from error


def _read_layers(file: h5py.File, path: Path) -> Weights:
    root = file if "layer_names" in file.attrs else file.get("model_weights")
    if root is None or "layer_names" not in root.attrs:
        raise ModelError(
            f"{path} holds no legacy Keras weights (no layer_names at its root or under model_weights); save them with save_weights of Keras 2, or convert the whole model without --architecture"
        )
    layers: Weights = {}
    for layer in _names(root, "layer_names"):
        arrays = {}
        for weight in _names(root[layer], "weight_names"):
            variable = weight.rsplit("/", 1)[-1].split(":")[0]
            arrays[variable] = np.asarray(root[layer][weight][()], dtype=np.float32)
        if arrays:
            layers[layer] = arrays
    return layers


def _names(group: h5py.Group, attribute: str) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs[attribute]]


def load_weights(model: keras.Model, path: Path) -> None:
    """Fill a model with the weights of a legacy HDF5 file.

    Parameters
    ----------
    model : keras.Model
        Its layers must be exactly those of the file.
    path : Path
        The file.

    Raises
    ------
    ModelError
        Layers are missing, left over or of another shape, or a weight is not finite; every such layer is named.
    """
    found = read_weights(path)
    expected = {
        layer.name: {weight.name: weight for weight in layer.weights} for layer in model.layers if layer.weights
    }
    faults = []
    if missing := sorted(expected.keys() - found.keys()):
        faults.append(f"lacks {', '.join(missing)}")
    if extra := sorted(found.keys() - expected.keys()):
        faults.append(f"has also {', '.join(extra)}")
    for layer in sorted(expected.keys() & found.keys()):
        want = {name: tuple(weight.shape) for name, weight in expected[layer].items()}
        have = {name: array.shape for name, array in found[layer].items()}
        if want != have:
            faults.append(f"has {layer} as {_shapes(have)} where {_shapes(want)} is needed")
        elif not all(np.isfinite(array).all() for array in found[layer].values()):
            faults.append(f"has weights in {layer} that are not finite")
    if faults:
        raise ModelError(
            f"{path} does not fit the architecture {model.name!r}: it {'; it '.join(faults)}; choose the architecture these weights were trained with"
        )
    for layer, weights in expected.items():
        for name, weight in weights.items():
            weight.assign(found[layer][name])


def _shapes(weights: dict[str, tuple[int, ...]]) -> str:
    return " ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in sorted(weights.items()))
