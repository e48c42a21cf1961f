"""What would be done to a file: its axes, its maps, and which of them are denoised."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .arrays import as_float32
from .axes import from_header
from .card import Card
from .cube import Cube, Index, which
from .errors import InputError, OptionError
from .io import Input, Source, open_source
from .io.address import split
from .missing import FillValue, Mask, find, parse_fill_value
from .noisemap import checked
from .samples import Group

if TYPE_CHECKING:
    from .io.fitsfile import Unpacked
    from .io.frames import Frames

STOKES_BY_DEFAULT = "QUV"


@dataclass(frozen=True)
class Plan:
    """A file that was looked at.

    Attributes
    ----------
    source : Source
    cube : Cube
    letters : str
        The Stokes parameters to denoise; empty where nothing is known of them, and every map is denoised.
    fill_value : float, "auto" or "none"
        The value that stands for no value, see `solardn.missing`.
    mask : Source or None
        An image that is not 0 where pixels hold no value; of the cube's shape, or of that of its last axes.
    sigma : Source or None
        An image of the rms of the noise, in the data's units; of the cube's shape, or of that of its last axes.
    axes : str or None
        What was said of the axes' roles, as `look_at` takes it.
    """

    source: Source
    cube: Cube
    letters: str
    fill_value: FillValue = "auto"
    mask: Source | None = None
    sigma: Source | None = None
    axes: str | None = None

    def denoises(self, index: Index) -> bool:
        """Tell whether the map at an index is denoised, or copied."""
        return not self.letters or self.cube.letter(index) in self.letters

    def groups(self) -> dict[Group, list[Index]]:
        """Return the maps that are denoised, by Stokes parameter and wavelength."""
        found: dict[Group, list[Index]] = {}
        for index in filter(self.denoises, self.cube.indices()):
            found.setdefault(self.cube.group(index), []).append(index)
        return found

    @property
    def n_denoised(self) -> int:
        """Number of maps that are denoised."""
        return sum(map(self.denoises, self.cube.indices()))

    @property
    def middle(self) -> Index:
        """The map in the middle of those that are denoised, to look at before the others."""
        chosen = [index for index in self.cube.indices() if self.denoises(index)]
        return chosen[len(chosen) // 2]

    def check_size(self, card: Card) -> None:
        """Refuse maps smaller than a network takes.

        Raises
        ------
        InputError
        """
        height, width = self.cube.map_shape
        if min(height, width) < card.min_size:
            raise InputError(
                f"{self.source.label} has maps of {height} × {width} pixels (axes {self.cube.y} and {self.cube.x} of {self.cube.shape}), network {card.name!r} needs at least "
                f"{card.min_size} × {card.min_size}; if other axes are the maps' own, name them with --axes y=N,x=M"
            )

    def keep_within(self, memory: int) -> int:
        """Let buffers of the files take no more than a part of the memory, and return how much they take, in bytes."""
        keepers = (getattr(source, "keep_within", None) for source in (self.source, self.mask, self.sigma))
        return sum(keeper(memory) for keeper in keepers if keeper)

    def read_map(self, index: Index) -> NDArray[np.float32]:
        """Return one map (y, x)."""
        block = self.source.read(self.cube.batch_of(index).selection)
        return self.as_float32(index, self.cube.to_maps(block)[0])

    def as_float32(self, index: Index, plane: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return a map in the type of the computation and of the output.

        Raises
        ------
        InputError
            A value is beyond what the type holds.
        """
        with self.naming(index):
            return as_float32(plane)

    @contextmanager
    def naming(self, index: Index) -> Iterator[None]:
        """Let errors that a map meets name the file and the map."""
        try:
            yield
        except (InputError, OptionError) as error:
            raise type(error)(f"{self.source.label}{which(index)}: {error}") from error

    def missing(self, index: Index, plane: NDArray[np.float32]) -> Mask:
        """Return which pixels of a map hold no value, by its own values and by the mask."""
        return self.found_missing(index, plane)[0]

    def found_missing(self, index: Index, plane: NDArray[np.float32]) -> tuple[Mask, tuple[float, ...]]:
        """Return the same, and the values of fills among them."""
        absent, fills = find(plane, self.fill_value)
        if self.mask is not None:
            absent |= self._beside(self.mask, index) != 0
        return absent, fills

    def noise_map(self, index: Index, absent: Mask) -> NDArray[np.float64] | None:
        """Return the rms of the noise at every pixel of a map (y, x) where it is known, in the data's units; its median where there are no data.

        Raises
        ------
        InputError
            It is not positive and finite at a pixel that holds a value.
        """
        if self.sigma is None:
            return None
        return checked(self._beside(self.sigma, index), absent, f"the noise map {self.sigma.label}{which(index)}")

    def _beside(self, other: Source, index: Index) -> NDArray[Any]:
        """Return of another image, of the cube's shape or of that of its last axes, what belongs to a map."""
        selection = self.cube.batch_of(index).selection
        values = other.read(selection[-len(other.shape) :])
        lengths = [
            len(range(*p.indices(n))) for p, n in zip(selection, self.cube.shape, strict=True) if isinstance(p, slice)
        ]
        return np.asarray(self.cube.to_maps(np.broadcast_to(values, lengths))[0])


