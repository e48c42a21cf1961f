"""From file to file: every map is read, denoised and written, and the output appears whole at the end or not at all."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .api import Denoiser
from .cube import Index
from .errors import InputError
from .io.place import check_place, check_space
from .missing import Mask
from .model import DEFAULT
from .plan import Level, Plan, look_at
from .provenance import Step
from .stream import stream
from .summary import MapRecord, Sample, Summary, rms, table
from .versions import onnxruntime

Progress = Callable[[int, int, int], None]
"""Called after each map with: maps done, maps in all, pixels denoised so far."""

RESIDUAL = "RESIDUAL"


def denoise_file(
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    model: str | Path = DEFAULT,
    noise_sigma: float | Literal["auto"] = "auto",
    scale: float | None = None,
    cycles: int = 1,
    stokes: str | None = None,
    ext: str | int | None = None,
    axes: str | None = None,
    fill_value: float | str = "auto",
    mask_ext: str | int | None = None,
    residual: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    denoiser: Denoiser | None = None,
    **options: Any,
) -> Summary:
    """Take the noise out of every map of a file.

    Parameters
    ----------
    input, output : path
        FITS (also compressed) or ``.npy``; the output has the input's format, shape and header, and float32 values.
    model : str or path
        Name of a network, or an ONNX file.
    noise_sigma : float or "auto"
        rms of the noise, in the data's units; estimated for each Stokes parameter and wavelength by default.
    scale : float, optional
        Factor from the data's units to the network's, given outright; excludes `noise_sigma`.
    cycles : int
        Passes of the network; each after the first runs on the residual.
    stokes : str, optional
        Stokes parameters to denoise, ``"QUV"`` by default; the others are copied.
    ext : str or int, optional
        FITS extension; by default the first image of at least two dimensions.
    axes : str, optional
        Roles of the axes where the header is silent or wrong, as ``"y=3,x=4,stokes=1"`` (0 is the slowest axis).
    fill_value : float, "auto" or "none"
        The value of pixels that hold none: they stay as they are, and nothing of them reaches their neighbours. By default values that
        fill a solid region at the maps' edges are found; pixels that are not finite never count.
    mask_ext : str or int, optional
        FITS extension with a mask: pixels where it is not 0 hold no value either.
    residual : bool
        Write data − result as well: extension ``RESIDUAL`` in FITS, ``OUTPUT.residual.npy`` for ``.npy``.
    overwrite : bool
        Replace an output that exists.
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
    begun = time.perf_counter()
    with look_at(input, ext=ext, axes=axes, stokes=stokes, fill_value=fill_value, mask_ext=mask_ext) as plan:
        layers = [RESIDUAL] if residual else []
        place = _checked_place(plan, output, layers, overwrite)
        denoiser = denoiser or Denoiser(model, **options)
        plan.check_size(denoiser.card)
        levels = find_levels(plan, denoiser, noise_sigma, scale)
        step = _step(plan, denoiser, levels, noise_sigma, scale, cycles)
        work = _Work(plan, denoiser, levels, cycles, residual, progress)
        sink = plan.source.sink(place, layers, step)
        try:
            stream(plan.source, plan.cube, sink, work, 1 + len(layers), denoiser.memory)
            sample = work.finish()
            sink.commit(table(plan.cube, work.records))
        except BaseException:
            sink.abort()
            raise
        return Summary(
            label=plan.source.label,
            outputs=tuple(plan.source.outputs(Path(output), layers)),
            cube=plan.cube,
            maps=tuple(work.records),
            levels=tuple(levels.values()),
            unit=plan.source.unit,
            network=denoiser.card.name,
            device=denoiser.engine.device,
            why=denoiser.engine.why,
            tile=denoiser.tile,
            pixels=work.pixels,
            seconds=time.perf_counter() - begun,
            sample=sample,
        )


def find_levels(
    plan: Plan, denoiser: Denoiser, noise_sigma: float | Literal["auto"] = "auto", scale: float | None = None
) -> dict[tuple[str, int], Level]:
    """Return the noise level of each group of maps: estimated, or the one that was given, or that a scale implies.

    Raises
    ------
    OptionError
        Both `noise_sigma` and `scale` are given, or one is no positive number.
    InputError
        No noise is found.
    """
    if noise_sigma == "auto" and scale is None:
        return plan.levels()
    # No map is looked at where the level is given: an empty one will do.
    sigma = denoiser.scaling(np.empty((0, 0)), noise_sigma=noise_sigma, scale=scale).sigma
    keys = {plan.cube.group(index) for index in plan.cube.indices() if plan.denoises(index)}
    return {key: Level(*key, sigma, 0) for key in sorted(keys)}


