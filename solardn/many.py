"""Many files with one network: each is done for itself, but for the steps of a raster; those that fail are listed at the end."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .api import Denoiser
from .errors import InputError, OptionError, OutputError, SolardnError
from .files import denoise_file, loader, uncertainty_file
from .finished import Finished
from .io import is_lapalma, is_zarr, known_format, ready
from .io.address import MARK, split
from .io.lapalma import twin_of
from .io.numpy import is_archive
from .io.place import writing
from .io.rawout import layer_path
from .layers import ALEATORIC, EPISTEMIC, RESIDUAL, UNCERT
from .model import DEFAULT
from .plan import extension_or_file
from .rasters import files_of, gather
from .recording import computed_by
from .summary import Summary
from .work import Progress

_UNFORESEEN = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, EOFError, OSError, MemoryError)
"""What odd data and disks raise where nobody thought of them: one such file must not cost a night."""

_DEVIATIONS = (UNCERT, ALEATORIC, EPISTEMIC)

logger = logging.getLogger("solardn")

Names = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""Inputs as they are named: one, or several."""


class Watch(Protocol):
    """Told which file is next; gives what watches its maps."""

    def __call__(self, number: int, total: int, path: Path) -> Progress | None:
        """Return the progress callback for one file."""


@dataclass(frozen=True)
class Outcome:
    """What became of many files.

    Attributes
    ----------
    done : tuple of Summary
        Of the files that were denoised.
    skipped : tuple of pathlib.Path
        Inputs that an earlier run had finished (with `resume`).
    failed : tuple of (pathlib.Path, SolardnError)
        Inputs that could not be denoised, and why.
    files : int
        How many inputs were denoised: more than `done` where some are the steps of one raster.
    """

    done: tuple[Summary, ...]
    skipped: tuple[Path, ...]
    failed: tuple[tuple[Path, SolardnError], ...]
    files: int


def words_of(inputs: Names) -> list[str]:
    """Return the names of inputs one by one, a single one as the only one.

    Raises
    ------
    OptionError
        Something in their place that is no name, or an empty one.
    """
    given = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    try:
        words = [os.fspath(word) for word in given]
    except TypeError as error:
        raise OptionError(f"the inputs are {inputs!r}; give a name, or several in a list") from error
    if "" in words:  # which would stand for the current folder
        raise OptionError("the name of an input is empty; name a file or a folder")
    return words


def expand(inputs: Names) -> list[Path]:
    """Return the files that words stand for: names, patterns such as ``*.fits``, folders, and ``@list.txt`` with one of these a line.

    ``::NAME`` behind a name or a pattern, which names one of the arrays in a file, goes with each of its files.

    A folder stands for the files of known formats that lie in it itself, in the order of their names; others in it are left aside, but
    those that bear the name of a known format are kept, to be refused by name: a frame that was cut off must not go unseen.

    Raises
    ------
    InputError
        A pattern that fits nothing, a folder without such files, or a list that cannot be read or leads back to itself.
    """
    found = _expand(words_of(inputs), ())
    twins = {twin_of(path) for path in found if path.is_file() and is_lapalma(path)}
    return [path for path in found if path not in twins]  # twins of La Palma cubes go with their cubes


def _expand(words: Sequence[str], lists: tuple[Path, ...]) -> list[Path]:
    """Return the files that words stand for, which come out of lists in lists."""
    found: list[Path] = []
    for word in words:
        if word.startswith("@") and not Path(word).exists():
            listed = Path(word[1:])
            if listed in lists:
                raise InputError(f"the list {listed} leads back to itself; give lists that end in names of files")
            found += _expand(_listed(listed), (*lists, listed))
        elif glob.has_magic(word) and not split(word)[0].exists():
            pattern, _, part = word.partition(MARK)
            matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - absolute patterns too
            if not matches:
                raise InputError(f"no file fits the pattern {pattern}; check it")
            found += [Path(f"{match}{MARK}{part}" if part else match) for match in matches]
        elif Path(word).is_dir() and not is_zarr(Path(word)):
            found += _inside(Path(word))
        else:
            found.append(Path(word))
    return list(dict.fromkeys(found))


