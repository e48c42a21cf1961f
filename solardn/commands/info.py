"""``solardn info``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, report
from .options import ALL

if TYPE_CHECKING:
    from ..api import Denoiser
    from ..arrays import Cycles
    from ..io import Input
    from ..io.form import Form
    from ..io.frames import Frames
    from ..plan import Plan
    from ..processes import Process


@click.command(
    short_help="Show what would be done to a file; nothing is written.",
    epilog=options.examples("solardn info observation.fits", "solardn info observation.fits --json")
    + report.keys_help(report.INFO_KEYS),
)
@click.argument("input", type=options.PATH)
@options.network_options
@options.scaling_options
@options.cycles_option
@options.views_option
@options.cube_options
@options.form_options
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON; its keys stand below.")
def info(
    input: Path,
    *,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    tile: Any,
    memory: str,
    cycles: Cycles,
    views: int,
    as_json: bool,
    **choices: Any,
) -> None:
    """Show what would be done to INPUT, a file or a folder: axes, maps, noise level, tiles, memory, device, time. Nothing is written."""
    from ..api import Denoiser
    from ..many import expand
    from ..processes import Denoising
    from ..rasters import gather

    denoiser = Denoiser(model, device=device, precision=precision, threads=threads, tile=tile, memory=memory)
    paths = expand([input])
    units = gather(paths, choices["ext"], choices["axes"])
    process = Denoising(denoiser, cycles, views)
    show_all([(unit, None) for unit in units], paths != [input], denoiser, process, as_json, **choices)


def show_all(
    units: Sequence[tuple[Path | Frames, str | Path | None]],
    many: bool,
    denoiser: Denoiser,
    process: Process,
    as_json: bool,
    done: Sequence[Path] = (),
    **choices: Any,
) -> None:
    """Print what would be done to files and written to their outputs: as JSON one object, of a list where ``many`` could have been meant.

    Files that an earlier run has done, which would be left out, are counted.
    """
    from ..errors import SolardnError
    from ..rasters import files_of

    found: list[dict[str, Any]] = []
    left: list[str] = []
    failed: list[tuple[Path, SolardnError]] = []
    for path, output in units:
        settings = {**choices, "output": output, "as_json": as_json}
        try:
            if choices["ext"] == ALL and isinstance(path, Path):
                images, reasons = _show_every(path, denoiser, process, settings)
                found += images
                left += reasons
            else:
                found.append(_show(path, denoiser, process, **settings))
        except SolardnError as error:
            if not many:
                raise
            failed += [(one, error) for one in files_of(path)]
    if as_json and (many or len(units) > 1 or choices["ext"] == ALL):
        skipped = [str(path) for path in done]
        report.print_json({"files": found, "left": left, "skipped": skipped, "failed": report.failures(failed)})
    elif as_json:
        report.print_json(found[0])
    elif done:
        click.echo(f"{len(done)} file{'s were' if len(done) > 1 else ' was'} done before and would be left out")
    report.tell_failed(failed, len(found) + len(done))


def _show(
    path: Input,
    denoiser: Denoiser,
    process: Process,
    *,
    noise_sigma: Any,
    scale: float | None,
    noise_map: str,
    as_json: bool,
    output: str | Path | None,
    **choices: Any,
) -> dict[str, Any]:
    """Return what would be done to a file, and written to an output, printed where no JSON is asked for; other options are left aside."""
    import statistics

    from ..destination import check_form
    from ..familiar import warn
    from ..io.form import chosen_form
    from ..levels import find_levels
    from ..plan import look_at

    form = chosen_form(choices["output_dtype"], choices["compress"])
    chosen = {key: choices[key] for key in ("ext", "axes", "stokes", "fill_value", "mask_ext")}
    with (
        look_at(path, noise_map=noise_map, **chosen) as plan,
        denoiser.runner.beside(plan.keep_within(denoiser.memory)),
    ):
        check_form(plan, process.layers, form)
        plan.check_size(denoiser.card)
        found = find_levels(plan, denoiser, noise_sigma, scale, noise_map)
        said, levels = warn(plan, denoiser, found), list(found.values())
        sigma = statistics.median(level.noise_sigma for level in levels)
        missing, seconds = _try_one(plan, denoiser, process, sigma)
        images = 1 + len(process.layers)
        places = _places(plan, output, process.layers, form, choices) if output else ([], None)
        figures = report.info_figures(plan, denoiser, levels, sigma, missing, seconds, form, said, images, *places)
    if not as_json:
        _say(figures, process.words, choices["fill_value"])
    return figures


def _places(
    plan: Plan, output: str | Path, layers: Sequence[str], form: Form, choices: dict[str, Any]
) -> tuple[list[str], str | None]:
    """Return the files that would be written, and why that would be refused."""
    from ..destination import checked_place
    from ..errors import OutputError

    try:
        if Path(output).parent.exists() or not choices.get("output_dir"):  # that for many outputs is made
            checked_place(
                plan,
                output,
                layers,
                form,
                overwrite=choices.get("overwrite", False),
                resume=choices.get("resume", False),
            )
        refused = None
    except OutputError as error:
        refused = str(error)
    return [str(path) for path in plan.source.outputs(Path(output), layers)], refused


def _show_every(
    path: Path, denoiser: Denoiser, process: Process, settings: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what would be done to each image of a FITS file, and why some stay as they are."""
    from ..errors import InputError, OptionError
    from ..every import check_some, images_in

    found: list[dict[str, Any]] = []
    left: list[str] = []
    with images_in(path, settings) as (file, numbers):
        for number in numbers:
            try:
                found.append(_show(file, denoiser, process, **settings | {"ext": number}))
            except (InputError, OptionError) as error:
                left.append(str(error))
                if not settings["as_json"]:
                    click.echo(f"left as it is: {error}")
    check_some(path, found, left)
    return found, left


