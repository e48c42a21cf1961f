"""What commands that make files of files have in common: one input, many inputs, or only a look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, report

if TYPE_CHECKING:
    from ..api import Denoiser
    from ..io.frames import Frames
    from ..processes import Process
    from ..summary import Summary


@dataclass(frozen=True)
class Treatment:
    """What a command does to each file.

    Attributes
    ----------
    one : callable
        As `solardn.denoise_file`.
    process : callable
        Makes, of a network, the process that ``one`` would use; refuses what the network cannot do.
    choices : dict
        Arguments of ``one``.
    figures : callable
        Makes JSON of a summary.
    say : callable
        Prints lines of its own about a summary.
    """

    one: Callable[..., Summary]
    process: Callable[[Denoiser], Process]
    choices: dict[str, Any]
    figures: Callable[[Summary, Denoiser], dict[str, Any]]
    say: Callable[[Summary], None] = lambda summary: None


def treat(
    files: tuple[str, ...],
    treatment: Treatment,
    *,
    output_dir: Path | None,
    dry_run: bool,
    profile: bool,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    tile: Any,
    memory: str,
    quicklook: str | None,
    quicklook_map: str | None,
    quiet: bool,
    verbose: bool,
    as_json: bool,
    **shared: Any,
) -> None:
    """Run a command."""
    if not all(files):
        raise click.UsageError("the name of a file is empty; a variable that is not set, perhaps")
    if output_dir is None and len(files) != 2:
        raise click.UsageError("give INPUT and OUTPUT, or any number of inputs and --output-dir DIR")
    several = "--output-dir" if output_dir is not None else "--ext all" if shared["ext"] == options.ALL else ""
    if several and quicklook:
        raise click.UsageError(f"--quicklook draws a map of one file and one image in it; leave it out with {several}")
    if several and profile:
        raise click.UsageError(
            f"--profile follows the time of one file and one image in it; leave it out with {several}"
        )
    if quicklook_map is not None and not quicklook:
        raise click.UsageError("--quicklook-map chooses what --quicklook FILE.png draws; give both")
    from ..api import Denoiser
    from ..many import expand, notes, output_places
    from ..rasters import files_of, gather
    from . import picture
    from . import profile as profiles
    from .info import show_all
    from .progress import shown

    if quicklook:
        picture.check(quicklook, [Path(name) for name in files], quicklook_map, **shared)
    denoiser = Denoiser(model, device=device, precision=precision, threads=threads, tile=tile, memory=memory)
    process = treatment.process(denoiser)
    choices = {**shared, **treatment.choices}
    if dry_run:
        paths = expand(files) if output_dir else [Path(files[0])]
        residual = treatment.choices.get("residual", False)
        places = output_places(paths, output_dir, treatment.one, residual=residual) if output_dir else {}
        units = gather(paths, shared["ext"], shared["axes"])
        done: list[Path | Frames] = []
        if output_dir and shared["resume"]:
            finished = notes(files, output_dir, treatment.one, denoiser, **choices)
            done = [unit for unit in units if finished.has_all(files_of(unit), places)]
        left = [(unit, places[files_of(unit)[0]] if output_dir else files[1]) for unit in units if unit not in done]
        skipped = [path for unit in done for path in files_of(unit)]
        show_all(left, output_dir is not None, denoiser, process, as_json, skipped, output_dir=output_dir, **shared)
        return
    if shared["resume"]:
        click.get_current_context().meta[options.LEFT] = "run the same command to go on"
    elif output_dir is not None:
        click.get_current_context().meta[options.LEFT] = (
            "finished files are kept, with --resume the same command goes on"
        )
    if output_dir is not None:
        _many(files, output_dir, denoiser, treatment, quiet, verbose, as_json, choices)
        return
    given, output = Path(files[0]), files[1]  # which may end in a slash, that pathlib drops
    if profile:
        profiles.check(Path(output), given, overwrite=shared["overwrite"])
    with shown(not quiet) as watch:
        summary = treatment.one(given, output, denoiser=denoiser, progress=watch(1, 1, given), **choices)
    if as_json:
        report.print_json(treatment.figures(summary, denoiser))
    elif not quiet:
        _tell(summary, denoiser, treatment, verbose, whole=True)
        _say_unrecorded([summary])
    click.get_current_context().meta[options.LEFT] = "the result is there, whole"
    if quicklook:  # now that all is told of the result, which stays when the picture fails
        picture.draw(Path(quicklook), summary, given, quicklook_map, **shared)
        if not (quiet or as_json):
            click.echo(f"  picture   {quicklook}")
    if profile:
        profiles.show(summary, Path(output), silent=quiet or as_json)


def _many(
    files: tuple[str, ...],
    output_dir: Path,
    denoiser: Denoiser,
    treatment: Treatment,
    quiet: bool,
    verbose: bool,
    as_json: bool,
    choices: dict[str, Any],
) -> None:
    """Treat many files, and fail at the end when one did."""
    from ..many import denoise_files
    from .progress import shown

    def tell(summary: Summary) -> None:
        _tell(summary, denoiser, treatment, verbose, whole=verbose)

    told = None if quiet or as_json else tell  # at once: a log tells what was done also when the run is killed
    with shown(not quiet) as watch:
        outcome = denoise_files(
            files, output_dir, one=treatment.one, denoiser=denoiser, watch=watch, told=told, **choices
        )
    if as_json:
        report.print_json(
            {
                "files": [treatment.figures(summary, denoiser) for summary in outcome.done],
                "skipped": [str(path) for path in outcome.skipped],
                "failed": report.failures(outcome.failed),
            }
        )
    elif not quiet:
        skipped = f", {len(outcome.skipped)} were done before" if outcome.skipped else ""
        click.echo(f"{outcome.files} file{'s' * (outcome.files != 1)} denoised{skipped}")
        _say_unrecorded(outcome.done)
    report.tell_failed(
        outcome.failed,
        outcome.files + len(outcome.skipped),
        "the others are done, and with --resume the same command leaves them out",
    )


def _tell(summary: Summary, denoiser: Denoiser, treatment: Treatment, verbose: bool, *, whole: bool) -> None:
    """Say what a file came to, image by image: whole, or in a line each."""
    for one in (summary, *summary.others):
        if whole:
            _say(one, denoiser, treatment, verbose)
        else:
            click.echo(_line(one, named=bool(summary.others) or len(one.outputs) > 1))
    for why in summary.left:
        click.echo(f"left as it is: {why}")


def _line(summary: Summary, *, named: bool) -> str:
    """Return what one of many inputs came to, in one line; named where its output does not tell it: which image, or how files were put together."""
    given = f"{summary.label} → " if named else ""
    more = f" and {len(summary.outputs) - 1} more" if len(summary.outputs) > 1 else ""
    unit = f" {summary.unit}" if summary.unit else ""
    seen = summary.inspection
    verdict = "" if seen is None else f"; residual: {seen if isinstance(seen, str) else seen.short}"
    return f"{given}{summary.outputs[0]}{more}  {summary.denoised} maps, noise rms {summary.noise_sigma:.4g}{unit}{verdict}"


def _say(summary: Summary, denoiser: Denoiser, treatment: Treatment, verbose: bool) -> None:
    from ..io.room import size_words
    from ..summary import fill_words

    cube = summary.cube
    left = cube.n_maps - summary.denoised
    unit = f" {summary.unit}" if summary.unit else ""
    speed = summary.pixels / summary.seconds / 1e6
    click.echo(f"{summary.label} → {', '.join(map(str, summary.outputs))}")
    click.echo(
        f"  maps      {summary.denoised} of {cube.map_shape[0]} × {cube.map_shape[1]} pixels denoised"
        + (f", {left} copied" if left else "")
    )
    click.echo(f"  axes      {cube.how}")
    click.echo(f"  noise     rms {summary.noise_sigma:.4g}{unit}; residual {summary.residual_ratio:.3g} times that")
    if summary.missing:
        click.echo(
            f"  missing   {summary.missing:.2%} of the pixels hold no value ({fill_words(summary.fills)}not finite, fills, masked) and stay as they are"
        )
    _say_inspection(summary)
    treatment.say(summary)
    click.echo(
        f"  network   {summary.network}{_passes(summary)}, on {summary.device}, {report.duration(summary.seconds)}, {speed:.2g} Mpx/s"
    )
    if verbose:
        click.echo(f"  device    {summary.why}")
        click.echo(f"  tile      {summary.tile} pixels, memory {size_words(denoiser.memory)}")
        for level in summary.levels:
            name = f"{level.stokes} {level.wavelength}".strip()
            how = f"from {level.maps} maps" if level.maps else "not estimated from its own maps"
            click.echo(f"  level     {name}: {level.noise_sigma:.4g}{unit}, {how}")


def _say_unrecorded(done: Sequence[Summary]) -> None:
    """Say that a format has no room for what was done."""
    if any(summary.outputs[0].suffix.lower() == ".npy" for summary in done):
        click.echo("  record    .npy files have no room for what was done; --json prints it, keep that beside them")


def _say_inspection(summary: Summary) -> None:
    """Say what the residuals are like, each verdict once."""
    seen = summary.inspection
    if seen is None:
        return
    if isinstance(seen, str):
        click.echo(f"  residual  {seen}")
        return
    kinds: dict[str, list[str]] = {}
    for line in seen.lines:
        kinds.setdefault(line.words, []).append(line.name)
    for words, names in kinds.items():
        which = f" ({', '.join(names)})" if any(names) and len(kinds) > 1 else ""
        click.echo(f"  residual  {words}{which}")


def _passes(summary: Summary) -> str:
    """Return how many passes of the network the maps got, where that was to be chosen."""
    if "cycles" not in summary.parameters:
        return ""
    from ..views import over

    passes = sorted({record.cycles for record in summary.maps if record.cycles})
    words = f"{passes[0]} cycle{'s' * (passes[-1] > 1)}" if len(passes) == 1 else f"{passes[0]} to {passes[-1]} cycles"
    return f", {words}{over(summary.parameters['views'])}"
