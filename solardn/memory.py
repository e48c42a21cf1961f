"""How much memory a network takes, and how large a tile fits a budget."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from . import onnxfile
from .card import Card
from .errors import OptionError
from .model import Model
from .onnxgraph import Node, OnnxFile, following
from .tiling import least_window, margin, plan

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_BINARY_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

_OVERHEAD, _SAMPLED_OVERHEAD = 2.5, 3.5
"""Peak memory of a run over the tensors that the graph keeps alive at once; the second for tensors that exist once for each sample.

Measured with onnxruntime 1.31 on x86-64 as growth of the process's peak on windows of 256×256 to 512×512 pixels, one run and two at
once: 1.0 to 2.7 for ten U-Nets (the authors' two, and others with transposed convolutions, sub-pixel layers and odd widths), 2.9 to
3.8 for one to ten samples through networks that draw dropout masks. The excess is copies into blocked layouts, padded copies, masks,
and holes in the allocator's arena.
"""


_MOST_TOGETHER = 4
"""Samples in one run at most: they share only the beginning and the end of a run, and many leave the caches."""

_PIXELS_A_RUN = 500
"""What one more run costs, whatever its size."""

_MANY = 48
"""Samples for which the work is shared out, so that memory does not depend on how many are drawn; a multiple of the batches."""

_SERIAL = 0.03
"""The part of a run that threads within it do not share."""

_WORTHWHILE = 1.02
"""A larger batch, which takes more memory, must be faster by so much."""


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


@dataclass(frozen=True)
class Demand:
    """What a network asks of the machine for each pixel of a window.

    Attributes
    ----------
    alive : tuple of (float, float)
        For each operator, elements of float32 that exist while it runs: once for all samples, and once for each sample.
    work : tuple of (float, float)
        Operations, counted likewise.
    """

    alive: tuple[tuple[float, float], ...]
    work: tuple[float, float]

    def bytes(self, samples: int = 1) -> float:
        """Return the memory that a run takes at its peak, in bytes a pixel."""
        return 4 * max(_OVERHEAD * shared + _SAMPLED_OVERHEAD * samples * each for shared, each in self.alive)


def demand(model: Model) -> Demand:
    """Return what a network asks of the machine, found by following the sizes of its tensors through the graph."""
    graph = onnxfile.read(model.data)
    last = {name: step for step, node in enumerate(graph.nodes) for name in node.inputs}
    last |= dict.fromkeys(graph.outputs, len(graph.nodes))
    sizes, sampled = {"map": 1.0}, following(graph, "seed")
    alive, work = [(1.0, 0.0)], [0.0, 0.0]
    for step, node in enumerate(graph.nodes):
        size, operations = _elements(node, sizes, graph)
        sizes |= dict.fromkeys(node.outputs, size)
        there = [name for name in sizes if name in node.outputs or last.get(name, -1) >= step]
        each = sum(sizes[name] for name in there if name in sampled)
        alive.append((sum(sizes[name] for name in there) - each, each))
        work[not sampled.isdisjoint(node.outputs)] += size * operations
    return Demand(tuple(alive), (work[0], work[1]))


def _elements(node: Node, sizes: dict[str, float], graph: OnnxFile) -> tuple[float, float]:
    """Return the elements of an operator's output for each pixel of the map, and the operations for each of them."""
    given = [sizes[name] for name in node.inputs if name in sizes]
    if not given or node.op == "Shape":
        return 0.0, 0.0
    strides = node.attributes.get("strides", ())
    step = math.prod(strides) if isinstance(strides, tuple) else 1
    if node.op in ("Conv", "ConvTranspose") and len(shape := graph.weights.get(node.inputs[1], ())) > 1:
        group = node.attributes.get("group", 1)
        groups = group if isinstance(group, int) else 1
        if node.op == "Conv":
            return given[0] / (shape[1] * groups) * shape[0] / step, math.prod(shape[1:])
        return given[0] / shape[0] * shape[1] * groups * step, shape[0] / groups * math.prod(shape[2:]) / step
    if node.op.endswith("Pool"):
        return given[0] / step, step
    if node.op == "Resize":
        return given[0] * math.prod(graph.constants.get(node.inputs[2], (2.0, 2.0))), 1.0
    return (sum(given) if node.op == "Concat" else max(given)), 1.0


@dataclass(frozen=True)
class Share:
    """How the work is shared out.

    Attributes
    ----------
    tile : int
        The most pixels kept along each side of a tile, a multiple of the card's ``multiple``.
    runs : int
        Runs of the network at once.
    batch : int
        Samples in one run.
    threads : int
        Threads within a run.
    pixels : int or None
        The most pixels of a window; None where the tile bounds it alone.
    """

    tile: int
    runs: int
    batch: int = 1
    threads: int = 1
    pixels: int | None = None

    def bounded(self, tile: int | None) -> Share:
        """Return the same with a tile that is not larger than a given one."""
        return self if tile is None or tile >= self.tile else replace(self, tile=tile, pixels=None)


def speed_of(threads: int) -> float:
    """Return how many times faster a run is with several threads within it."""
    return threads / (1 + _SERIAL * (threads - 1))


def shares(budget: int, cost: float, card: Card, threads: int) -> list[Share]:
    """Return the ways to share a budget out: among one run at once with all threads, to as many runs as there are threads.

    Parameters
    ----------
    budget : int
        Memory for all runs together, in bytes.
    cost : float
        Memory of one run for each pixel of its window, in bytes (see `Demand.bytes`).
    card : Card
        The network's needs.
    threads : int
        Threads for all runs together.

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

    def way(runs: int) -> Share:
        pixels = int(budget / runs / cost)
        tile = max(math.isqrt(pixels) - edge, card.multiple) // card.multiple * card.multiple
        return Share(tile, runs, threads=threads // runs, pixels=pixels)

    return [way(runs) for runs in range(1, min(threads, budget // least) + 1)]


def share(budget: int, cost: float, card: Card, runs: int) -> Share:
    """Return the tile that fits a budget, and the number of runs at once for which it does.

    Parameters
    ----------
    budget, cost, card
        As for `shares`.
    runs : int
        Runs at once that are wished for; fewer are returned where their tiles would be so small that they took longer.

    Raises
    ------
    OptionError
        As for `shares`.
    """
    edge = 2 * margin(card)

    def speed(way: Share) -> float:  # more runs at once, but more of each window is margin
        return way.runs * (way.tile / (way.tile + edge)) ** 2

    return max(shares(budget, cost, card, runs), key=speed)


def sampling_share(budget: int, demand: Demand, card: Card, shape: tuple[int, int], runs: int) -> Share:
    """Return how many samples go together in one run, and the tile and runs at once that fit the budget then.

    Samples that go together need fewer runs, but leave room only for smaller tiles, with more margin. The answer does not depend
    on how many samples are drawn.

    Parameters
    ----------
    budget, card, runs
        As for `share`.
    demand : Demand
        What the network asks for.
    shape : tuple of int
        Height and width of the map, multiples of the card's ``multiple``.

    Raises
    ------
    OptionError
        As for `share`, with one sample.
    """
    once, each = demand.work

    def work(candidate: Share) -> float:
        tiles = plan(shape, card, candidate.tile, pixels=candidate.pixels)
        pixels = math.prod(tiles[0].shape)
        rounds = _MANY / candidate.batch / candidate.runs
        return len(tiles) * (pixels * once + rounds * (candidate.batch * pixels + _PIXELS_A_RUN) * each)

    found = [share(budget, demand.bytes(), card, runs)]
    for batch in range(2, _MOST_TOGETHER + 1):
        try:
            found.append(replace(share(budget, demand.bytes(batch), card, runs), batch=batch))
        except OptionError:  # too many together
            break
    least = min(map(work, found))
    return next(candidate for candidate in found if work(candidate) <= _WORTHWHILE * least)
