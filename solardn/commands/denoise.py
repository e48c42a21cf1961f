"""``solardn denoise``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, report

if TYPE_CHECKING:
    from ..api import Denoiser
    from ..summary import Summary


@click.command(
    epilog=options.examples(
        "solardn denoise observation.fits denoised.fits",
        "solardn denoise observation.fits denoised.fits --residual --quicklook picture.png --overwrite",
        "solardn denoise observation.fits denoised.fits --quicklook picture.pdf --quicklook-map stokes=V,wavelength=2 --overwrite",
        "solardn denoise map.npy clean.npy --noise-sigma 0.002",
        "solardn denoise observation.fits map.npy --output-dir out",
    )
    + report.keys_help(report.DENOISE_KEYS)
)
@click.argument("files", nargs=-1, metavar="INPUT OUTPUT")
@options.network_options
@options.scaling_options
@options.cycles_option
@options.cube_options
@options.form_options
@click.option(
    "--residual",
    is_flag=True,
    help="Write data − result as well: as the extension RESIDUAL in FITS, as OUTPUT.residual.npy beside a .npy file.",
)
@click.option(
    "--inspect/--no-inspect",
    default=True,
    show_default=True,
    help="See of a sample of maps whether what was taken away is noise; 'solardn inspect' looks at more of them.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where the same command was killed, and keep what is done when this one is interrupted.",
)
@click.option(
    "--output-dir",
    type=options.PATH,
    metavar="DIR",
    help="Denoise any number of inputs (also folders, patterns like '*.fits', and @LIST, a text file with one name a line) into DIR, under their names.",
)
@click.option(
    "--profile",
    is_flag=True,
    help="Show where the time went, stage by stage, and draw it as OUTPUT.profile.png where matplotlib is installed.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be done to each input, as 'solardn info' does.")
@options.output_options
@options.talk_options
def denoise(
    files: tuple[str, ...],
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
    quicklook: Path | None,
    quicklook_map: str | None,
    quiet: bool,
    verbose: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Take the noise out of every map of INPUT and write the result to OUTPUT.

    INPUT is a FITS file (also compressed), a .npy or .npz file, a La Palma cube, an HDF5 file or a zarr folder. OUTPUT has the same format, shape and header, and float32 values; it appears
    whole at the end, or not at all, and INPUT is never changed. With --output-dir there may be any number of inputs: those that fail
    are listed at the end, and the others are done. Files of one slit position each are put together to the maps of their raster.
    """
    if output_dir is None and len(files) != 2:
        raise click.UsageError("give INPUT and OUTPUT, or any number of inputs and --output-dir DIR")
    if output_dir is not None and quicklook:
        raise click.UsageError("--quicklook draws a map of one file; leave it out with --output-dir")
    if output_dir is not None and profile:
        raise click.UsageError("--profile follows the time of one file; leave it out with --output-dir")
    if quicklook_map is not None and not quicklook:
        raise click.UsageError("--quicklook-map chooses what --quicklook FILE.png draws; give both")
    from ..api import Denoiser
    from ..files import denoise_file
    from ..many import expand
    from ..rasters import gather
    from . import picture
    from . import profile as profiles
    from .info import show
    from .progress import shown

    if quicklook:
        picture.check(quicklook, [Path(name) for name in files], quicklook_map, **choices)
    denoiser = Denoiser(model, device=device, precision=precision, threads=threads, tile=tile, memory=memory)
    if dry_run:
        for unit in gather(expand(files[:1] if output_dir is None else files), choices["ext"], choices["axes"]):
            show(unit, denoiser, as_json=as_json, **choices)
        return
    if output_dir is not None:
        _many(files, output_dir, denoiser, quiet, as_json, choices)
        return
    given, output = map(Path, files)
    if profile:
        profiles.check(output, given, overwrite=choices["overwrite"])
    with shown(not quiet) as watch:
        summary = denoise_file(given, output, denoiser=denoiser, progress=watch(1, 1, given), **choices)
    if quicklook:
        picture.draw(quicklook, summary, given, quicklook_map, **choices)
    if as_json:
        report.print_json(report.denoise_figures(summary, denoiser))
    elif not quiet:
        for one in (summary, *summary.others):
            _say(one, denoiser, verbose)
        for why in summary.left:
            click.echo(f"left as it is: {why}")
        if profile:
            profiles.show(summary, output)


def _many(
    files: tuple[str, ...], output_dir: Path, denoiser: Denoiser, quiet: bool, as_json: bool, choices: dict[str, Any]
) -> None:
    """Denoise many files, and fail at the end when one did."""
    from ..errors import SolardnError
    from ..many import denoise_files
    from .progress import shown

    with shown(not quiet) as watch:
        outcome = denoise_files(files, output_dir, denoiser=denoiser, watch=watch, **choices)
    if as_json:
        report.print_json(
            {
                "files": [report.denoise_figures(summary, denoiser) for summary in outcome.done],
                "skipped": [str(path) for path in outcome.skipped],
                "failed": [{"input": str(path), "error": str(error)} for path, error in outcome.failed],
            }
        )
    elif not quiet:
        for summary in outcome.done:
            others = f" and {len(summary.outputs) - 1} more" if len(summary.outputs) > 1 else ""
            click.echo(
                f"{summary.outputs[0]}{others}  {summary.denoised} maps, noise rms {summary.noise_sigma:.4g} {summary.unit}"
            )
        skipped = f", {len(outcome.skipped)} were done before" if outcome.skipped else ""
        click.echo(f"{outcome.files} files denoised{skipped}")
    for _, error in outcome.failed:
        click.echo(f"failed: {error}", err=True)
    if outcome.failed:
        count = outcome.files + len(outcome.skipped) + len(outcome.failed)
        raise SolardnError(f"{len(outcome.failed)} of {count} files failed, as said above; the others are done")


def _say(summary: Summary, denoiser: Denoiser, verbose: bool) -> None:
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
            f"  missing   {100 * summary.missing:.2g} % of the pixels hold no value (not finite, fills, masked) and stay as they are"
        )
    _say_inspection(summary)
    click.echo(
        f"  network   {summary.network}, {_passes(summary)}, on {summary.device}, {report.duration(summary.seconds)}, {speed:.2g} Mpx/s"
    )
    if verbose:
        click.echo(f"  device    {summary.why}")
        click.echo(f"  tile      {summary.tile} pixels, memory {report.size(denoiser.memory)}")
        for level in summary.levels:
            name = f"{level.stokes} {level.wavelength}".strip()
            how = f"from {level.maps} maps" if level.maps else "not estimated from its own maps"
            click.echo(f"  level     {name}: {level.noise_sigma:.4g}{unit}, {how}")


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
    """Return how many passes of the network the maps got."""
    passes = sorted({record.cycles for record in summary.maps if record.cycles})
    words = f"{passes[0]} cycle{'s' * (passes[-1] > 1)}"
    return words if len(passes) == 1 else f"{passes[0]} to {passes[-1]} cycles"
