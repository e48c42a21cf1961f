"""The networks that are compared: the ones that ship, and the authors' own, with their weights in Keras' form as well."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solardn.model import Model, load

from .tables import TRIALS, say

AUTHORS = "authors-sst"


def authors(place: Path = TRIALS) -> tuple[Path, Path]:
    """Return the authors' network as an ONNX file and as Keras weights; both are fetched and made once.

    Raises
    ------
    solardn.InputError
        The weights could not be fetched.
    """
    network, weights = place / f"{AUTHORS}.onnx", place / "authors-sst.hdf5"
    if not (network.exists() and weights.exists()):
        say(f"fetching the authors' network into {place}")
        from export.framework import prepare

        prepare()
        from export.authors import convert_authors, extract, fetch
        from export.cards import save

        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            sdist = fetch(Path(temporary))
            save(convert_authors(sdist), network, overwrite=True)
            extract(sdist, Path(temporary)).replace(weights)
    return network, weights


def multiply_adds(model: Model) -> float:
    """Return the multiplications of a network's convolutions for each pixel of a map, counted from the shapes in its graph."""
    import onnx

    side = max(model.card.multiple, 1) * max(1, 256 // max(model.card.multiple, 1))
    graph = onnx.load_from_string(model.data)
    sizes = {"map": (1, 1, side, side), "seed": (1,)}
    for value in graph.graph.input:
        for axis, size in zip(value.type.tensor_type.shape.dim, sizes.get(value.name, ()), strict=False):
            axis.dim_value = size
    inferred = onnx.shape_inference.infer_shapes(graph, data_prop=True).graph
    shapes = {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*inferred.input, *inferred.value_info, *inferred.output)
    }
    weights = {value.name: list(value.dims) for value in inferred.initializer}
    total = 0
    for node in inferred.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            counted = shapes[node.output[0] if node.op_type == "Conv" else node.input[0]]
            total += math.prod(counted) * math.prod(weights[node.input[1]][1:])
    return total / side**2


def maps(number: int, side: int, model: Model, seed: int = 0) -> NDArray[np.float32]:
    """Return noisy maps of shape (number, side, side) in a network's own units; what they show does not matter to its speed."""
    noise = np.random.default_rng(seed).standard_normal((number, side, side), np.float32)
    return noise * np.float32(model.card.input_sigma)


def find(name: str | Path) -> Model:
    """Return a network by its name, that of the authors included."""
    return load(authors()[0] if name == AUTHORS else name)
