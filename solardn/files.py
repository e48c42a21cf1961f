"""From file to file: every map is read, denoised and written, and the output appears whole at the end or not at all."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .api import Denoiser
from .arrays import Cycles, checked_cycles
from .cube import Batch
from .familiar import warn
from .inspection import Inspection
from .inspector import Inspector
from .io import Sink, files_of
from .io.form import Form, chosen_form
from .io.place import check_place, check_space
from .journal import Journal
from .levels import NoiseSigma, find_levels
from .model import DEFAULT
from .noisemap import NOISE_MAP
from .plan import Plan, look_at
from .recording import denoising_step, stored_as, task
from .stages import END, LEVEL, LOOK, Stages
from .stream import batches_within, stream
from .summary import Summary, table
from .work import Progress, Work

if TYPE_CHECKING:
    from .every import Together
    from .io.frames import Frames

RESIDUAL = "RESIDUAL"

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
    begun, stages = time.perf_counter(), Stages()
    checked_cycles(cycles)
    form = chosen_form(output_dtype, compress)
    if ext == "all" and isinstance(input, str | os.PathLike):
        from .every import treat_every

        same: dict[str, Any] = {
            "noise_sigma": noise_sigma,
            "scale": scale,
            "noise_map": noise_map,
            "cycles": cycles,
            "stokes": stokes,
            "axes": axes,
            "fill_value": fill_value,
            "mask_ext": mask_ext,
            "residual": residual,
            "output_dtype": output_dtype,
            "compress": compress,
            "inspect": inspect,
            "progress": progress,
            "denoiser": denoiser or Denoiser(model, **options),
        }
        return treat_every(
            denoise_file, input, output, layers=1 + residual, form=form, overwrite=overwrite, resume=resume, **same
        )
    with look_at(
        input, ext=ext, axes=axes, stokes=stokes, fill_value=fill_value, mask_ext=mask_ext, noise_map=noise_map
    ) as plan:
        layers = [RESIDUAL] if residual else []
        place = _checked_place(plan, output, layers, form, overwrite)
        if together:
            place = together.place(ext)
        denoiser = denoiser or Denoiser(model, **options)
        plan.check_size(denoiser.card)
        with stages(LEVEL):
            levels = find_levels(plan, denoiser, noise_sigma, scale, even=noise_map == "auto")
            said = warn(plan, denoiser, levels)
        step = denoising_step(plan, denoiser, levels, noise_sigma, scale, cycles, noise_map, inspect)
        form = form.for_noise(min(level.noise_sigma for level in levels.values()))
        step = stored_as(step, form, plan.source.unit)
        journal = Journal(place, task(plan, step, layers), resume)
        step = replace(step, date=journal.task["date"])
        inspector = Inspector(plan, denoiser.memory) if inspect else None
        work = Work(plan, denoiser, levels, cycles, residual, progress, inspector, stages)
        maker = together or plan.source
        sink = maker.sink(place, layers, step, form=form, resume=journal.resumed)
        try:
            at_once = _BUSY * denoiser.engine.threads
            _run(plan, sink, work, journal, 1 + len(layers), denoiser.memory, at_once, stages)
            with stages(LOOK):
                seen = inspector.finish(str(output)) if inspector else None
            verdicts = inspector.verdicts if inspector else {}
            with stages(END):
                sink.commit(
                    table(plan.cube, work.records, verdicts), seen.short if isinstance(seen, Inspection) else seen or ""
                )
            journal.close(remove=together is None)
        except BaseException:
            sink.abort(keep=resume)
            journal.close(remove=not resume)
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
        )


def _run(
    plan: Plan, sink: Sink, work: Work, journal: Journal, layers: int, memory: int, together: int, stages: Stages
) -> None:
    """Send all maps through, those first that an earlier run left."""
    batches = batches_within(memory, plan.source, plan.cube, layers, together)
    following = next(batches, None)
    while following is not None and len(work.records) + len(following.indices) <= len(journal.records):
        blocks = [sink.restore(layer, following.selection) for layer in range(layers)]
        for result in plan.cube.to_maps(blocks[0]):
            work.restore(journal.records[len(work.records)], result)
        following = next(batches, None)
    journal.keep(len(work.records))
    journal.open()

    def written(batch: Batch) -> None:
        first = len(journal.records)
        journal.records += work.records[first : first + len(batch.indices)]
        journal.add(journal.records[first:])

    rest = itertools.chain([following] if following is not None else [], batches)
    stream(plan.source, plan.cube, sink, work, rest, written, stages)
    work.finish()


def _checked_place(plan: Plan, output: str | os.PathLike[str], layers: list[str], form: Form, overwrite: bool) -> Path:
    """Return the real path of the output after looking at all places that would be written."""
    inputs = files_of(plan.source)
    place = check_place(output, inputs, overwrite, folder=plan.source.path.is_dir())
    for path in plan.source.outputs(place, layers)[1:]:
        check_place(path, inputs, overwrite)
    check_space(place, plan.source.needed_bytes(1 + len(layers), form))
    return place
