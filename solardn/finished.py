"""Which of many files are done: noted in the folder of their outputs, for a run of the same command that goes on.

Each command has a file of notes of its own there, so that the jobs of an array, which share a folder, do not touch those of one another.
A run that may go on leaves it there when it is done: the same command then does only what is missing, also after files were added.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .io import state_of
from .io.address import split
from .io.place import writing
from .journal import journal_path

NAME = ".solardn-journal"
_WITHDRAWN = False  # in place of the state of an output
_Places = Sequence[tuple[Path, Path]]


class Finished:
    """Files that are done.

    Parameters
    ----------
    folder : pathlib.Path
        Where the outputs go.
    words : sequence of str
        The inputs as they were named, which tell this command from others.
    task : Any
        What is done to each file, as JSON knows it.
    resume : bool
        Look at the notes of earlier runs, and leave one's own.
    """

    def __init__(self, folder: Path, words: Sequence[str], task: Any, resume: bool) -> None:
        self._task = json.dumps(task)
        number = hashlib.sha256(json.dumps([*words, self._task]).encode()).hexdigest()[:12]
        self.path = folder / f"{NAME}-{number}"
        self._resume = resume
        self._begun: list[str] = []  # keys of the files begun last
        self._notes: dict[str, list[Any]] = {}
        if resume:
            for path in sorted(folder.glob(f"{NAME}-*")):
                for key, output in _last_words(path).items():
                    self._notes.setdefault(key, []).append(output)
        else:
            self._remove()

    def has(self, path: Path, output: Path) -> bool:
        """Tell whether a file is done: it was noted, or was begun without an output, which appears only when it is whole."""
        if not self._notes or not output.exists() or not split(path)[0].exists():
            return False
        notes = [note for note in self._notes.get(self._key(path), []) if note is not None]
        if notes:
            return _output_state(output) in notes
        return self._key(path) in self._notes and not journal_path(output).exists()

    def has_all(self, paths: Sequence[Path], outputs: Mapping[Path, Path]) -> bool:
        """Tell whether all of some files are done."""
        return all(self.has(path, outputs[path]) for path in paths)

    def begin(self, files: _Places) -> None:
        """Note files that are begun now, where they have no output yet."""
        self._begun = [self._key(path) for path, output in files if split(path)[0].exists() and not output.exists()]
        self._write(dict.fromkeys(self._begun))

    def withdraw(self) -> None:
        """Take back the note of the files begun last, which failed."""
        self._write(dict.fromkeys(self._begun, _WITHDRAWN))  # not cut off: another job may have noted more since
        if not _last_words(self.path):
            self._remove()

    def add(self, files: _Places) -> None:
        """Note files that are done."""
        self._write({self._key(path): _output_state(output) for path, output in files if split(path)[0].exists()})

    def end(self) -> None:
        """Leave no notes of a run that did everything, unless the same command may be given again."""
        if not self._resume:
            self._remove()

    def _key(self, path: Path) -> str:
        """Return what tells a file in its state, and what is done to it, from others."""
        file, part = split(path)
        # Its name, too, as links to it have outputs of their own.
        return json.dumps([*state_of(file), file.name, part, self._task])

    def _write(self, notes: dict[str, Any]) -> None:
        with writing(self.path), self.path.open("a") as file:
            file.writelines(json.dumps(note) + "\n" for note in notes.items())

    def _remove(self) -> None:
        with writing(self.path):
            self.path.unlink(missing_ok=True)


def _last_words(path: Path) -> dict[str, Any]:
    """Return the last note on each file: the state of its output, or nothing where it was only begun; none on one that failed."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:  # another job has removed its notes
        return {}
    found: dict[str, Any] = {}
    for line in lines:
        try:
            key, output = json.loads(line)
        except ValueError:  # torn when the machine went down, or of another version
            continue
        found[key] = output
    return {key: output for key, output in found.items() if output is not _WITHDRAWN}


def _output_state(output: Path) -> list[Any]:
    """Return what stays as it is where a folder is moved as a whole: size and time of the last change."""
    return state_of(output)[1:]
