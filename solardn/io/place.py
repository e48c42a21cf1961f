"""The place of an output file: checked first, written beside, put there whole at the end, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import OutputError, way_out
from . import ready
from .address import MARK
from .packed import PACKERS

try:
    import fcntl
except ImportError:  # Windows has no such locks: there two runs with one output are not told apart
    fcntl = None  # type: ignore[assignment]


_HIDDEN = 32  # letters by which the hidden names beside an output are longer than its own, at most


def check_place(
    output: str | os.PathLike[str],
    inputs: Sequence[Path],
    overwrite: bool,
    *,
    folder: bool = False,
    resume: bool = False,
) -> Path:
    """Return the real path of an output that may be written.

    Parameters
    ----------
    output : path
    inputs : sequence of pathlib.Path
        Files that must stay untouched.
    overwrite : bool
        Whether a file that exists may be replaced.
    folder : bool
        Whether the output is a folder, and may replace one.
    resume : bool
        Whether it may be there because an earlier run was killed right after it put it there.

    Raises
    ------
    OutputError
        It is an input, exists already, has too long a name, or its folder is missing or not writable.
    """
    path = Path(os.path.realpath(output))
    with writing(path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
        Path(f"{path}{_HIDDEN * '-'}").lstat()
    for given in inputs:
        if path.exists() and given.exists() and path.samefile(given):
            raise OutputError(
                f"the output {output} is the input {given}; give another name, the input is never changed"
            )
        if given.is_dir() and given.resolve() in path.parents:
            raise OutputError(f"the output {output} lies inside the input {given}; give a place outside of it")
    if MARK in os.fspath(output) and (MARK in path.name or not path.parent.is_dir()):
        raise OutputError(
            f"the output {output} names a part of a file with '{MARK}'; name the file only, its parts keep their names"
        )
    if not folder and (path.is_dir() or not os.path.split(output)[1]):  # a slash at the end
        raise OutputError(f"the output {output} is a folder; give the name of a file")
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OutputError(f"the output {output} is no ordinary file; give the name of a file")
    if path.is_file() and folder:
        raise OutputError(f"the output {output} is a file, and it must be a folder like the input; give another name")
    if path.exists() and not overwrite and not (resume and ready.is_ours(path)):
        raise OutputError(f"the output {output} exists; give another name, or --overwrite to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} of the output does not exist; make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {path.parent} of the output is not writable; choose another")
    return path


_SUFFIXES = (".fits", ".npy", ".npz", ".zip", ".h5", ".hdf5", ".zarr", ".fcube", ".icube", *PACKERS)


def check_name(output: Path, what: str, *own: str, becomes: str = "", strict: bool = False) -> None:
    """Refuse an output whose name promises another format.

    Parameters
    ----------
    output : pathlib.Path
    what : str
        What the input is, with its article.
    *own : str
        How the output's name may end, the usual way first; capitals do not matter. What stands before ``.gz`` and the like must be one of them, too,
        where it promises a format.
    becomes : str
        What the output is, where that differs.
    strict : bool
        Whether it must end so; else what belongs to no known format is left to the user.

    Raises
    ------
    OutputError
    """
    *_, before, ending = ("", "", *map(str.lower, output.suffixes))
    endings = (before, ending) if ending in PACKERS else (ending,)
    if any(one not in own and (strict or one in _SUFFIXES) for one in endings):
        raise OutputError(
            f"the output {output} of {what} is {becomes or f'{what} as well'}; let its name end in {own[0]}"
        )


class PartLostError(Exception):
    """What an earlier run wrote is not there any more, so that it must begin anew; caught where runs begin."""


class PartFile:
    """A file that grows beside its place under a hidden name.

    Parameters
    ----------
    output : pathlib.Path
        Its place, as `check_place` returned it.
    resume : bool
        Keep what an earlier run left of it.

    Raises
    ------
    OutputError
        It cannot be made, or another run is writing the same output.
    PartLostError
        It is to be kept and is not there.
    """

    def __init__(self, output: Path, *, resume: bool = False) -> None:
        self.output = output
        self._done = False
        self.part = output.with_name(f".{output.name}.solardn-part")
        if resume and not self.part.exists() and ready.is_ours(output, self.part):
            output.replace(
                self.part
            )  # an earlier run was killed when it had put this in its place, and something was left to do
        if resume and not self.part.exists():  # going on in an empty file would make zeros of what was done
            raise PartLostError(self.part)
        with writing(output):
            self.file = self._open()
            if not resume:
                self.file.truncate(0)

    def _open(self) -> BinaryIO:
        while True:
            file = open(os.open(self.part, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)  # noqa: SIM115, PTH123
            if fcntl is None:
                return file
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self.part.exists() and os.path.samestat(os.fstat(file.fileno()), self.part.stat()):
                    return file
            except BlockingIOError:
                file.close()
                raise OutputError(
                    f"another run is writing {self.output}; wait for it, or give another output"
                ) from None
            file.close()  # the run that held it put it in its place meanwhile: begin a new one

    def write(self, data: Any) -> int:
        """Write all of some bytes."""
        view = memoryview(data).cast("B")
        while view:
            view = view[self.file.write(view) :]
        return len(data)

    def flush(self) -> None:
        """Do nothing: it is written without buffering (writers such as gzip ask for it)."""

    def commit(self, *, noted: bool = False) -> Path:
        """Bring it to the disk and to its place, and return that; with a note for a run that goes on (see `solardn.io.ready`)."""
        with writing(self.output):
            os.fsync(self.file.fileno())
            self.file.close()
            if noted:
                ready.note(self.part, self.output)
            self.part.replace(self.output)
            self._done = True
            _synchronise(self.output.parent)
        return self.output

    def abort(self, *, keep: bool = False) -> None:
        """Remove it, unless it is in its place already, or is kept for a run that goes on."""
        self.file.close()
        if not self._done and not keep:
            self.part.unlink(missing_ok=True)


def write_whole(output: Path, data: bytes) -> None:
    """Write a file at once; it appears when it is whole, and what is there is replaced.

    Raises
    ------
    OutputError
    """
    part = PartFile(Path(os.path.realpath(output)))
    try:
        with writing(output):
            part.write(data)
        part.commit()
    finally:
        part.abort()


def put(built: Path, output: Path) -> None:
    """Bring a file or folder that is complete to the disk and to its place; what is there is replaced."""
    for path in sorted(built.rglob("*")) if built.is_dir() else [built]:
        _synchronise(path)
    ready.note(built, output)
    old = output.with_name(f".{output.name}.solardn-old")
    if output.is_dir() and old.exists():  # of a run that was killed before it could remove it
        shutil.rmtree(old)
    if output.is_dir():  # a folder is not replaced in one step: it makes room, and goes when the new one is there
        output.replace(old)
    try:
        built.replace(output)
    except BaseException:
        if old.exists():
            old.replace(output)
        raise
    shutil.rmtree(old, ignore_errors=True)
    _synchronise(output.parent)


def _synchronise(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    with contextlib.suppress(*([OSError] if path.is_dir() else [])):  # not every system lets a folder be synchronised
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


_WAYS_OUT = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free space, or write elsewhere"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "change the permissions, or write elsewhere"),
}
"""What helps against an error of the system."""


@contextlib.contextmanager
def writing(output: Path) -> Iterator[None]:
    """Turn the system's errors into one that names the output."""
    try:
        yield
    except OSError as error:
        helps = _WAYS_OUT.get(error.errno or 0) or way_out(error, "look at the disk, or write elsewhere")
        raise OutputError(f"cannot write {output} ({error.strerror or error}); {helps}") from error
