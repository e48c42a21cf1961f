"""A converted graph becomes one that draws dropout masks, as a pure function of seed and place.

onnxruntime deletes ONNX ``Dropout`` nodes without a word, and random nodes differ between tiles, threads and devices. Here masks
are arithmetic on integers, the same everywhere (see `export.masks`, their twin in numpy).

A graph made here takes two more inputs: ``seed``, uint32 [samples], and ``origin``, int64 [2], the row and column of the first pixel
of the map in the whole map, multiples of the card's ``multiple``. ``map`` may be a single one, [1, 1, height, width]: what comes before
the first dropout then runs once for all samples. ``mean`` is [samples, 1, height, width]; ``log_variance`` as well if dropout lies on its way, else
it keeps the batch of ``map``.

Two constants may be given as inputs in place of their values: with ``dropout_threshold`` 0 (uint32) and ``dropout_scale`` 1 (float32) the
graph computes what the deterministic one does, up to the order in which a runtime sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx

from solardn.card import Card
from solardn.errors import ModelError, OptionError

from .cards import Place, drop_places, make_check, read_card, read_places, sample_map, write_card
from .graph import session
from .halo import Needs
from .maskgraph import STILL, Spot, behind, draw_masks
from .sizes import shapes_of

_ROUNDING = 1e-5
"""Difference allowed between the graph at rate 0 and the deterministic one, as a fraction of the output's range."""

_ACTIVATIONS = {"Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "HardSwish", "Clip", "Gelu"}


def add_dropout(
    model: onnx.ModelProto, kind: str | None = None, rate: float | None = None, name: str | None = None
) -> onnx.ModelProto:
    """Return a copy of a converted network that draws dropout masks.

    Parameters
    ----------
    model : onnx.ModelProto
        What `export.convert.convert` returned.
    kind : {"element", "channel"}, optional
        What is dropped; by default as in training.
    rate : float, optional
        Fraction dropped, in [0, 1); by default as in training.
    name : str, optional
        Name of the new network; by default that of the old one.

    Returns
    -------
    onnx.ModelProto
        The network with the inputs ``seed`` and ``origin`` and its card.

    Raises
    ------
    OptionError
        Kind or rate is nonsense, or not given for a network trained without dropout.
    ModelError
        No dropout lies on the way to the mean, or the result does not do what it should.
    """
    card = read_card(model, "the network")
    if card.dropout:
        raise ModelError(f"the network {card.name!r} draws dropout masks already; start from the deterministic one")
    kind, rate = _settings(card.name, read_places(model), kind, rate)
    spots = _spots(model)
    made = draw_masks(model, spots, kind, rate)
    _prove(model, made, card, rate)
    feeds = {"seed": np.array([1, 2], np.uint32), "origin": np.zeros(2, np.int64)}
    needs = Needs(card.halo, card.multiple, card.min_size)
    check = make_check(made, needs, card.input_sigma, feeds)
    # A calibration belongs to the spread of the samples it was measured on.
    dropout = {"rate": rate, "kind": kind, "layers": len(spots)}
    write_card(made, replace(card, name=name or card.name, dropout=dropout, check=check, calibration=None))
    drop_places(made)
    return made


def _settings(name: str, places: Sequence[Place], kind: str | None, rate: float | None) -> tuple[str, float]:
    trained = {(place.kind, place.rate) for place in places}
    if (kind is None or rate is None) and len(trained) != 1:
        found = "different dropouts at different places" if trained else "no dropout"
        raise OptionError(f"the network {name!r} was trained with {found}; say which with --dropout and --rate")
    if trained:
        default = next(iter(trained))
        kind, rate = kind or default[0], default[1] if rate is None else rate
    if kind not in ("element", "channel"):
        raise OptionError(f"the dropout {kind!r} is not known; take element or channel")
    if rate is None or not 0 <= rate < 1:
        raise OptionError(f"the dropout rate {rate} is not in [0, 1)")
    return kind, float(rate)


def _spots(model: onnx.ModelProto) -> list[Spot]:
    """Return the places of dropout that lie on the way to the mean: those of training, or after each 3×3 convolution's activation."""
    places = read_places(model) or _default_places(model.graph)
    towards = behind(model.graph, "mean")
    makes = {node.name: node.output[0] for node in model.graph.node}
    places = [place for place in places if any(makes[user] in towards for user in place.users)]
    if not places:
        raise ModelError(
            "no place for dropout lies on the way to the mean; train with MCDropout layers of export/layers.py"
        )
    tensors = list(dict.fromkeys(place.tensor for place in places))
    shapes = shapes_of(model, tensors, (192, 384))
    spots = []
    for place in places:
        _, channels, height, width = shapes[place.tensor]
        if 192 % height or 384 % width:
            raise ModelError(
                f"the values {place.tensor} are {height}×{width} px for a map of 192×384 px; drop at whole steps only"
            )
        spots.append(Spot(place, channels, (192 // height, 384 // width)))
    return spots


def _default_places(graph: onnx.GraphProto) -> list[Place]:
    places = []
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        maker = makers.get(node.input[0])
        if node.op_type not in _ACTIVATIONS or maker is None or maker.op_type != "Conv":
            continue
        sizes = {attribute.name: list(attribute.ints) for attribute in maker.attribute}
        users = tuple(user.name for user in graph.node if node.output[0] in user.input)
        if sizes.get("kernel_shape") == [3, 3] and users:
            places.append(Place(node.output[0], users, 0.0, "element"))
    return places


def _prove(model: onnx.ModelProto, made: onnx.ModelProto, card: Card, rate: float) -> None:
    """Insist that rate 0 changes nothing beyond rounding, and that samples differ otherwise."""
    size = max(card.min_size, -(-64 // card.multiple) * card.multiple)
    array = sample_map(size, size, card.input_sigma)[None, None]
    names = list(card.outputs)
    feeds = {"map": array, "seed": np.array([1, 2], np.uint32), "origin": np.zeros(2, np.int64)}
    running = session(made)
    still = running.run(names, feeds | STILL)
    for name, expected, result in zip(names, session(model).run(names, {"map": array}), still, strict=True):
        # A multiplication between two convolutions keeps onnxruntime from fusing them: sums are rounded in another order.
        worst = float(np.abs(result - expected).max() / (np.ptp(expected) or 1.0))
        if not worst <= _ROUNDING:
            raise ModelError(
                f"the graph of {card.name!r} with dropout of rate 0 changes {name} by {worst:.2g} of its range; report this as a bug"
            )
    (mean,) = running.run(["mean"], feeds)
    if rate and np.array_equal(mean[0], mean[1]):
        raise ModelError(f"two samples of {card.name!r} with dropout of rate {rate} agree exactly; raise the rate")