class _Work:
    """What is done to each map, and what is noted of it."""

    def __init__(
        self,
        plan: Plan,
        denoiser: Denoiser,
        levels: dict[tuple[str, int], Level],
        cycles: int,
        residual: bool,
        progress: Progress | None,
    ) -> None:
        self._plan, self._denoiser, self._levels, self._cycles = plan, denoiser, levels, cycles
        self._residual, self._progress = residual, progress
        self._wanted = plan.n_denoised // 2  # the map in the middle is kept for a picture
        self._sample: Sample | None = None
        self.records: list[MapRecord] = []
        self.pixels = 0

    def __call__(self, index: Index, plane: NDArray[np.floating]) -> list[NDArray[np.float32]]:
        """Return the result of a map, and its residual where wanted."""
        letter = self._plan.cube.letter(index)
        observed = self._plan.as_float32(index, plane)
        absent = self._plan.missing(index, observed) if self._plan.denoises(index) else None
        if absent is not None and not absent.all():
            result = self._denoised(index, letter, observed, absent)
        else:
            result = observed
            lost = 0 if absent is None else absent.size
            self.records.append(MapRecord(index, letter, np.nan, np.nan, np.nan, 0, lost))
        if self._progress:
            self._progress(len(self.records), self._plan.cube.n_maps, self.pixels)
        return [result, _difference(observed, result)] if self._residual else [result]

    def _denoised(self, index: Index, letter: str, observed: NDArray[np.float32], absent: Mask) -> NDArray[np.float32]:
        sigma = self._levels[self._plan.cube.group(index)].noise_sigma
        scale = self._denoiser.card.input_sigma / sigma
        values = np.where(absent, np.float32(np.nan), observed) if absent.any() else observed
        try:
            result = self._denoiser.denoise_map(values, scale, self._cycles)
        except InputError as error:
            raise InputError(f"map {index} of {self._plan.source.label}: {error}") from error
        residual_rms = rms(_difference(values, result))
        result = np.where(absent, observed, result)
        self.pixels += observed.size
        self.records.append(MapRecord(index, letter, sigma, scale, residual_rms, self._cycles, int(absent.sum())))
        if self._sample is None or sum(record.cycles > 0 for record in self.records) == self._wanted + 1:
            self._sample = Sample(index, values, np.where(absent, np.float32(np.nan), result), sigma)
        return result

    def finish(self) -> Sample:
        """Return one map for a picture, and refuse a file in which nothing could be denoised."""
        if self._sample is None:
            raise InputError(
                f"{self._plan.source.label} holds no value in the maps to denoise: they are constant, masked, or not finite; give other data"
            )
        return self._sample


def _difference(observed: NDArray[np.float32], result: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return data − result, NaN where the data are not finite."""
    with np.errstate(invalid="ignore"):
        return np.asarray(observed - result)


def _checked_place(plan: Plan, output: str | os.PathLike[str], layers: list[str], overwrite: bool) -> Path:
    """Return the real path of the output after looking at all places that would be written."""
    place = check_place(output, [plan.source.path], overwrite)
    for path in plan.source.outputs(place, layers)[1:]:
        check_place(path, [plan.source.path], overwrite)
    check_space(place, plan.source.output_bytes(1 + len(layers)))
    return place


def _step(
    plan: Plan,
    denoiser: Denoiser,
    levels: dict[tuple[str, int], Level],
    noise_sigma: float | Literal["auto"],
    scale: float | None,
    cycles: int,
) -> Step:
    """Return what is recorded in the output's header."""
    card, cube = denoiser.card, plan.cube
    sigmas = [level.noise_sigma for level in levels.values()]
    how = (
        "estimated" if noise_sigma == "auto" and scale is None else "given" if scale is None else "from the scale given"
    )
    typical = float(np.median(sigmas))
    parameters: dict[str, Any] = {
        "network": card.name,
        "sha256": denoiser.model.sha256,
        "noise_sigma": typical,
        "noise_sigma_from": how,
        "scale": card.input_sigma / typical,
        "cycles": cycles,
        "stokes": plan.letters or "all",
        "fill_value": plan.fill_value,
        "axes": {"y": cube.y, "x": cube.x},
        "tile": denoiser.tile,
        "device": denoiser.engine.device,
        "precision": denoiser.engine.precision,
        "threads": denoiser.engine.threads,
    }
    if plan.mask is not None:
        parameters["mask"] = plan.mask.label.removeprefix(str(plan.source.path)).strip("[]") or "0"
    if len(sigmas) > 1:
        parameters["noise_sigma_range"] = [min(sigmas), max(sigmas)]
    unit = f" {plan.source.unit}" if plan.source.unit else ""
    history = (
        f"solardn: {plan.n_denoised} of {cube.n_maps} maps of {cube.map_shape[0]} x {cube.map_shape[1]} pixels denoised"
        + (f" (Stokes {', '.join(plan.letters)}; others copied)" if plan.letters else ""),
        f"solardn: network {card.name}, noise rms {typical:.4g}{unit} ({how}), {cycles} cycle{'s' * (cycles > 1)}",
        f"solardn: axes: {cube.how}",
    )
    return Step(
        procedure="solardn denoise",
        mode=card.name,
        parameters=parameters,
        references=(card.reference,),
        libraries=(onnxruntime(), ("numpy", np.__version__)),
        environment=f"Python {platform.python_version()} on {sys.platform} {platform.machine()}",
        history=history,
        parent=plan.source.path.name,
        date=today(),
    )


def today() -> str:
    """Return the date for headers: today in UTC, or the one of SOURCE_DATE_EPOCH for builds that must be repeatable.

    Without the time of day, so that the same work on the same day gives the same bytes.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return moment.strftime("%Y-%m-%d")
