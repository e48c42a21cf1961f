"""``solardn denoise``."""

from __future__ import annotations

from typing import Any

import click

from . import completion, options, report


@click.command(
    short_help="Take the noise out of every map of a file.",
    epilog=options.examples(
        "solardn denoise observation.fits denoised.fits",
        "solardn denoise observation.fits denoised.fits --residual --quicklook picture.png --overwrite",
        "solardn denoise observation.fits denoised.fits --quicklook picture.pdf --quicklook-map stokes=V,wavelength=2 --overwrite",
        "solardn denoise map.npy clean.npy --noise-sigma 0.002",
        "solardn denoise observation.fits map.npy --output-dir out",
    )
    + report.keys_help(report.DENOISE_KEYS),
)
@click.argument("files", nargs=-1, metavar="INPUT OUTPUT", shell_complete=completion.files())
@options.network_options
@options.scaling_options
@options.cycles_option
@options.views_option
@options.cube_options
@options.form_options
@click.option(
    "--residual",
    is_flag=True,
    help="Write data − result as well: as the extension RESIDUAL in FITS, as OUTPUT.residual.npy beside a .npy file.",
)
@options.way_options
@options.quicklook_options("observation, result and residual of one map, their spectra and the residual's histogram")
@options.talk_options
def denoise(files: tuple[str, ...], *, cycles: Any, views: int, residual: bool, **choices: Any) -> None:
    """Take the noise out of every map of INPUT and write the result to OUTPUT.

    INPUT is a FITS file (also compressed), a .npy or .npz file, a La Palma cube, an HDF5 file or a zarr folder. OUTPUT has the same format, shape and header, and float32 values; it appears
    whole at the end, or not at all, and INPUT is never changed. With --output-dir there may be any number of inputs: those that fail
    are listed at the end, and the others are done. Files of one slit position each are put together to the maps of their raster.
    """
    from ..files import denoise_file
    from ..processes import Denoising
    from .treat import Treatment, treat

    own = {"cycles": cycles, "views": views, "residual": residual}
    made = Treatment(denoise_file, lambda network: Denoising(network, **own), own, report.denoise_figures)
    treat(files, made, **choices)
