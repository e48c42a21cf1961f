"""Denoising of arrays: one map is scaled, filled, cut into tiles, run, put together and scaled back here, and nowhere else."""

from __future__ import annotations

import logging
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import model as models
from . import tiling
from .arrays import Float, Sigma, as_float32, as_maps, per_map, positive, whole
from .engine import Engine, OutOfMemory
from .errors import InputError, OptionError
from .fill import fill
from .memory import bytes_per_pixel, parse_bytes, tile_for
from .objects import denoise_container, is_container

T = TypeVar("T")

logger = logging.getLogger("solardn")


@dataclass(frozen=True)
class Scaling:
    """How a map is brought to the units of a network.

    Attributes
    ----------
    sigma : float
        rms of the noise in the data's own units; where the scale was given outright, the one that it implies.
    scale : float
        Factor from the data's units to the network's.
    how : str
        ``estimated``, ``given``, or ``from the scale given``.
    """

    sigma: float
    scale: float
    how: str


class Denoiser:
    """A network that denoises any number of maps, from any number of threads; it can be pickled.

    Parameters
    ----------
    model : str, pathlib.Path or Model
        Name of a network, an ONNX file, or one already loaded.
    device : str
        ``auto`` (a GPU when one truly works, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.
    precision : str
        ``fp32``; the arithmetic of the network.
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
        self._most = tile if tile == "auto" else self._checked_tile(tile)
        self._cost = bytes_per_pixel(self.model)
        tile_for(self.memory, self._cost, self.card, runs=1)  # refuses too small a budget before anything is begun

    @property
    def tile(self) -> int:
        """The most pixels that are kept along each side of a tile."""
        return self._limits()[0]

    def denoise(self, maps: Any, *, noise_sigma: Sigma = "auto", scale: float | None = None, cycles: int = 1) -> Any:
        """Take the noise out of maps.

        Parameters
        ----------
        maps : array_like
            Maps of shape (..., y, x), of any real type and byte order; never changed. Pixels that are not finite, or masked in a masked
            array, do not reach their neighbours. Also an NDData (CCDData, sunpy's Map, NDCube) or a dask array: an object of the same
            type is returned then, see `solardn.objects`.
        noise_sigma : "auto", float or array_like
            rms of the noise in the data's units: estimated for each map, one value, or an array that broadcasts to the leading axes.
        scale : float, optional
            The factor to network units, given outright instead of `noise_sigma`.
        cycles : int
            Passes of the network; each after the first runs on the residual and adds what it finds.

        Returns
        -------
        ndarray of float32, or an object like `maps`
            Denoised maps of the same shape, in the data's units. Pixels that are not finite are as they were; masked ones are NaN.

        Raises
        ------
        InputError
            The array is no stack of maps of real numbers, or holds a map too small or without noise.
        OptionError
            An option is nonsense, or two contradict each other.
        """
        if is_container(maps):
            settings: dict[str, Any] = {"noise_sigma": noise_sigma, "scale": scale, "cycles": cycles}
            return denoise_container(maps, lambda array: self.denoise(array, **settings))
        array = as_maps(maps)
        leading = array.shape[:-2]
        sigmas = per_map(noise_sigma, leading)
        indices = list(np.ndindex(*leading))

        def work(index: tuple[int, ...], workers: int) -> Float:
            plane = as_float32(array[index])
            if not np.isfinite(plane).any():
                return plane
            scaling = self.scaling(plane, noise_sigma=sigmas[index], scale=scale)
            return self._denoised(plane, scaling.scale, cycles, workers)

        result = np.empty(array.shape, np.float32)
        for index, plane in zip(indices, self._each(work, indices, array.shape[-2:]), strict=True):
            result[index] = plane
        return result

    def denoise_maps(self, planes: Sequence[NDArray[Any]], scales: Sequence[float], cycles: int = 1) -> Iterator[Float]:
        """Take the noise out of many maps of one shape, several at once where that is faster.

        Parameters
        ----------
        planes : sequence of ndarray
            Maps (y, x), as for `denoise_map`.
        scales : sequence of float
            Factor from the data's units to the network's, for each map.
        cycles : int
            Passes of the network.

        Yields
        ------
        ndarray of float32
            The denoised maps, in their order; an error of `denoise_map` comes when it is the turn of its map.
        """

        def work(number: int, workers: int) -> Float:
            return self._denoised(as_float32(planes[number]), scales[number], cycles, workers)

        if len(planes):
            yield from self._each(work, range(len(planes)), planes[0].shape)

    def denoise_map(self, plane: NDArray[Any], scale: float, cycles: int = 1) -> Float:
        """Take the noise out of one map.

        Parameters
        ----------
        plane : ndarray
            The map (y, x), of any real type and byte order; never changed.
        scale : float
            Factor from the data's units to the network's (see `scaling`).
        cycles : int
            Passes of the network.

        Returns
        -------
        ndarray of float32
            The denoised map in the data's units; pixels that are not finite are as they were.

        Raises
        ------
        InputError
            The map is too small, not of real numbers, or beyond what float32 holds.
        OptionError
            An option is nonsense.
        """
        return self._denoised(as_float32(plane), scale, cycles, self._limits()[1])

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
        if scale is not None:
            if noise_sigma != "auto":
                raise OptionError(f"scale {scale} and noise_sigma {noise_sigma} exclude each other; give one of them")
            factor = positive(scale, "scale")
            return Scaling(self.card.input_sigma / factor, factor, "from the scale given")
        if noise_sigma != "auto":
            sigma, how = positive(noise_sigma, "noise_sigma"), "given"
        else:
            from .noise import noise_sigma as estimate

            sigma, how = float(estimate(as_float32(plane))), "estimated"
        return Scaling(sigma, self.card.input_sigma / sigma, how)

    def _denoised(self, data: Float, scale: float, cycles: int, workers: int) -> Float:
        """Denoise one map on so many workers."""
        factor, passes = np.float32(positive(scale, "scale")), whole(cycles, "cycles", 1)
        good = np.isfinite(data)
        if not good.any():
            return data.copy()
        with np.errstate(over="ignore", invalid="ignore"):
            units = data * factor
        holes = None if good.all() else ~good
        if holes is not None:
            units = fill(units, good)
        if not np.isfinite(units).all():
            raise InputError(
                f"values up to {np.abs(data[good]).max():.3g} are too large for a scale of {factor:.3g}; check the units, or set bad pixels to NaN"
            )
        found = self._pass(units, workers)
        for _ in range(passes - 1):
            found = found + self._pass(units - found, workers)
        if not np.isfinite(found).all():
            raise InputError(
                f"values up to {np.abs(units).max():.3g} in the units of network {self.card.name!r} are too large for it; check the units, or set bad pixels to NaN"
            )
        result = found / factor
        if holes is not None:
            result[holes] = data[holes]
        return result

    def _pass(self, units: Float, workers: int) -> Float:
        """Run the network once over a map in network units, in smaller tiles when the device's memory does not suffice."""
        while True:
            tile = self.tile
            try:
                result: Float = tiling.run_tiled(self._mean, units, self.card, tile, workers)[0]
                return result
            except OutOfMemory as error:
                self._use_smaller(tile, units.shape, error)

    def _mean(self, window: Float, origin: tuple[int, int]) -> Float:
        mean: Float = self.engine.run(window[np.newaxis, np.newaxis])["mean"][0]
        return mean

    def _use_smaller(self, tile: int, shape: tuple[int, ...], error: OutOfMemory) -> None:
        """Halve the tile after it did not fit, unless that leaves the windows of the map as they are."""
        tile = min(tile, max(shape))
        smaller = tiling.round_up(tile // 2, self.card.multiple)
        if self._windows(shape, smaller)[0].shape == self._windows(shape, tile)[0].shape:
            raise error
        if self._most == "auto" or self._most > smaller:  # else another thread was faster
            message = f"{error}: going on with tiles of {smaller} pixels instead of {tile}"
            logger.warning(message)
            warnings.warn(message, stacklevel=2)
            self._most = smaller

    def _each(self, work: Callable[[T, int], Float], items: Sequence[T], shape: tuple[int, ...]) -> Iterator[Float]:
        """Yield what a function makes of each item with so many workers, in the order of the items.

        Where a map alone keeps fewer workers busy than there are, whole maps are worked on at once, one worker each: no margin is
        computed twice then. What is left at the end is shared map by map.
        """
        runs = self._limits()[1]
        together = 0 if len(self._windows(shape, self.tile)) >= runs else len(items) // runs * runs
        with ThreadPoolExecutor(runs, "solardn") as pool:
            try:
                pending = deque(pool.submit(work, item, 1) for item in items[:together])
                while pending:
                    yield pending.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)
        yield from (work(item, runs) for item in items[together:])

    def _windows(self, shape: tuple[int, ...], tile: int) -> Sequence[tiling.Tile]:
        height, width = (tiling.round_up(size, self.card.multiple) for size in shape)
        return tiling.plan((height, width), self.card, tile)

    def _limits(self) -> tuple[int, int]:
        """Return the tile, and the runs of the network at once, that the memory allows."""
        tile, runs = tile_for(self.memory, self._cost, self.card, runs=self.engine.at_once)
        return (tile if self._most == "auto" else min(tile, self._most)), runs

    def _checked_tile(self, tile: int) -> int:
        least = tiling.round_up(self.card.min_size, self.card.multiple)
        if whole(tile, "tile", 1) < least:
            raise OptionError(f"tile is {tile}; network {self.card.name!r} needs at least {least}")
        return tiling.round_up(tile, self.card.multiple)


def denoise(
    maps: Any,
    noise_sigma: Sigma = "auto",
    *,
    scale: float | None = None,
    cycles: int = 1,
    model: str | Path | models.Model = models.DEFAULT,
    **options: Any,
) -> Any:
    """Take the noise out of maps (..., y, x); see `Denoiser.denoise`, and `Denoiser` for the other options.

    Whoever denoises more than once keeps a `Denoiser`, which loads its network only once.
    """
    return Denoiser(model, **options).denoise(maps, noise_sigma=noise_sigma, scale=scale, cycles=cycles)
