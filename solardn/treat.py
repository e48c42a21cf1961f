"""The one way from file to file: every map is read, treated and written, and the output appears whole at the end or not at all."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .api import Denoiser
from .arrays import in_unit_of
from .cube import Batch
from .destination import checked_place
from .familiar import warn, warn_afterwards
from .inspection import Inspection
from .inspector import Inspector
from .io import Input, Sink, ready
from .io.form import Form
from .io.place import PartLostError
from .journal import Journal
from .levels import NoiseSigma, find_levels
from .plan import Plan, look_at
from .processes import Process
from .recording import begun_as, processing_step, stored_as, task
from .stages import END, LEVEL, LOOK, Stages
from .stream import batches_within, stream
from .strips import strips_for
from .summary import Summary, table
from .work import Progress, Work

if TYPE_CHECKING:
    from .every import Together
    from .io.fitsfile import Unpacked

_BUSY = 4  # maps at once for each thread, so that none waits long for another at the end of a batch


@dataclass(frozen=True)
class Noise:
    """Where the noise level comes from; see `solardn.files.denoise_file`."""

    sigma: NoiseSigma
    scale: float | None
    map: str | os.PathLike[str]


@dataclass(frozen=True)
class Manner:
    """How a run goes about it; see `solardn.files.denoise_file`, and `solardn.every` on images whose results gather together."""

    inspect: bool
    overwrite: bool
    resume: bool
    progress: Progress | None
    form: Form
    together: Together | None = None


@dataclass(frozen=True)
class Treatment:
    """What is done with a file.

    Attributes
    ----------
    process_of : callable
        Makes the process of a denoiser.
    load : callable
        Makes the denoiser, once the input has been looked at.
    chosen : dict
        What of the input is meant: ``stokes``, ``ext``, ``axes``, ``fill_value``, ``mask_ext``.
    noise, manner
        Where the noise level comes from, and how the run goes about it.
    """

    process_of: Callable[[Denoiser], Process]
    load: Callable[[], Denoiser]
    chosen: dict[str, Any]
    noise: Noise
    manner: Manner


def treat(input: Input, output: str | os.PathLike[str], how: Treatment) -> Summary:
    """Send all maps of a file through a process.

    Parameters
    ----------
    input, output : path
        As for `solardn.files.denoise_file`.
    how : Treatment

    Raises
    ------
    SolardnError
        As for `solardn.files.denoise_file`.
    """
    begun, stages = time.perf_counter(), Stages()
    chosen, noise, manner = how.chosen, how.noise, how.manner
    if chosen["ext"] == "all" and isinstance(input, str | os.PathLike):
        return _treat_every(input, output, how)
    form, together, resume = manner.form, manner.together, manner.resume
    with look_at(input, noise_map=noise.map, **chosen) as plan, _loaded(how, plan) as denoiser:
        noise = replace(noise, sigma=in_unit_of(noise.sigma, plan.source, "noise_sigma"))
        process = how.process_of(denoiser)
        layers = process.layers
        place = checked_place(plan, output, layers, form, overwrite=manner.overwrite, resume=resume)
        places = plan.source.outputs(place, layers)
        if together:
            place = together.place(chosen["ext"])
        plan.check_size(denoiser.card)
        with stages(LEVEL):
            levels = find_levels(plan, denoiser, noise.sigma, noise.scale, noise.map)
            said = warn(plan, denoiser, levels)
        step = processing_step(plan, denoiser, process, levels, noise.sigma, noise.scale, noise.map, manner.inspect)
        form = form.for_noise(
            min(sigma for level in levels.values() for sigma in (level.noise_sigma, *level.each.values()))
        )
        step = stored_as(step, form, plan.source.unit)
        journal = Journal(place, task(plan, denoiser, step, layers), resume)
        step = begun_as(step, journal.task)
        inspector = (
            Inspector(plan, denoiser.memory, levels, process.parameters.get("cycles", 1)) if manner.inspect else None
        )
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
        said += warn_afterwards(plan, work.records, levels)
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


@contextmanager
def _loaded(how: Treatment, plan: Plan) -> Iterator[Denoiser]:
    """Give the denoiser, whose memory includes what the files keep meanwhile."""
    denoiser = how.load()
    with denoiser.runner.beside(plan.keep_within(denoiser.memory)):
        yield denoiser


def _treat_every(input: str | os.PathLike[str], output: str | os.PathLike[str], how: Treatment) -> Summary:
    """Send all images of a FITS file through a process; see `solardn.every`."""
    from .every import treat_every

    denoiser, manner = how.load(), how.manner

    def one(file: Unpacked, ext: int, together: Together) -> Summary:
        chosen, beside = how.chosen | {"ext": ext}, replace(manner, together=together)
        return treat(file, output, replace(how, load=lambda: denoiser, chosen=chosen, manner=beside))

    return treat_every(
        one,
        input,
        output,
        layers=1 + len(how.process_of(denoiser).layers),
        form=manner.form,
        overwrite=manner.overwrite,
        resume=manner.resume,
        mask_ext=how.chosen["mask_ext"],
        noise_map=how.noise.map,
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
