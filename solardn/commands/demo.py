"""``solardn demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options, report

if TYPE_CHECKING:
    from ..api import Denoiser
    from ..demo import Trust
    from ..summary import Summary


@click.command(
    short_help="Simulate an observation, denoise it, show what was gained.",
    epilog=options.examples("solardn demo --overwrite"),
)
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
    import time
    from importlib.util import find_spec

    from ..api import Denoiser
    from ..demo import FILES, errors, simulate
    from ..files import denoise_file
    from ..simulation import NOISE
    from .progress import shown

    begun = time.perf_counter()
    settings: dict[str, Any] = {
        "device": device,
        "precision": precision,
        "threads": threads,
        "tile": tile,
        "memory": memory,
    }
    denoiser = Denoiser(model, **settings)
    click.get_current_context().meta[options.LEFT] = f"what is in {dir} may be incomplete, --overwrite makes it anew"
    observation, clean = simulate(dir, overwrite=overwrite)
    result = dir / FILES[2]
    with shown(True) as watch:
        progress = watch(1, 1, observation)
        summary = denoise_file(observation, result, denoiser=denoiser, overwrite=overwrite, progress=progress)
    shape = "×".join(map(str, summary.cube.shape))
    click.echo(f"simulated   {observation}: {shape} (time, Stokes, wavelength, y, x), noise rms {NOISE:.3g}")
    click.echo(f"noise       estimated rms {summary.noise_sigma:.3g}")
    for letter, (before, after) in errors(observation, result, clean).items():
        click.echo(
            f"Stokes {letter}    error against the truth: {before:.3g} before, {after:.3g} after ({before / after:.1f} times less)"
        )
    found = _uncertainty(denoiser, settings, observation, clean, summary.noise_sigma)
    written = [observation, clean, result]
    if find_spec("matplotlib"):
        written += _pictures(dir, summary, found, observation, result)
    else:
        click.echo("pictures    need matplotlib; install it with: pip install 'solardn[plot]'")
    click.echo(
        f"network     {summary.network} on {summary.device}, {report.duration(time.perf_counter() - begun)} in all"
    )
    click.echo(f"files       {', '.join(map(str, written))}")


def _uncertainty(denoiser: Denoiser, settings: dict[str, Any], observation: Path, clean: Path, sigma: float) -> Trust:
    """Estimate the uncertainty of some maps, say how it compares with the true errors, and return it."""
    from ..api import Denoiser
    from ..demo import trust
    from ..model import DEFAULT, DEFAULT_WITH_UNCERTAINTY, available

    if denoiser.card.name == DEFAULT and DEFAULT_WITH_UNCERTAINTY in available():
        denoiser = Denoiser(DEFAULT_WITH_UNCERTAINTY, **settings)
    found = trust(denoiser, observation, clean, sigma)
    how = "20 samples of dropout" if found.method == "dropout" else "16 flipped and turned views, a stand-in"
    click.echo(
        f"uncertainty {found.network}, {how}: σ {found.sigma:.3g}, true error {found.error:.3g}; the truth lies within 1 σ at "
        f"{found.within_1:.0%} of the pixels, within 2 σ at {found.within_2:.0%} (Gaussian errors: 68 %, 95 %)"
    )
    return found


def _pictures(dir: Path, summary: Summary, found: Trust, observation: Path, result: Path) -> list[Path]:
    """Draw the pictures and write the report; return their places."""
    from ..coordinates import Coordinates
    from ..demo import CENTRE, FILES
    from ..page import write_report
    from ..plan import look_at
    from ..plots import uncertainty_picture
    from . import picture

    names = [dir / name for name in FILES[3:]]
    picture.draw(names[0], summary, observation)
    picture.draw(names[1], summary, observation, picture.SHEET)
    index = (CENTRE[0], 1, CENTRE[1])  # time, Stokes Q, wavelength
    with look_at(observation) as plan:
        where = Coordinates(plan)
        title, frame = f"{where.title(index)}, network {found.network}", where.frame(index)
    sigma = summary.noise_sigma
    uncertainty_picture(names[2], found.observation, found.mean, found.deviation, sigma, "", title, frame)
    write_report(observation, result, names[3], maps=3, overwrite=True)
    return names
