"""From file to file: every map is read, denoised and written, and the output appears whole at the end or not at all."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .api import Denoiser
from .arrays import Cycles, checked_cycles
from .cube import Batch
from .errors import OptionError
from .familiar import warn
from .inspection import Inspection
from .inspector import Inspector
from .io import Sink, files_of, ready
from .io.form import Form, chosen_form
from .io.place import PartLostError, check_place, check_space
from .journal import Journal
from .layers import UNCERT
from .levels import NoiseSigma, find_levels
from .model import DEFAULT, DEFAULT_WITH_UNCERTAINTY
from .noisemap import NOISE_MAP
from .plan import Plan, look_at
from .processes import Denoising, Estimation, Process
from .recording import processing_step, stored_as, task
from .stages import END, LEVEL, LOOK, Stages
from .stream import batches_within, stream
from .strips import strips_for
from .summary import Summary, table
from .work import Progress, Work

if TYPE_CHECKING:
    from .every import Together
    from .io.frames import Frames

_BUSY = 4  # maps at once for each thread, so that none waits long for another at the end of a batch


def denoise_file(
    input: str | os.PathLike[str] | Frames,
    output: str | os.PathLike[str],
    *,
    model: str | Path = DEFAULT,
    noise_sigma: NoiseSigma = "auto",
    scale: float | None = None,
    noise_map: str | os.PathLike[str] = NOISE_MAP,
    cycles: Cycles = 1,
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
    together: Together | None = None,
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
    noise_sigma : float, "auto" or "per-map"
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
    together : Together, optional
        Where the results of several images of the file gather, see `solardn.every`; the output is written when all are there.
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
    return _treat(
        input,
        output,
        lambda network: Denoising(network, cycles, residual),
        lambda: denoiser or Denoiser(model, **options),
        {"stokes": stokes, "ext": ext, "axes": axes, "fill_value": fill_value, "mask_ext": mask_ext},
        _Noise(noise_sigma, scale, noise_map),
        _Manner(inspect, overwrite, resume, progress, chosen_form(output_dtype, compress), together),
    )


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
    together: Together | None = None,
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
    denoiser, together, **options
        As for `denoise_file`.

    Returns
    -------
    Summary

    Raises
    ------
    SolardnError
        As for `denoise_file`; also when the network cannot tell what is asked for, which names what it can give.
    """
    return _treat(
        input,
        output,
        lambda network: Estimation(network, samples, seed, method),
        lambda: denoiser or Denoiser(model, **options),
        {"stokes": stokes, "ext": ext, "axes": axes, "fill_value": fill_value, "mask_ext": mask_ext},
        _Noise(noise_sigma, scale, noise_map),
        _Manner(inspect, overwrite, resume, progress, chosen_form(output_dtype, compress), together),
    )


@dataclass(frozen=True)
class _Noise:
    """Where the noise level comes from."""

    sigma: NoiseSigma
    scale: float | None
    map: str | os.PathLike[str]


@dataclass(frozen=True)
class _Manner:
    """How a run goes about it."""

    inspect: bool
    overwrite: bool
    resume: bool
    progress: Progress | None
    form: Form
    together: Together | None


