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
        "solardn denoise map.npy clean.npy --noise-sigma 0.002",
    )
    + report.keys_help(report.DENOISE_KEYS)
)
@click.argument("input", type=options.PATH)
@click.argument("output", type=options.PATH)
@options.network_options
@options.scaling_options
@options.cycles_option
@options.cube_options
@click.option(
    "--residual",
    is_flag=True,
    help="Write data − result as well: as the extension RESIDUAL in FITS, as OUTPUT.residual.npy beside a .npy file.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where the same command was killed, and keep what is done when this one is interrupted.",
)
@options.output_options
@options.talk_options
def denoise(
    input: Path,
    output: Path,
    *,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    tile: Any,
    memory: str,
    quicklook: Path | None,
    quiet: bool,
    verbose: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Take the noise out of every map of INPUT and write the result to OUTPUT.

    INPUT is a FITS file (also compressed) or a .npy array. OUTPUT has the same format, shape and header, and float32 values; it appears
    whole at the end, or not at all, and INPUT is never changed.
    """
    from ..api import Denoiser
    from ..files import denoise_file
    from . import picture
    from .progress import shown

    if quicklook:
        picture.check(quicklook, [input, output], overwrite=choices["overwrite"])
    denoiser = Denoiser(model, device=device, precision=precision, threads=threads, tile=tile, memory=memory)
    with shown(not quiet, "denoising") as progress:
        summary = denoise_file(input, output, denoiser=denoiser, progress=progress, **choices)
    if quicklook:
        picture.draw(quicklook, summary)
    if as_json:
        report.print_json(report.denoise_figures(summary, denoiser))
    elif not quiet:
        _say(summary, denoiser, verbose)


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
    click.echo(
        f"  network   {summary.network} on {summary.device}, {report.duration(summary.seconds)}, {speed:.2g} Mpx/s"
    )
    if verbose:
        click.echo(f"  device    {summary.why}")
        click.echo(f"  tile      {summary.tile} pixels, memory {report.size(denoiser.memory)}")
        for level in summary.levels:
            name = f"{level.stokes} {level.wavelength}".strip()
            how = f"from {level.maps} maps" if level.maps else "not estimated from its own maps"
            click.echo(f"  level     {name}: {level.noise_sigma:.4g}{unit}, {how}")