def denoise_files(
    inputs: Names,
    output_dir: str | os.PathLike[str],
    *,
    model: str | Path = DEFAULT,
    one: Callable[..., Summary] = denoise_file,
    denoiser: Denoiser | None = None,
    resume: bool = False,
    watch: Watch | None = None,
    told: Callable[[Summary], None] | None = None,
    **options: Any,
) -> Outcome:
    """Take the noise out of many files with one network, or do to them what else is done to one.

    Parameters
    ----------
    inputs : path or sequence of path
        Names, patterns, folders and lists, see `expand`; one alone, or several. Files that are the steps of one raster are put together, see
        `solardn.rasters.gather`.
    output_dir : path
        Folder for the outputs, which bear their inputs' names; made where it does not exist.
    model : str or path
        Name of a network, or an ONNX file.
    one : callable
        What is done to each file: `denoise_file`, or `uncertainty_file`.
    denoiser : Denoiser, optional
        One at hand, instead of `model`.
    resume : bool
        Leave out what an earlier run with the same arguments finished, and go on where it was killed.
    watch : callable, optional
        Told each file before it is begun; returns the progress callback for it.
    told : callable, optional
        Told what each file came to as soon as it is done.
    **options
        As for that, and for `Denoiser`.

    Returns
    -------
    Outcome
        A file that fails does not keep the others from being done.

    Raises
    ------
    SolardnError
        Nothing can be done at all: no file, two that would write one output, an output that is among the inputs, an unusable network.
    """
    words = words_of(inputs)
    paths = expand(words)
    folder = Path(output_dir)
    places = output_places(paths, folder, one, residual=options.get("residual", False))
    settings: dict[str, Any] = {
        key: options.pop(key) for key in ("device", "precision", "threads", "tile", "memory") if key in options
    }
    denoiser = loader(denoiser, model, settings)()
    finished = notes(words, folder, one, denoiser, resume=resume, **options)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    done: list[Summary] = []
    skipped: list[Path] = []
    failed: list[tuple[Path, SolardnError]] = []
    units = gather(paths, options.get("ext"), options.get("axes"))
    for number, unit in enumerate(units, 1):
        own = files_of(unit)
        if finished.has_all(own, places):
            skipped += own
            ready.forget([places[path] for path in own])  # a run that was killed may have left them
            continue
        finished.begin([(path, places[path]) for path in own])
        progress = watch(number, len(units), own[0]) if watch else None
        try:
            done.append(one(unit, places[own[0]], denoiser=denoiser, resume=resume, progress=progress, **options))
            finished.add([(path, places[path]) for path in own])
        except (SolardnError, *_UNFORESEEN) as error:
            finished.withdraw()
            logger.debug("%s", own[0], exc_info=error)
            failed += [(path, _as_ours(error, path)) for path in own]
        except BaseException:
            finished.withdraw()
            raise
        else:
            if told:
                told(done[-1])
    if not failed:  # else notes stay, by which the same command with `resume` leaves out what is done
        finished.end()
    return Outcome(tuple(done), tuple(skipped), tuple(failed), len(paths) - len(skipped) - len(failed))


def notes(
    inputs: Names,
    folder: Path,
    one: Callable[..., Summary],
    denoiser: Denoiser,
    *,
    resume: bool,
    **options: Any,
) -> Finished:
    """Return the notes on which of the files that `denoise_files` would treat are done."""
    _, noise_map = extension_or_file(options.get("noise_map", "off"))
    file = None if noise_map is None else split(noise_map)[0]
    task = [
        one.__name__,
        computed_by(denoiser, file if file and file.exists() else None),
        sorted(map(repr, options.items())),
    ]
    return Finished(folder, words_of(inputs), task, resume)


def output_places(
    paths: Sequence[Path], folder: Path, one: Callable[..., Summary] = denoise_file, *, residual: bool = False
) -> dict[Path, Path]:
    """Return where the output of each file goes; refuse an empty list, two inputs that would write one file, and outputs that are inputs.

    Outputs bear the names of their inputs; but that of a ``.npy`` file may be a ``.npz`` (see `solardn.io.numpy.is_archive`), and that of an ``.icube``
    is an ``.fcube``, as its integers become floats. Further layers and twins, which lie beside some outputs, may not be those of others either.

    Raises
    ------
    OptionError, OutputError
    """
    if not paths:
        raise OptionError("no input file is named; name at least one")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder with --output-dir")
    layers: Sequence[str] = _DEVIATIONS if one is uncertainty_file else [RESIDUAL] if residual else []
    taken: dict[Path, Path] = {}
    places: dict[Path, Path] = {}
    for path in paths:
        place = folder / split(path)[0].name
        if is_archive(layers) and place.suffix.lower() == ".npy":
            place = place.with_suffix(".npz")
        elif place.suffix.lower() == ".icube":
            place = place.with_suffix(".fcube")
        written = _written(path, place, layers)
        for file in written:
            if file in taken:
                raise OptionError(
                    f"{taken[file]} and {path} would both write {file}; denoise them in separate runs, each with another --output-dir"
                )
        taken |= dict.fromkeys(written, path)
        places[path] = place
    for path in paths:
        if split(path)[0].parent.resolve() == folder.resolve():
            raise OutputError(
                f"the output of {path} would be in its own folder and replace it; name another --output-dir"
            )
    return places


def _written(path: Path, place: Path, layers: Sequence[str]) -> list[Path]:
    """Return all files that one input is written to: most formats have one, which holds all layers."""
    ending = place.suffix.lower()
    beside = [layer_path(place, layer) for layer in layers] if ending in (".npy", ".fcube") else []
    twins = [twin_of(place)] if ending == ".fcube" and twin_of(split(path)[0]).exists() else []
    return [place, *beside, *twins]


def _as_ours(error: Exception, path: Path) -> SolardnError:
    """Return an error as one that users are told; those that nobody foresaw as well."""
    if isinstance(error, SolardnError):
        return error
    if isinstance(error, OSError):
        return InputError(f"the work on {path} was stopped by the system ({error}); look at the disks, and try again")
    return InputError(
        f"{path} stopped the work on it in a way that nobody foresaw ({type(error).__name__}: {error}); please report this"
    )


def _inside(folder: Path) -> list[Path]:
    """Return the files of known formats in a folder."""
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be read ({error.strerror}); check its permissions") from error
    files = [path for path in inside if not path.name.startswith(".") and known_format(path)]
    if not files:
        raise InputError(f"the folder {folder} holds no file of a known format; check the name")
    return files


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the list {path} cannot be read ({error}); give a text file with one name a line") from error
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