def _treat(
    input: str | os.PathLike[str] | Frames,
    output: str | os.PathLike[str],
    process_of: Callable[[Denoiser], Process],
    load: Callable[[], Denoiser],
    chosen: dict[str, Any],
    noise: _Noise,
    manner: _Manner,
) -> Summary:
    """Send all maps of a file through a process; whatever is made of them, this is the one way from file to file."""
    begun, stages = time.perf_counter(), Stages()
    if chosen["ext"] == "all" and isinstance(input, str | os.PathLike):
        return _treat_every(input, output, process_of, load, chosen, noise, manner)
    form, together, resume = manner.form, manner.together, manner.resume
    with look_at(input, noise_map=noise.map, **chosen) as plan:
        denoiser = load()
        denoiser.runner.set_aside(plan.keep_within(denoiser.memory))
        process = process_of(denoiser)
        layers = process.layers
        if UNCERT in layers and form.compress == "rice":
            raise OptionError(
                "--compress rice rounds to steps that are too coarse for standard deviations; take --compress gzip, which keeps all bits"
            )
        place = checked_place(plan, output, layers, form, overwrite=manner.overwrite, resume=resume)
        places = plan.source.outputs(place, layers)
        if together:
            place = together.place(chosen["ext"])
        plan.check_size(denoiser.card)
        with stages(LEVEL):
            levels = find_levels(plan, denoiser, noise.sigma, noise.scale, even=noise.map == "auto")
            said = warn(plan, denoiser, levels)
        step = processing_step(plan, denoiser, process, levels, noise.sigma, noise.scale, noise.map, manner.inspect)
        form = form.for_noise(min(level.noise_sigma for level in levels.values()))
        step = stored_as(step, form, plan.source.unit)
        journal = Journal(place, task(plan, step, layers), resume)
        step = replace(step, date=journal.task["date"])
        inspector = Inspector(plan, denoiser.memory, levels) if manner.inspect else None
        work = Work(plan, denoiser, levels, process, manner.progress, inspector, stages, form.dtype)
        maker = together or plan.source
        try:
            sink = maker.sink(place, layers, step, form=form, resume=journal.resumed)
        except PartLostError:
            journal.keep(0)
            sink = maker.sink(place, layers, step, form=form)
        try:
            at_once = _BUSY * denoiser.engine.threads
            large = strips_for(plan, sink, work, process, denoiser.runner, denoiser.memory, stages)
            _run(plan, sink, work, journal, 1 + len(layers), denoiser.memory, at_once, stages, large)
            with stages(LOOK):
                seen = inspector.finish(str(output)) if inspector else None
            verdicts = inspector.verdicts if inspector else {}
            with stages(END):
                sink.commit(
                    table(plan.cube, work.records, verdicts), seen.short if isinstance(seen, Inspection) else seen or ""
                )
            journal.close(remove=together is None)
            ready.forget(places if together is None else [])
        except BaseException:
            sink.abort(keep=manner.resume)
            journal.close(remove=not manner.resume)
            ready.forget([] if manner.resume else places)
            raise
        finally:
            if inspector:
                inspector.close()
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
            stages=stages.seconds,
            inspection=seen,
            warnings=said,
            words=process.words,
            parameters=process.parameters,
            deviation=float(np.nanmedian(work.deviations)) if work.deviations else None,
        )


def _treat_every(
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    process_of: Callable[[Denoiser], Process],
    load: Callable[[], Denoiser],
    chosen: dict[str, Any],
    noise: _Noise,
    manner: _Manner,
) -> Summary:
    """Send all images of a FITS file through a process; see `solardn.every`."""
    from .every import treat_every

    denoiser = load()

    def treat(input: Path, output: Path, *, ext: int, together: Together, **_: Any) -> Summary:
        of_one = replace(manner, together=together)
        return _treat(input, output, process_of, lambda: denoiser, chosen | {"ext": ext}, noise, of_one)

    return treat_every(
        treat,
        input,
        output,
        layers=1 + len(process_of(denoiser).layers),
        form=manner.form,
        overwrite=manner.overwrite,
        resume=manner.resume,
        mask_ext=chosen["mask_ext"],
        noise_map=noise.map,
    )


def _run(
    plan: Plan,
    sink: Sink,
    work: Work,
    journal: Journal,
    layers: int,
    memory: int,
    together: int,
    stages: Stages,
    large: Callable[[Batch], bool] | None,
) -> None:
    """Send all maps through, those first that an earlier run left."""
    batches = batches_within(memory, plan.source, plan.cube, layers, 1 if large else together)
    following = next(batches, None)
    while following is not None and len(work.records) + len(following.indices) <= len(journal.records):
        blocks = [sink.restore(layer, following.selection) for layer in range(layers)]
        for images in zip(*map(plan.cube.to_maps, blocks), strict=True):
            work.restore(journal.records[len(work.records)], images)
        following = next(batches, None)
    journal.keep(len(work.records))
    journal.open()

    def written(batch: Batch) -> None:
        first = len(journal.records)
        journal.records += work.records[first : first + len(batch.indices)]
        journal.add(journal.records[first:])

    rest = itertools.chain([following] if following is not None else [], batches)
    for batch in rest if large else ():  # one map each
        if large and large(batch):
            written(batch)
        else:
            stream(plan.source, plan.cube, sink, work.jobs, work, iter([batch]), written, stages)
    stream(plan.source, plan.cube, sink, work.jobs, work, rest, written, stages)
    work.finish()


def checked_place(
    plan: Plan,
    output: str | os.PathLike[str],
    layers: Sequence[str],
    form: Form,
    *,
    overwrite: bool = False,
    resume: bool = False,
) -> Path:
    """Return the real path of the output after looking at all places that would be written."""
    inputs = files_of(plan.source)
    place = check_place(output, inputs, overwrite, folder=plan.source.path.is_dir(), resume=resume)
    ended = resume and ready.is_ours(place)  # then the others beside it are ours too, their notes may be gone
    beside = plan.source.outputs(place, layers)[1:]
    for path in beside:
        check_place(path, inputs, overwrite or ended, resume=resume)
    packed = 2 if place.suffix == ".gz" else 1  # it is written plain first
    check_space(place, packed * plan.source.needed_bytes(1 + len(layers), form), beside)
    return place
