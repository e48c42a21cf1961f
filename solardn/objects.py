"""Containers of maps from other packages: sunpy's Map, NDCube, CCDData, NDData, dask arrays. What goes in comes out.

None of these packages is imported here: whoever hands one of their objects over has imported them.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Sigma, as_float32, check_maps, check_real, per_map
from .axes import from_header
from .errors import InputError
from .noisemap import NoiseMap, spread_over
from .plan import chosen_letters
from .polarization import whole_letter
from .wcs import header_of, whole

Denoise = Callable[..., NDArray[np.float32]]
"""Denoises maps (..., y, x), pixels that are not finite left alone; called with `noise_sigma` and `noise_map`."""


def is_container(data: Any) -> bool:
    """Tell whether `denoise_container` knows an object's type."""
    return _is_nddata(data) or _is_dask(data)


def denoise_container(data: Any, denoise: Denoise, noise_sigma: Sigma, noise_map: NoiseMap) -> Any:
    """Return an object like another one, its maps denoised.

    Parameters
    ----------
    data : astropy.nddata.NDData (CCDData, sunpy's Map, NDCube) or dask.array.Array
        Of an NDData the axes are read from its WCS, and the Stokes parameter of a slice: Stokes I is copied (alone, it is refused), and
        pixels that its mask marks stay as they are. Of a dask array the last two axes are y and x; it is denoised block by block when it
        is computed.
    denoise : callable
    noise_sigma, noise_map
        As for `solardn.Denoiser.denoise`; an array broadcasts to the axes that are not y and x, and to all axes of the data.

    Raises
    ------
    InputError
        The WCS does not say which axes are space, see `solardn.axes`.
    OptionError
        Noise levels do not fit the data.
    """
    if _is_dask(data):
        return _of_dask(data, denoise, noise_sigma, noise_map)
    values = np.asarray(data.data)
    result = copy.copy(data)
    result.meta = copy.deepcopy(data.meta)  # a header of its own, to write into
    header = header_of(data.wcs, values.ndim)
    if _is_map(data):  # its WCS has the two axes of the image alone
        header |= whole(whole_letter(data.meta, values.ndim), values.ndim)
    result._data = _denoised(values, header, data.mask, denoise, noise_sigma, noise_map)
    if data.mask is not None:
        result.mask = copy.copy(data.mask)
    if data.uncertainty is not None:
        result.uncertainty = copy.copy(data.uncertainty)  # setting it links it with its new owner
    return result


def _of_dask(data: Any, denoise: Denoise, noise_sigma: Sigma, noise_map: NoiseMap) -> Any:
    """Return a dask array denoised block by block, noise levels cut as its blocks are."""
    check_maps(data)
    blocks = sys.modules["dask.array"]
    whole = data.rechunk({data.ndim - 2: -1, data.ndim - 1: -1})
    cut: dict[str, Any] = {}
    if np.ndim(noise_sigma):
        levels = per_map(noise_sigma, whole.shape[:-2]).astype(float)[..., np.newaxis, np.newaxis]
        cut["noise_sigma"] = blocks.from_array(levels, chunks=(*whole.chunks[:-2], 1, 1))
    if np.ndim(noise_map):
        cut["noise_map"] = blocks.from_array(spread_over(noise_map, whole.shape), chunks=whole.chunks)

    def block(array: NDArray[Any], *parts: NDArray[Any]) -> NDArray[np.float32]:
        own = dict(zip(cut, parts, strict=True))
        if "noise_sigma" in own:
            own["noise_sigma"] = own["noise_sigma"][..., 0, 0]
        return denoise(array, **{"noise_sigma": noise_sigma, "noise_map": noise_map} | own)

    nothing = np.empty((0,) * data.ndim, np.float32)
    return whole.map_blocks(block, *cut.values(), dtype=np.float32, meta=nothing)


def _denoised(
    values: NDArray[Any], header: dict[str, Any], mask: Any, denoise: Denoise, noise_sigma: Sigma, noise_map: NoiseMap
) -> NDArray[np.float32]:
    check_real(values)
    try:
        cube = from_header(header, values.shape, f"the {values.ndim}-dimensional data")
        letters = chosen_letters(cube, None, "the data")
    except InputError as error:
        raise InputError(f"{error}; from Python, give the data as an array (..., y, x)") from error
    given = np.where(mask, np.nan, values) if mask is not None and np.any(mask) else values
    maps = np.moveaxis(given, (cube.y, cube.x), (-2, -1))
    chosen = np.array([not letters or cube.letter(index) in letters for index in cube.indices()])
    flat = maps.reshape(-1, *cube.map_shape)
    own = np.moveaxis(values, (cube.y, cube.x), (-2, -1)).reshape(-1, *cube.map_shape)
    out = np.stack([as_float32(plane) for plane in own])
    if np.ndim(noise_sigma):
        noise_sigma = per_map(noise_sigma, maps.shape[:-2]).astype(float).reshape(-1)[chosen]
    if np.ndim(noise_map):
        spread = np.moveaxis(spread_over(noise_map, values.shape), (cube.y, cube.x), (-2, -1))
        noise_map = spread.reshape(-1, *cube.map_shape)[chosen]
    done = denoise(flat[chosen], noise_sigma=noise_sigma, noise_map=noise_map)
    out[chosen] = np.where(np.isfinite(flat[chosen]), done, out[chosen])
    return np.ascontiguousarray(np.moveaxis(out.reshape(maps.shape), (-2, -1), (cube.y, cube.x)))


def _is_map(data: Any) -> bool:
    maps = sys.modules.get("sunpy.map")
    return maps is not None and isinstance(data, maps.GenericMap)


def _is_nddata(data: Any) -> bool:
    nddata = sys.modules.get("astropy.nddata")
    return nddata is not None and isinstance(data, nddata.NDData)


def _is_dask(data: Any) -> bool:
    array = sys.modules.get("dask.array")
    return array is not None and isinstance(data, array.Array)
