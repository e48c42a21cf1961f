"""``python -m benchmarks gpu``: a network on a GPU, in onnxruntime and in PyTorch, on the device alone and from memory to memory."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import numpy as np

from solardn import session
from solardn.engine import Engine
from solardn.machine import usable_cpus
from solardn.model import DEFAULT, Model

from .networks import find, maps
from .peers import Maps, solardn_way
from .tables import Report, Table, folder, run_options
from .timing import Paired, paired
from .torchnet import TorchNetwork

_WANTED = (
    ("onnxruntime {}, on the device", "PyTorch {}, on the device", "0.8"),
    ("solardn {}, memory to memory", "onnxruntime {}, on the device", "0.5"),
    ("solardn {}, memory to memory", "PyTorch {}, memory to memory", ""),
)


@click.command()
@click.option("--model", default=DEFAULT, show_default=True, help="Network to run.")
@click.option("--device", default="cuda", show_default=True, help="The GPU; cpu to see that all works without one.")
@click.option("--side", default=2048, show_default=True, help="Height and width of the maps, in pixels.")
@click.option("--number", default=16, show_default=True, help="Maps of the cube that goes from memory to memory.")
@run_options
def gpu(model: str, device: str, side: int, number: int, quick: bool, output: Path | None) -> None:
    """Compare a network on a GPU with PyTorch on the same weights: throughput on the device, and of a cube in memory."""
    found = find(model)
    report = Report("gpu", f"python -m benchmarks gpu --device {device}{' --quick' * quick}")
    if importlib.util.find_spec("torch") is None:
        raise click.ClickException("PyTorch, which is compared here, is not installed: pip install torch")
    there = Engine(found, device).device
    side, number = (128, 3) if quick else (side, number)
    cube = maps(number, side, found)
    report.figures = {"device": there, "side": side, "number": number, "seconds": {}}
    for precision in ("fp32", *(("fp16",) if device != "cpu" else ())):
        torch = TorchNetwork(found, usable_cpus(), device, half=precision == "fp16", compiled=True)
        on_device: dict[str, Callable[[], object]] = {
            f"onnxruntime {precision}, on the device": _bound(found, device, precision, cube[:1, np.newaxis]),
            f"PyTorch {precision}, on the device": partial(torch.finish, torch.there(cube[:1, np.newaxis])),
        }
        solardn = solardn_way(found, device=device, precision=precision, memory="16GB")
        through: dict[str, Callable[[], object]] = {
            f"solardn {precision}, memory to memory": partial(solardn, cube),
            f"PyTorch {precision}, memory to memory": partial(_map_by_map, torch, cube),
        }
        times = [paired(ways, least=2, seconds=0.0 if quick else 10.0) for ways in (on_device, through)]
        report.tables += [_table(precision, times, side, number)]
        report.figures["seconds"] |= {name: values for one in times for name, values in one.times.items()}
    report.write(folder(output, quick))


def _bound(model: Model, device: str, precision: str, given: Maps) -> Callable[[], object]:
    """Return a run of onnxruntime from and to memory of the device."""
    import onnxruntime as ort

    kind, number = device.partition(":")[0], session.gpu_number(device)
    opened = session.on_cpu(model) if kind == "cpu" else session.on_cuda(model, device, precision)[0].session
    binding = opened.io_binding()
    binding.bind_ortvalue_input("map", ort.OrtValue.ortvalue_from_numpy(given, kind, number))
    found = ort.OrtValue.ortvalue_from_shape_and_type(given.shape, np.float32, kind, number)
    binding.bind_ortvalue_output("mean", found)
    return lambda: opened.run_with_iobinding(binding)


def _map_by_map(network: TorchNetwork, cube: Maps) -> list[Maps]:
    """Run PyTorch as a user would loop over a cube."""
    return [network(plane[np.newaxis, np.newaxis]) for plane in cube]


def _table(precision: str, times: list[Paired], side: int, number: int) -> Table:
    """Return throughput of each way, and the ratios that are wanted; they compare maps a second, not times of one call."""
    table = Table(f"{precision}, maps of {side}²", ("way", "Mpx/s", "in units of", "ratio", "wanted"))
    speeds = {
        name: one.spread(name).inverse(side**2 * maps_in / 1e6)
        for one, maps_in in zip(times, (1, number), strict=True)
        for name in one.times
    }
    for way, unit, least in _WANTED:
        this, other = way.format(precision), unit.format(precision)
        table.rows.append((this, speeds[this], other, speeds[this].median / speeds[other].median, least))
    last = f"PyTorch {precision}, on the device"
    table.rows.append((last, speeds[last], "", "", ""))
    return table
