"""From file to file, by one function each; see `solardn.treat` for how it goes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .api import Denoiser
from .arrays import Cycles, checked_cycles
from .errors import OptionError
from .io.form import chosen_form
from .levels import NoiseSigma
from .model import DEFAULT, DEFAULT_WITH_UNCERTAINTY
from .noisemap import NOISE_MAP
from .processes import Denoising, Estimation
from .summary import Summary
from .treat import Manner, Noise, Treatment, treat
from .views import checked_views
from .work import Progress

if TYPE_CHECKING:
    from .io.frames import Frames


def denoise_file(
    input: str | os.PathLike[str] | Frames,
    output: str | os.PathLike[str],
    *,
    model: str | Path = DEFAULT,
    noise_sigma: NoiseSigma = "auto",
    scale: float | None = None,
    noise_map: str | os.PathLike[str] = NOISE_MAP,
    cycles: Cycles = 1,
    views: int = 1,
    stokes: str | None = None,
    ext: str | int | None = None,
    axes: str | None = None,
    fill_value: float | str = "auto",
    mask_ext: str | int | None = None,
    residual: bool = False,
    output_dtype: str = "float32",
    compress: str | None = None,
    inspect: bool = True,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    denoiser: Denoiser | None = None,
    **options: Any,
) -> Summary:
    """Take the noise out of every map of a file.

    Parameters
    ----------
    input, output : path
        FITS (also compressed) or ``.npy``, or the steps of a raster (see `solardn.rasters`; the output is then the place of the first
        one, and the others come beside it); the output has the input's format, shape and header, and float32 values.
    model : str or path
        Name of a network, or an ONNX file.
    noise_sigma : float or Quantity, "auto" or "per-map"
        rms of the noise, in the data's units; estimated for each Stokes parameter and wavelength by default, so that photometry stays
        consistent over a series, or for each map.
    scale : float, optional
        Factor from the data's units to the network's, given outright; excludes `noise_sigma`.
    noise_map : "auto", "off", path or str
        Noise that varies over the field is made even before the network and uneven again after it. ``auto`` finds it with the noise level,
        and does so where it varies strongly; or the rms of the noise at every pixel in the data's units, as a file or as the name of a
        FITS extension of the input, of the data's shape or of that of their last axes.
    cycles : int or "auto"
        Passes of the network; each after the first runs on the residual. ``auto`` decides for each map (see `solardn.cycles`).
    views : int
        Over how many views of a map each pass is the mean: 1, 2, 4, 8 or 16 (see `solardn.views`).
    stokes : str, optional
        Stokes parameters to denoise, ``"QUV"`` by default; the others are copied.
    ext : str or int, optional
        FITS extension; by default the first image of at least two dimensions. ``all`` takes every image of the file, each with its own
        axes and noise; those without maps or noise stay as they are, which `Summary.left` tells.
    axes : str, optional
        Roles of the axes where the header is silent or wrong, as ``"y=3,x=4,stokes=1"`` (0 is the slowest axis).
    fill_value : float, "auto" or "none"
        The value of pixels that hold none: they stay as they are, and nothing of them reaches their neighbours. By default values that
        fill a solid region at the maps' edges are found; pixels that are not finite never count.
    mask_ext : str or int, optional
        FITS extension with a mask: pixels where it is not 0 hold no value either.
    residual : bool
        Write data − result as well: extension ``RESIDUAL`` in FITS, ``OUTPUT.residual.npy`` for ``.npy``.
    output_dtype : "float32" or "float64"
        Type of the values in the output; they are computed in float32.
    compress : "rice" or "gzip", optional
        Compress FITS images by tiles: ``gzip`` keeps all bits, ``rice`` rounds to steps of 1/16 of the least rms of the noise.
    inspect : bool
        See of a sample of maps whether what was taken away is noise; the verdict is in the summary and in the output's header and table.
    overwrite : bool
        Replace an output that exists.
    resume : bool
        Go on where an earlier run with the same arguments was killed; and keep what is done when this one fails.
    progress : callable, optional
        Called after each map with maps done, maps in all, pixels denoised.
    denoiser : Denoiser, optional
        One at hand, which may serve many files; instead of `model` and `options`.
    **options
        As for `Denoiser`: device, precision, threads, tile, memory.

    Returns
    -------
    Summary

    Raises
    ------
    SolardnError
        One of its children, with a sentence that names the file and the way out. Nothing is left behind then, and the input is
        untouched in any case.
    """
    checked_cycles(cycles)
    checked_views(views)
    how = Treatment(
        lambda network: Denoising(network, cycles, views, residual),
        loader(denoiser, model, options),
        {"stokes": stokes, "ext": ext, "axes": axes, "fill_value": fill_value, "mask_ext": mask_ext},
        Noise(noise_sigma, scale, noise_map),
        Manner(inspect, overwrite, resume, progress, chosen_form(output_dtype, compress)),
    )
    return treat(input, output, how)


def uncertainty_file(
    input: str | os.PathLike[str] | Frames,
    output: str | os.PathLike[str],
    *,
    samples: int = 50,
    seed: int = 0,
    method: str = "dropout",
    model: str | Path = DEFAULT_WITH_UNCERTAINTY,
    noise_sigma: NoiseSigma = "auto",
    scale: float | None = None,
    noise_map: str | os.PathLike[str] = NOISE_MAP,
    stokes: str | None = None,
    ext: str | int | None = None,
    axes: str | None = None,
    fill_value: float | str = "auto",
    mask_ext: str | int | None = None,
    output_dtype: str = "float32",
    compress: str | None = None,
    inspect: bool = True,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    denoiser: Denoiser | None = None,
    **options: Any,
) -> Summary:
    """Denoise every map of a file, and tell how far to trust the result.

    Parameters
    ----------
    input, output : path
        As for `denoise_file`. FITS files get the mean in place of the data, and the extensions ``UNCERT`` (total), ``ALEATORIC`` and
        ``EPISTEMIC`` with standard deviations (1 σ) in the data's units, NaN where a pixel holds no value and in maps that were not
        denoised. A ``.npy`` file gives a ``.npz`` with ``mean``, ``sigma``, ``aleatoric`` and ``epistemic``.
    samples, seed, method
        As for `Denoiser.uncertainty`. What a network cannot tell is left out.
    model, noise_sigma, scale, noise_map, stokes, ext, axes, fill_value, mask_ext, output_dtype, compress, inspect, overwrite, resume, progress
        As for `denoise_file`; but ``rice`` is refused, which would round standard deviations to steps as for the data.
    denoiser, **options
        As for `denoise_file`.

    Returns
    -------
    Summary

    Raises
    ------
    SolardnError
        As for `denoise_file`; also when the network cannot tell what is asked for, which names what it can give.
    """
    how = Treatment(
        lambda network: Estimation(network, samples, seed, method),
        loader(denoiser, model, options),
        {"stokes": stokes, "ext": ext, "axes": axes, "fill_value": fill_value, "mask_ext": mask_ext},
        Noise(noise_sigma, scale, noise_map),
        Manner(inspect, overwrite, resume, progress, chosen_form(output_dtype, compress)),
    )
    return treat(input, output, how)


def loader(denoiser: Denoiser | None, model: str | Path, options: dict[str, Any]) -> Callable[[], Denoiser]:
    """Return what makes the denoiser from a model and options, or gives the one at hand.

    Raises
    ------
    OptionError
        There is a model beside one at hand, or there are options: of it, which come too late, or names that do not exist.
    """
    if denoiser is None:
        return lambda: Denoiser(model, **options)
    if model not in (DEFAULT, DEFAULT_WITH_UNCERTAINTY, denoiser.card.name):
        raise OptionError(
            f"model {os.fspath(model)!r} and a denoiser of network {denoiser.card.name!r} exclude each other; give one of them"
        )
    if options:
        raise OptionError(
            f"nothing is known of {', '.join(options)} where a denoiser is given; check the names, or make the denoiser with them"
        )
    return lambda: denoiser
