"""Denoising of arrays: one map is scaled, filled, cut into tiles, run, put together and scaled back here, and nowhere else."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import model as models
from . import tiling
from .engine import Engine, OutOfMemory
from .errors import InputError, OptionError
from .fill import fill
from .memory import parse_bytes, tile_for

Float = NDArray[np.float32]
Sigma = Literal["auto"] | float | NDArray[Any]

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
        ``estimated``, ``given``, or ``scale given``.
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
        Threads of the CPU; by default as many as this process may use.
    tile : int or "auto"
        Pixels kept along each side of a tile; by default what the memory allows. Results on the CPU do not depend on it.
    memory : int or str
        What the computation may take at most, in bytes or as in ``"2GB"`` and ``"512MiB"``.

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
        self.tile = self._checked_tile(tile)

    def denoise(
        self, maps: ArrayLike, *, noise_sigma: Sigma = "auto", scale: float | None = None, cycles: int = 1
    ) -> Float:
        """Take the noise out of maps.

        Parameters
        ----------
        maps : array_like
            Maps of shape (..., y, x), of any real type and byte order; never changed. Pixels that are not finite, or masked in a masked
            array, do not reach their neighbours.
        noise_sigma : "auto", float or array_like
            rms of the noise in the data's units: estimated for each map, one value, or an array that broadcasts to the leading axes.
        scale : float, optional
            The factor to network units, given outright instead of `noise_sigma`.
        cycles : int
            Passes of the network; each after the first runs on the residual and adds what it finds.

        Returns
        -------
        ndarray of float32
            Denoised maps of the same shape, in the data's units. Pixels that are not finite are as they were; masked ones are NaN.

        Raises
        ------
        InputError
            The array is no stack of maps of real numbers, or holds a map too small or without noise.
        OptionError
            An option is nonsense, or two contradict each other.
        """
        array = _as_maps(maps)
        leading = array.shape[:-2]
        sigmas = _per_map(noise_sigma, leading)
        result = np.empty(array.shape, np.float32)
        for index in np.ndindex(*leading):
            plane = array[index]
            scaling = self.scaling(plane, noise_sigma="auto" if sigmas is None else float(sigmas[index]), scale=scale)
            result[index] = self.denoise_map(plane, scaling.scale, cycles)
        return result

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
            The noise cannot be estimated: the map is constant, or without any finite value but not made of them alone.
        OptionError
            Both are given, or one is no positive number.
        """
        if scale is not None:
            if not isinstance(noise_sigma, str):
                raise OptionError(f"scale {scale} and noise_sigma {noise_sigma} exclude each other; give one of them")
            factor = _positive(scale, "scale")
            return Scaling(self.card.input_sigma / factor, factor, "scale given")
        if isinstance(noise_sigma, str):
            if noise_sigma != "auto":
                raise OptionError(
                    f"noise_sigma is {noise_sigma!r}; give 'auto' or a positive number in the data's units"
                )
            return self._estimated(plane)
        sigma = _positive(noise_sigma, "noise_sigma")
        return Scaling(sigma, self.card.input_sigma / sigma, "given")

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
        factor = np.float32(_positive(scale, "scale"))
        passes = _cycles(cycles)
        data = _as_float32(plane)
        good = np.isfinite(data)
        whole = bool(good.all())
        if not whole and not good.any():
            return data.copy() if data is plane else data
        with np.errstate(over="ignore", invalid="ignore"):
            units = data * factor
        if not whole:
            units = fill(units, good)
        if not np.isfinite(units).all():
            raise InputError(
                f"values up to {np.abs(data[good]).max():.3g} overflow float32 at a scale of {factor:.3g}; check the units"
            )
        found = self._pass(units)
        for _ in range(passes - 1):
            found = found + self._pass(units - found)
        if not np.isfinite(found).all():
            raise InputError(
                f"values up to {np.abs(units).max():.3g} in network units overflow in network {self.card.name!r}; check the units, or set bad pixels to NaN"
            )
        result = found / factor
        if not whole:
            result[~good] = data[~good]
        return result

    def _pass(self, units: Float) -> Float:
        """Run the network once over a map in network units, in smaller tiles when the device's memory does not suffice."""
        while True:
            try:
                return tiling.run_tiled(self._mean, units, self.card, self.tile)
            except OutOfMemory as error:
                height, width = (tiling.round_up(size, self.card.multiple) for size in units.shape)
                used = min(self.tile, max(height, width))
                smaller = tiling.round_up(used // 2, self.card.multiple)
                before, after = (tiling.plan((height, width), self.card, t)[0].shape for t in (used, smaller))
                if after == before:
                    raise
                message = f"{error}: going on with tiles of {smaller} pixels instead of {used}"
                logger.warning(message)
                warnings.warn(message, stacklevel=2)
                self.tile = smaller

    def _mean(self, window: Float, origin: tuple[int, int]) -> Float:
        mean: Float = self.engine.run(window[np.newaxis, np.newaxis])["mean"][0, 0]
        return mean

    def _estimated(self, plane: NDArray[Any]) -> Scaling:
        from .noise import noise_sigma

        data = _as_float32(plane)
        if not np.isfinite(data).any():
            return Scaling(float("nan"), 1.0, "nothing to estimate: no finite pixel")
        sigma = float(noise_sigma(data))
        if not (np.isfinite(sigma) and sigma > 0):
            raise InputError(
                f"no noise is found in the map (it is constant, or nearly: level {sigma:.3g}); give its rms as noise_sigma, or a scale"
            )
        return Scaling(sigma, self.card.input_sigma / sigma, "estimated")

    def _checked_tile(self, tile: int | Literal["auto"]) -> int:
        least = tiling.round_up(self.card.min_size, self.card.multiple)
        if tile == "auto":
            return tile_for(self.memory, self.model)
        if isinstance(tile, bool) or not isinstance(tile, int | np.integer):
            raise OptionError(f"tile is {tile!r}; give a number of pixels, or 'auto'")
        if tile < least:
            raise OptionError(
                f"a tile of {tile} pixels is too small for network {self.card.name!r}; the smallest is {least}"
            )
        return tiling.round_up(int(tile), self.card.multiple)


def denoise(
    maps: ArrayLike,
    noise_sigma: Sigma = "auto",
    *,
    scale: float | None = None,
    cycles: int = 1,
    model: str | Path | models.Model = models.DEFAULT,
    **options: Any,
) -> Float:
    """Take the noise out of maps (..., y, x); see `Denoiser.denoise`, and `Denoiser` for the other options.

    Whoever denoises more than once keeps a `Denoiser`, which loads its network only once.
    """
    return Denoiser(model, **options).denoise(maps, noise_sigma=noise_sigma, scale=scale, cycles=cycles)


def _as_maps(maps: ArrayLike) -> NDArray[Any]:
    """Return an array of at least two axes, none empty, of real numbers; masked pixels are NaN."""
    array = np.ma.filled(maps.astype(np.float32), np.nan) if isinstance(maps, np.ma.MaskedArray) else np.asarray(maps)
    if array.ndim < 2:
        raise InputError(f"an array of shape {array.shape} holds no map; its last two axes must be y and x")
    if array.size == 0:
        raise InputError(f"an array of shape {array.shape} is empty")
    _check_real(array)
    return array


def _check_real(array: NDArray[Any]) -> None:
    if array.dtype.kind not in "iuf":
        raise InputError(f"data of type {array.dtype} cannot be denoised; real numbers are needed")


def _as_float32(plane: NDArray[Any]) -> Float:
    """Return a map as native float32, which holds all its finite values."""
    if plane.ndim != 2:
        raise InputError(f"a map has two axes (y, x), this array has the shape {plane.shape}")
    _check_real(plane)
    with np.errstate(over="ignore"):
        data = plane.astype(np.float32, copy=False)
    if plane.dtype.kind == "f" and plane.dtype.itemsize > 4:
        lost = np.isinf(data) & np.isfinite(plane)
        if lost.any():
            raise InputError(
                f"the value {plane[lost][0]:.3g} is beyond what float32 holds (3.4e38); divide the data before"
            )
    return data


def _per_map(noise_sigma: Sigma, leading: tuple[int, ...]) -> NDArray[np.float64] | None:
    """Return one noise level for each map; None when they are to be estimated."""
    if isinstance(noise_sigma, str):
        return None if noise_sigma == "auto" else _refuse_text(noise_sigma)
    try:
        return np.broadcast_to(np.asarray(noise_sigma, np.float64), leading)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"noise_sigma of shape {np.shape(noise_sigma)} does not fit the leading axes {leading} of the data"
        ) from error


def _refuse_text(noise_sigma: str) -> None:
    raise OptionError(f"noise_sigma is {noise_sigma!r}; give 'auto' or a positive number in the data's units")


def _positive(value: float, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not (np.isfinite(number) and number > 0):
        raise OptionError(f"{name} is {value!r}; a positive number is needed")
    return number


def _cycles(cycles: int) -> int:
    if isinstance(cycles, bool) or not isinstance(cycles, int | np.integer) or cycles < 1:
        raise OptionError(f"cycles is {cycles!r}; a whole number from 1 is needed")
    return int(cycles)
