"""Denoising of arrays: the interface to Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import model as models
from .arrays import Cycles, Float, Sigma, as_float32, as_maps, in_unit_of, with_unit_of
from .doubts import doubts, forewarn
from .engine import Engine
from .errors import InputError
from .maps import Denoised, denoised, uncertainties
from .memory import parse_bytes
from .noisemap import NOISE_MAP, NoiseMap
from .objects import denoise_container, is_container
from .runner import Runner
from .sampling import Uncertainty, stacked
from .scaling import Scaling, scaled, scaling
from .units import Scale


class Denoiser:
    """A network that denoises any number of maps, from any number of threads; it can be pickled.

    Parameters
    ----------
    model : str, pathlib.Path or Model
        Name of a network, an ONNX file, or one already loaded.
    device : str
        ``auto`` (a GPU when one truly works, else the CPU), ``cpu``, ``openvino`` (the CPU by another library), ``cuda`` or ``cuda:N``.
    precision : str
        The arithmetic of the network: ``fp32``; ``bf16`` on OpenVINO; ``fp16`` on CUDA.
    threads : int, optional
        Threads of the CPU; by default as many as this process may use. Results do not depend on it.
    tile : int or "auto"
        The most pixels kept along each side of a tile; by default what the memory allows, which bounds it in any case. Results on the
        CPU do not depend on it.
    memory : int or str
        What the network's computation may take at most, in bytes or as in ``"2GB"`` and ``"512MiB"``; a few copies of a map in float32
        come on top.

    Raises
    ------
    ModelError
        The network does not exist, or its file is not what the contract says.
    OptionError
        An option is nonsense, or the memory does not suffice for the smallest tile.
    """

    def __init__(
        self,
        model: str | Path | models.Model = models.DEFAULT,
        *,
        device: str = "auto",
        precision: str = "fp32",
        threads: int | None = None,
        tile: int | Literal["auto"] = "auto",
        memory: int | str = "2GB",
    ) -> None:
        self.model = model if isinstance(model, models.Model) else models.load(model)
        self.card = self.model.card
        self.engine = Engine(self.model, device=device, precision=precision, threads=threads)
        self.memory = parse_bytes(memory)
        self.runner = Runner(self.engine, self.memory, tile)
        self._looked = False  # at maps, for what networks do not know

    @property
    def tile(self) -> int:
        """The most pixels that are kept along each side of a tile."""
        return self.runner.limits().tile

    def denoise(
        self,
        maps: Any,
        *,
        noise_sigma: Sigma = "auto",
        scale: float | None = None,
        noise_map: NoiseMap = NOISE_MAP,
        cycles: Cycles = 1,
        views: int = 1,
    ) -> Any:
        """Take the noise out of maps.

        Parameters
        ----------
        maps : array_like
            Maps of shape (..., y, x), of any real type and byte order; never changed. All of them are denoised: leave Stokes I out. Pixels
            that are not finite, or masked in a masked array, do not reach their neighbours. Also a Quantity, an NDData (CCDData, sunpy's Map,
            NDCube) or a dask array: an object of the same type is returned then, see `solardn.objects`.
        noise_sigma : "auto", float, Quantity or array_like
            rms of the noise: estimated for each map, one value, or an array that broadcasts to the leading axes; plain numbers are in the
            data's units.
        scale : float, optional
            The factor to network units, given outright instead of `noise_sigma`.
        noise_map : "auto", "off" or array_like
            Noise that varies over the field is made even before the network and uneven again after it. ``auto`` does so where the noise is
            estimated and varies strongly; or the rms of the noise at every pixel, in the data's units, which broadcasts to the maps.
        cycles : int or "auto"
            Passes of the network; each after the first runs on the residual and adds what it finds. ``auto`` goes on, up to five, while the
            residual of a map holds structure and a pass brings the result nearer to the truth (see `solardn.cycles`).
        views : int
            Over how many views of the map each pass is the mean (1, 2, 4, 8 or 16: of either sign, mirrored, turned by right angles): a little
            nearer to the truth, at so many times the cost (see `solardn.views`).

        Returns
        -------
        ndarray of float32, or an object like `maps`
            Denoised maps of the same shape, in the data's units (of a Quantity, a Quantity). Pixels that are not finite are as they were; masked ones are NaN.

        Raises
        ------
        InputError
            The array is no stack of maps of real numbers, or holds a map too small or without noise.
        OptionError
            An option is nonsense, or two contradict each other.

        Warns
        -----
        UnfamiliarData
            The middle one of the first maps that this object gets is far from what the network knows; also in `uncertainty`.
        """
        noise_sigma, noise_map = in_unit_of(noise_sigma, maps, "noise_sigma"), in_unit_of(noise_map, maps, "noise_map")
        if is_container(maps):
            return denoise_container(
                maps, partial(self.denoise, scale=scale, cycles=cycles, views=views), noise_sigma, noise_map
            )
        array = as_maps(maps)
        planes, scales = self._scaled(array, noise_sigma, scale, noise_map)
        result = np.empty(array.shape, np.float32)
        for index, plane in zip(
            np.ndindex(array.shape[:-2]), denoised(self.runner, planes, scales, cycles, views), strict=True
        ):
            result[index] = plane.values
        return with_unit_of(result, maps)

    def denoise_maps(
        self, planes: Sequence[NDArray[Any]], scales: Sequence[Scale], cycles: Cycles = 1, views: int = 1
    ) -> Iterator[Denoised]:
        """Take the noise out of many maps of one shape, several at once where that is faster.

        Parameters
        ----------
        planes : sequence of ndarray
            Maps (y, x), of any real type and byte order; never changed.
        scales : sequence of float or ndarray (y, x)
            Factor from the data's units to the network's, for each map (see `scaling`), or for each of its pixels.
        cycles : int or "auto"
            Passes of the network, as for `denoise`.
        views : int
            Views of each map, as for `denoise`.

        Yields
        ------
        Denoised
            The denoised maps (``values``) in the data's units, in their order, and how many passes are in each (``cycles``); pixels that are
            not finite are as they were.

        Raises
        ------
        InputError
            A map is too small, not of real numbers, or beyond what float32 holds; when it is the turn of that map.
        OptionError
            An option is nonsense.
        """
        return denoised(self.runner, planes, scales, cycles, views)

    def denoise_map(self, plane: NDArray[Any], scale: Scale, cycles: Cycles = 1, views: int = 1) -> Float:
        """Take the noise out of one map; see `denoise_maps`."""
        return next(denoised(self.runner, [plane], [scale], cycles, views)).values

    def uncertainty(
        self,
        maps: ArrayLike,
        samples: int = 50,
        seed: int = 0,
        *,
        method: str = "dropout",
        noise_sigma: Sigma = "auto",
        scale: float | None = None,
        noise_map: NoiseMap = NOISE_MAP,
    ) -> Uncertainty:
        """Denoise maps, and tell how far to trust the result.

        Parameters
        ----------
        maps : array_like
            Maps of shape (..., y, x), as for `denoise`; no NDData or dask array.
        samples : int
            How many samples are drawn, each with its own dropout masks; 0 for a single pass that gives the aleatoric part alone.
        seed : int
            Which masks, from 0 to 2³² − 1. The same seed gives the same bits on a CPU, whatever the tiles, the memory and the threads.
        method : str
            ``dropout``; or ``flips``, for any network: the spread over 16 views of a map (both signs, mirrored, turned by right angles) stands in
            for the epistemic part, and `samples` does not count.
        noise_sigma, scale, noise_map
            As for `denoise`.

        Returns
        -------
        Uncertainty
            With ``mean``, ``sigma``, ``aleatoric`` and ``epistemic``, of the maps' shape and in the data's units; Quantities where the maps are.

        Raises
        ------
        ModelError
            The network draws no masks or estimates no variance; what it can give instead is named.
        InputError, OptionError
            As for `denoise`.
        """
        if is_container(maps):
            raise InputError(
                f"uncertainty takes arrays (..., y, x), not {type(maps).__name__}; give its data, what its mask marks as NaN, without Stokes I"
            )
        noise_sigma, noise_map = in_unit_of(noise_sigma, maps, "noise_sigma"), in_unit_of(noise_map, maps, "noise_map")
        array = as_maps(maps)
        planes, scales = self._scaled(array, noise_sigma, scale, noise_map)
        found = stacked(list(uncertainties(self.runner, planes, scales, samples, seed, method)), array.shape)
        arrays = ("mean", "sigma", "aleatoric", "epistemic")
        return replace(found, **{name: with_unit_of(getattr(found, name), maps) for name in arrays})

    def uncertainty_maps(
        self,
        planes: Sequence[NDArray[Any]],
        scales: Sequence[Scale],
        samples: int = 50,
        seed: int = 0,
        method: str = "dropout",
    ) -> Iterator[Uncertainty]:
        """Yield the uncertainties of many maps of one shape, in their order; see `uncertainty` and `denoise_maps`."""
        return uncertainties(self.runner, planes, scales, samples, seed, method)

    def scaling(
        self, plane: NDArray[Any], *, noise_sigma: Literal["auto"] | float = "auto", scale: float | None = None
    ) -> Scaling:
        """Return how a map is brought to network units: from its noise, from a given noise, or as given.

        Parameters
        ----------
        plane : ndarray
            The map (y, x); looked at only when the noise is to be estimated.
        noise_sigma : "auto" or float
            rms of the noise in the data's units.
        scale : float, optional
            The factor to network units, given outright.

        Raises
        ------
        InputError
            No noise can be found in the map.
        OptionError
            Both are given, or one is no positive number.
        """
        return scaling(plane, self.card.input_sigma, noise_sigma, scale)

    def _scaled(
        self, array: NDArray[Any], noise_sigma: Sigma, scale: float | None, noise_map: NoiseMap
    ) -> tuple[Sequence[NDArray[Any]], Sequence[Scale]]:
        """Return the maps of an array and their factors to network units; warn, once, where the middle one is far from what the network knows."""
        found = scaled(self.runner, array, noise_sigma, scale, noise_map)
        middle = len(found.planes) // 2
        if not self._looked and found.planes and np.isfinite(found.planes[middle]).any():
            self._looked = True
            which = f"map {middle} of the array (counted from 0)" if len(found.planes) > 1 else "the map"
            noise = found.noises[middle] if found.noises else None
            level = float(np.sqrt(np.mean(np.square(found.sigmas[middle]))))
            data = as_float32(found.planes[middle])
            said = doubts(data, level, given=noise is None, network=self.card.name, noise=noise)
            forewarn([f"{which} {sentence}" for sentence in said])
        return found.planes, found.scales


def denoise(
    maps: Any,
    noise_sigma: Sigma = "auto",
    *,
    scale: float | None = None,
    noise_map: NoiseMap = NOISE_MAP,
    cycles: Cycles = 1,
    views: int = 1,
    model: str | Path | models.Model = models.DEFAULT,
    **options: Any,
) -> Any:
    """Take the noise out of maps (..., y, x); see `Denoiser.denoise`, and `Denoiser` for the other options.

    Whoever denoises more than once keeps a `Denoiser`, which loads its network only once.
    """
    denoiser = Denoiser(model, **options)
    return denoiser.denoise(maps, noise_sigma=noise_sigma, scale=scale, noise_map=noise_map, cycles=cycles, views=views)


def uncertainty(
    maps: ArrayLike,
    samples: int = 50,
    seed: int = 0,
    *,
    method: str = "dropout",
    noise_sigma: Sigma = "auto",
    scale: float | None = None,
    noise_map: NoiseMap = NOISE_MAP,
    model: str | Path | models.Model = models.DEFAULT_WITH_UNCERTAINTY,
    **options: Any,
) -> Uncertainty:
    """Denoise maps (..., y, x), and tell how far to trust the result; see `Denoiser.uncertainty`, and `Denoiser` for the other options."""
    denoiser = Denoiser(model, **options)
    settings: dict[str, Any] = {"noise_sigma": noise_sigma, "scale": scale, "noise_map": noise_map}
    return denoiser.uncertainty(maps, samples, seed, method=method, **settings)
