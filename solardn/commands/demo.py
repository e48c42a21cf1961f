"""``solardn demo``."""

from __future__ import annotations

from pathlib import Path

import click

from . import options, report


@click.command(epilog=options.examples("solardn demo --overwrite"))
@click.argument("dir", type=options.PATH, default="solardn-demo")
@options.network_options
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier demo.")
def demo(
    dir: Path,
    *,
    model: str,
    device: str,
    precision: str,
    threads: int | None,
    tile: int | str,
    memory: str,
    overwrite: bool,
) -> None:
    """Simulate an observation whose truth is known, denoise it, and show what was gained; the files go to DIR (solardn-demo)."""
    from importlib.util import find_spec

    from ..api import Denoiser
    from ..demo import NOISE, errors, simulate
    from ..files import denoise_file
    from . import picture
    from .progress import shown

    denoiser = Denoiser(model, device=device, precision=precision, threads=threads, tile=tile, memory=memory)  # type: ignore[arg-type]
    observation, clean = simulate(dir, overwrite=overwrite)
    result = dir / "denoised.fits"
    with shown(True) as watch:
        progress = watch(1, 1, observation)
        summary = denoise_file(observation, result, denoiser=denoiser, overwrite=overwrite, progress=progress)
    click.echo(f"noise      simulated rms {NOISE:.3g}, estimated {summary.noise_sigma:.3g}")
    for letter, (before, after) in errors(observation, result, clean).items():
        click.echo(
            f"Stokes {letter}   error against the truth: {before:.3g} before, {after:.3g} after ({before / after:.1f} times less)"
        )
    click.echo(f"network    {summary.network} on {summary.device}, {report.duration(summary.seconds)}")
    written = [observation, clean, result]
    if find_spec("matplotlib"):
        written.append(dir / "picture.png")
        picture.draw(written[-1], summary, observation)
    else:
        click.echo("picture    needs matplotlib; install it with: pip install 'solardn[plot]'")
    click.echo(f"files      {', '.join(map(str, written))}")
