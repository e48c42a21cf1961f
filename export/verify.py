"""A converted network beside the Keras network it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import onnx

from solardn.errors import ModelError

from .cards import load, read_card, sample_map
from .graph import session
from .source import Source, open_source

TOLERANCE = 1e-6
"""Largest difference allowed, as a fraction of the range (maximum − minimum) of the Keras output over all maps."""


@dataclass(frozen=True)
class Comparison:
    """The largest difference between Keras and onnxruntime in one output.

    Attributes
    ----------
    output : str
        ``mean`` or ``log_variance``.
    shape : tuple of int
        Of the batch of maps, (n, y, x).
    difference : float
        Largest absolute difference, as a fraction of the range of the Keras output over all maps.
    """

    output: str
    shape: tuple[int, int, int]
    difference: float


def verify(
    path: Path, weights: Path, architecture: str | None = None, modules: tuple[str, ...] = ()
) -> list[Comparison]:
    """Compare an ONNX file with the weights or the model it was converted from.

    Parameters
    ----------
    path : Path
        The ONNX file.
    weights : Path
        What `export.source.open_source` opens.
    architecture : str, optional
        By default the one the card names.
    modules : tuple of str
        Python modules that register the model's own layers.

    Returns
    -------
    list of Comparison
        One per output and size of map.

    Raises
    ------
    ModelError
        A difference is above `TOLERANCE`, or a file cannot be used.
    """
    model = load(path)
    card = read_card(model, str(path))
    if card.dropout:
        raise ModelError(
            f"{path} draws dropout masks, which Keras draws differently; verify the graph it was made from"
        )
    source = open_source(weights, architecture or card.source.get("architecture"), modules)
    if set(source.outputs) != set(card.outputs):
        raise ModelError(
            f"{path} has the outputs {', '.join(card.outputs)}, {weights} has {', '.join(source.outputs)}; give the weights it was converted from"
        )
    compared = compare(model, source)
    worst = max(compared, key=lambda one: one.difference)
    if not worst.difference <= TOLERANCE:
        raise ModelError(
            f"{path} differs from {weights} by {worst.difference:.1e} of the range of {worst.output} on maps of {worst.shape[1]}×{worst.shape[2]} px, where {TOLERANCE:.0e} is allowed; convert the network again"
        )
    return compared


def compare(model: onnx.ModelProto, source: Source) -> list[Comparison]:
    """Run both networks on maps of several sizes, from the smallest on, also oblong ones, two at a time."""
    card = read_card(model, "the graph")
    running = session(model)
    found: dict[str, list[tuple[tuple[int, int, int], float]]] = {name: [] for name in card.outputs}
    ranges: dict[str, list[float]] = {name: [] for name in card.outputs}
    for height, width in ((0, 0), (64, 64), (48, 200), (256, 112)):
        size = [max(card.min_size, -(-length // card.multiple) * card.multiple) for length in (height, width)]
        maps = np.stack([sample_map(size[0], size[1], card.input_sigma, seed) for seed in (0, 1)])
        results = source.model(maps[..., None], training=False)
        expected = dict(zip(source.outputs, results if isinstance(results, (list, tuple)) else [results], strict=True))
        for name, result in zip(card.outputs, running.run(list(card.outputs), {"map": maps[:, None]}), strict=True):
            reference = keras.ops.convert_to_numpy(expected[name])[..., 0]
            found[name].append((maps.shape, float(np.abs(result[:, 0] - reference).max())))
            ranges[name] += [float(reference.min()), float(reference.max())]
    return [
        Comparison(name, shape, difference / ((max(ranges[name]) - min(ranges[name])) or 1.0))
        for name in card.outputs
        for shape, difference in found[name]
    ]
