"""How much memory a network takes, and how large a tile fits a budget."""

from __future__ import annotations

import math
import re

from . import onnxfile
from .card import Card
from .errors import OptionError
from .model import Model
from .tiling import least_window, margin

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_BINARY_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

_OVERHEAD = 2.5
"""Peak memory of a run over the tensors that the graph keeps alive at once.

Measured with onnxruntime 1.31 on x86-64 as growth of the process's peak on windows of 256×512 and 512×512 pixels, one run and two at
once: 1.0 to 2.7 for eight U-Nets (the authors' two, and others with transposed convolutions, sub-pixel layers and odd widths). The
excess is copies into blocked layouts, padded copies, and holes in the allocator's arena.
"""


def parse_bytes(memory: int | str) -> int:
    """Return a number of bytes from an int or from text such as ``"2GB"``, ``"512 MiB"`` or ``"1.5G"``.

    Raises
    ------
    OptionError
        The text is no amount of memory.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([kmgt]?)(i?)b?\s*", str(memory), re.IGNORECASE)
    if not found or (found[3] and not found[2]):
        raise OptionError(f"memory is {memory!r}; give an amount such as '2GB', '512MiB' or a number of bytes")
    units = _BINARY_UNITS if found[3] else _UNITS
    return int(float(found[1]) * units[found[2].lower()])


def bytes_per_pixel(model: Model) -> float:
    """Return the memory that a run takes at its peak for each pixel of its window, in bytes.

    Every tensor's size in elements a pixel follows from the operators; what is alive at once is summed, and the overhead of the
    runtime comes on top.
    """
    graph = onnxfile.read(model.data)
    last = {name: step for step, node in enumerate(graph.nodes) for name in node.inputs}
    last |= dict.fromkeys(graph.outputs, len(graph.nodes))
    sizes, peak = {"map": 1.0}, 1.0
    for step, node in enumerate(graph.nodes):
        size = _elements(node, sizes, graph)
        alive = sum(sizes[name] for name in sizes if last.get(name, -1) >= step)
        peak = max(peak, alive + size * len(node.outputs))
        sizes |= dict.fromkeys(node.outputs, size)
    return 4 * peak * _OVERHEAD


def _elements(node: onnxfile.Node, sizes: dict[str, float], graph: onnxfile.OnnxFile) -> float:
    """Return the elements of an operator's output for each pixel of the map."""
    given = [sizes[name] for name in node.inputs if name in sizes]
    if not given:
        return 0.0
    strides = node.attributes.get("strides", ())
    step = math.prod(strides) if isinstance(strides, tuple) else 1
    if node.op in ("Conv", "ConvTranspose") and len(shape := graph.weights.get(node.inputs[1], ())) > 1:
        group = node.attributes.get("group", 1)
        groups = group if isinstance(group, int) else 1
        if node.op == "Conv":
            return given[0] / (shape[1] * groups) * shape[0] / step
        return given[0] / shape[0] * shape[1] * groups * step
    if node.op.endswith("Pool"):
        return given[0] / step
    if node.op == "Resize":
        return given[0] * math.prod(graph.constants.get(node.inputs[2], (2.0, 2.0)))
    return sum(given) if node.op == "Concat" else max(given)


def tile_for(budget: int, cost: float, card: Card, runs: int) -> tuple[int, int]:
    """Return the tile that fits a budget, and the number of runs at once for which it does.

    Parameters
    ----------
    budget : int
        Memory for all runs together, in bytes.
    cost : float
        Memory of one run for each pixel of its window, in bytes (see `bytes_per_pixel`).
    card : Card
        The network's needs.
    runs : int
        Runs at once that are wished for; fewer are returned where their tiles would be so small that they took longer.

    Returns
    -------
    tile : int
        Pixels kept along each side of a tile, a multiple of the card's ``multiple``.
    runs : int
        From 1 to the number wished for.

    Raises
    ------
    OptionError
        The budget does not suffice for one run of the smallest tile; the least that does is named.
    """
    edge = 2 * margin(card)
    smallest = max(least_window(card), card.min_size, edge + card.multiple)
    least = math.ceil(cost * smallest**2)
    if budget < least:
        raise OptionError(
            f"{budget / 1e6:.4g} MB of memory do not suffice for network {card.name!r}; the least that works is {math.ceil(least / 1e6)}MB"
        )

    def tile(at_once: int) -> int:
        side = math.isqrt(int(budget / at_once / cost))
        return max(side - edge, card.multiple) // card.multiple * card.multiple

    def speed(at_once: int) -> float:  # more runs at once, but more of each window is margin
        return at_once * (tile(at_once) / (tile(at_once) + edge)) ** 2

    best = max(range(1, min(runs, budget // least) + 1), key=speed)
    return tile(best), best