def _try_one(
    plan: Plan, denoiser: Denoiser, process: Process, sigma: float
) -> tuple[tuple[float, tuple[float, ...]], float]:
    """Return the part of pixels without value in the map in the middle and its fills, and the time that all maps would take, measured on it."""
    import numpy as np

    index = plan.middle
    plane = plan.read_map(index)
    absent, fills = plan.found_missing(index, plane)
    part = np.where(absent, 0, plane)[:1024, :1024]
    denoiser.engine.device  # noqa: B018 - opens the session, which belongs to no map
    with plan.naming(index):
        seconds = process.seconds(part, denoiser.card.input_sigma / sigma)
    return (float(absent.mean()), fills), seconds * plan.n_denoised * plane.size / part.size


def _say(figures: dict[str, Any], words: str, fill_value: str) -> None:
    from rich.table import Table

    from ..io.room import size_words
    from ..summary import fill_words

    unit = f" {figures['unit']}" if figures["unit"] else ""
    height, width = figures["map_shape"]
    kept = figures["maps"] - figures["denoised"]
    named = fill_value not in ("auto", "none") and not figures["fills"]
    unseen = f"; none of them is the fill value {fill_value}" if named else ""
    table = Table(box=None, pad_edge=False)
    for title in ("axis", "FITS axis", "length", "type", "role"):
        table.add_column(title, justify="right" if title in ("axis", "FITS axis", "length") else "left")
    for axis in figures["axes"]:
        table.add_row(str(axis["number"]), str(axis["fits"]), str(axis["length"]), axis["type"] or "–", axis["role"])
    click.echo(f"{figures['input']}: {figures['stored']}{unit}")
    report.print_table(table)
    said = {
        "axes": figures["axes_how"],
        "maps": f"{figures['denoised']} of {height} × {width} pixels to denoise"
        + (f" (Stokes {', '.join(figures['stokes'])}), {kept} to copy" if kept else ""),
        "noise": f"rms {figures['noise_sigma']:.4g}{unit}{_range(figures['levels'])}",
        "missing": f"{figures['missing']:.2%} of the pixels of the map in the middle ({fill_words(figures['fills'])}not finite, fills, masked){unseen}",
        "scale": f"{figures['scale']:.4g} to the network's units",
        "network": f"{figures['network']}, {words}",
        "tiles": f"{figures['tile']} pixels, memory up to {size_words(figures['memory'])}",
        "device": f"{figures['device']} ({figures['device_why']})",
        "time": f"about {report.duration(figures['seconds'])}",
        "output": f"{figures['output']}; {size_words(figures['output_bytes'])}",
    }
    if figures["outputs"]:
        first, *more = figures["outputs"]
        said["files"] = first + (
            f" and {len(more)} more: {', '.join(more[:3])}{', …' * (len(more) > 3)}" if more else ""
        )
    if figures["refused"]:
        said["refused"] = figures["refused"]
    for key, value in said.items():
        click.echo(f"{key:<8} {value}")


def _range(levels: list[dict[str, Any]]) -> str:
    sigmas = [level["noise_sigma"] for level in levels]
    return (
        f" (from {min(sigmas):.4g} to {max(sigmas):.4g} over {len(sigmas)} groups of maps)" if len(sigmas) > 1 else ""
    )
