"""``solardn uncertainty``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import completion, options, report

if TYPE_CHECKING:
    from ..summary import Summary


@click.command(
    short_help="Denoise, and tell how far to trust the result.",
    epilog=options.examples(
        "solardn uncertainty observation.fits result.fits --samples 50",
        "solardn uncertainty map.npy result.npz --samples 20 --seed 7 --quicklook picture.png",
        "solardn uncertainty observation.fits quick.fits --samples 0",
        "solardn uncertainty observation.fits flips.fits --method flips --model stokes",
    )
    + report.keys_help(report.UNCERTAINTY_KEYS),
)
@click.argument("files", nargs=-1, metavar="INPUT OUTPUT", shell_complete=completion.files())
@click.option(
    "--samples",
    type=int,
    metavar="N",
    default=50,
    show_default=True,
    help="Samples of the network, each with dropout masks of its own; 0 for one pass that gives the aleatoric part alone.",
)
@click.option(
    "--seed",
    type=int,
    metavar="N",
    default=0,
    show_default=True,
    help="Which masks; the same seed gives the same bits on a CPU, whatever the tiles and threads.",
)
@click.option(
    "--method",
    metavar="dropout|flips",
    default="dropout",
    show_default=True,
    help="flips works with any network: the spread over 16 views of a map (both signs, mirrored, turned) stands in for the epistemic part.",
)
@options.uncertain_network_options
@options.scaling_options
@options.cube_options
@options.form_options
@options.way_options
@options.quicklook_options("observation, mean, σ, and |mean|/σ with the contour at 3 of one map")
@options.talk_options
def uncertainty(files: tuple[str, ...], *, samples: int, seed: int, method: str, **choices: Any) -> None:
    """Denoise every map of INPUT, and write to OUTPUT the mean and how far to trust it.

    FITS: the mean in place of the data, the standard deviations (1 σ, in the data's units) as extensions: UNCERT, the total, which
    astropy's CCDData.read finds by itself; ALEATORIC, by the noise of the data; EPISTEMIC, by the network. A .npy INPUT gives a .npz OUTPUT
    with mean, sigma, aleatoric and epistemic. Everything else is as for 'solardn denoise'.
    """
    from ..files import uncertainty_file
    from ..processes import Estimation
    from .treat import Treatment, treat

    own: dict[str, Any] = {"samples": samples, "seed": seed, "method": method}
    made = Treatment(
        uncertainty_file,
        lambda network: Estimation(network, **own),
        own,
        report.uncertainty_figures,
        _say,
    )
    treat(files, made, **choices)


def _say(summary: Summary) -> None:
    figures = report.deviations(summary)
    unit = f" {summary.unit}" if summary.unit else ""
    if figures["sigma_median"] is not None:
        ratio = figures["sigma_median"] / summary.noise_sigma
        click.echo(
            f"  sigma     {figures['sigma_median']:.3g}{unit} (median), {ratio:.2g} times the noise: {summary.parameters['sigma']}"
        )
    click.echo(f"  samples   {summary.words}")