@contextmanager
def look_at(
    path: Input,
    *,
    ext: str | int | None = None,
    axes: str | None = None,
    stokes: str | None = None,
    fill_value: float | str = "auto",
    mask_ext: str | int | None = None,
    noise_map: str | os.PathLike[str] | int = "off",
) -> Iterator[Plan]:
    """Open a file and tell what would be done to it.

    Parameters
    ----------
    path : path, Frames or Unpacked
        A file, or the steps of a raster (see `solardn.rasters`); ``FILE::NAME`` names one of the arrays in a file.
    ext : str or int, optional
        FITS extension, or name of the array.
    axes : str, optional
        The axes' roles where the header is silent or wrong, as ``"y=3,x=4,stokes=1"``.
    stokes : str, optional
        Stokes parameters to denoise, ``"QUV"`` by default; the others are copied.
    fill_value : float, "auto" or "none"
        The value that stands for no value; found by default.
    mask_ext : str or int, optional
        FITS extension, or array in the same file, with a mask: pixels where it is not 0 hold no value.
    noise_map : path, str or int
        A file with the rms of the noise at every pixel, or a FITS extension or array of the input with it; ``auto`` and ``off`` are none.

    Raises
    ------
    InputError, OptionError
    """
    with ExitStack() as stack:
        source = stack.enter_context(closing(open_source(path, ext)))
        mask = None if mask_ext is None else stack.enter_context(closing(open_source(_file(path), mask_ext)))
        sigma = _open_noise_map(path, noise_map)
        if sigma is not None:
            stack.enter_context(closing(sigma))
        yield plan_of(source, axes, stokes, fill_value, mask, sigma)


def plan_of(
    source: Source,
    axes: str | None = None,
    stokes: str | None = None,
    fill_value: float | str = "auto",
    mask: Source | None = None,
    sigma: Source | None = None,
) -> Plan:
    """Tell of files that are open what would be done to the first, as `look_at` does."""
    fill = parse_fill_value(fill_value)
    cube = from_header(source.header, source.shape, source.label, axes)
    for other, what, option in ((mask, "mask", "--mask-ext"), (sigma, "noise map", "--noise-map")):
        if other is not None and other.shape != cube.shape[-len(other.shape) :]:
            raise InputError(
                f"the {what} {other.label} has the shape {other.shape}, which fits neither the data's {cube.shape} nor its last axes; name another with {option}"
            )
    return Plan(source, cube, chosen_letters(cube, stokes, source.label), fill, mask, sigma, axes)


def extension_or_file(
    noise_map: str | os.PathLike[str] | int,
) -> tuple[str | int | None, str | os.PathLike[str] | None]:
    """Return which extension of the input a noise map is, or which file: what is one, or looks like one. Neither where it is ``auto`` or ``off``.

    Raises
    ------
    OptionError
        It is of no such type.
    """
    if not isinstance(noise_map, str | os.PathLike | int) or isinstance(noise_map, bool):
        raise OptionError(
            f"the noise map is of type {type(noise_map).__name__}; give 'auto', 'off', a file, or the name of an extension of the input"
        )
    if isinstance(noise_map, int):
        return noise_map, None
    if noise_map in ("auto", "off"):
        return None, None
    named = split(noise_map)[0]
    is_file = named.exists() or named.suffix or named.parent != Path()
    return (None, noise_map) if is_file else (os.fspath(noise_map), None)


def _open_noise_map(path: Input, noise_map: str | os.PathLike[str] | int) -> Source | None:
    """Open a noise map, an extension of the input or a file, where one is given."""
    extension, file = extension_or_file(noise_map)
    if extension is not None:
        return open_source(_file(path), extension)
    return None if file is None else open_source(file)


def _file(path: Input) -> Path | Frames | Unpacked:
    """Return the file of an address, without the part that it names."""
    return split(path)[0] if isinstance(path, str | os.PathLike) else path


def chosen_letters(cube: Cube, stokes: str | None, label: str) -> str:
    """Return which of the cube's Stokes parameters are denoised."""
    if stokes is not None and (not stokes or set(str(stokes).upper()) - set("IQUV")):  # from Python, it may be anything
        raise OptionError(f"--stokes {stokes!r} is no word of the letters I, Q, U, V; write it like QUV")
    if not cube.letters:
        if stokes is not None:
            raise OptionError(
                f"{label} has no Stokes axis, so --stokes {stokes} means nothing; leave it out, or name an axis of 3 or 4 places with --axes stokes=N"
            )
        return ""
    wanted = (stokes or STOKES_BY_DEFAULT).upper()
    chosen = "".join(letter for letter in "IQUV" if letter in wanted and letter in cube.letters)
    if not chosen:
        there = ", ".join(dict.fromkeys(cube.letters))
        raise InputError(
            f"{label} holds Stokes {there} only, and {wanted} are to be denoised; say --stokes {cube.letters[0]} to denoise it"
        )
    return chosen
