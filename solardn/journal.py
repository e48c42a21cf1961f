"""What a run has done so far, kept beside its output, so that one that was killed can go on where it stopped.

A text file of JSON lines: the first tells what is being done, each other one what was done to a map whose pixels are written already.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TextIO

from .errors import OutputError
from .summary import MapRecord

_FIELDS = [field.name for field in fields(MapRecord)]

Task = dict[str, Any]
"""Everything that the output's bytes depend on, as JSON knows it."""

TAKEN_OVER = ("date", "threads")
"""Keys that a run which goes on takes over: it may be another day, or another machine with as many processors as it has."""


def journal_path(output: Path) -> Path:
    """Return where the journal of an output lies."""
    return output.with_name(f".{output.name}.solardn-journal")


class Journal:
    """The journal of one output.

    Parameters
    ----------
    output : pathlib.Path
        The output's place.
    task : dict
        What is being done.
    resume : bool
        Go on with what an earlier run of the same task left.

    Attributes
    ----------
    task : dict
        With what is `TAKEN_OVER` from the run that began it.
    records : list of MapRecord
        The maps that are done already.

    Raises
    ------
    OutputError
        The earlier run had another task.
    """

    def __init__(self, output: Path, task: Task, resume: bool) -> None:
        self.path = journal_path(output)
        self.task: Task = json.loads(json.dumps(task))
        self.records: list[MapRecord] = []
        self.resumed = False
        self._file: TextIO | None = None
        if resume:
            self._read(output)

    def _read(self, output: Path) -> None:
        lines = self.path.read_text().split("\n")[:-1] if self.path.exists() else []  # the last one may be torn
        if not lines:
            return
        begun = json.loads(lines[0])
        self.task |= {key: begun.get(key) for key in TAKEN_OVER}
        changed = [key for key in sorted({*begun, *self.task}) if begun.get(key) != self.task.get(key)]
        if changed:
            raise OutputError(
                f"the run that {output} was left by cannot go on, because {', '.join(changed)} changed; run without --resume to begin anew"
            )
        self.resumed = True
        self.records = [_record(line) for line in lines[1:]]

    def keep(self, number: int) -> None:
        """Forget all but the first records."""
        del self.records[number:]

    def open(self) -> None:
        """Begin to write: what is known so far, and then what `add` is told."""
        self._file = self.path.open("w")
        self._file.write(json.dumps(self.task) + "\n")
        self.add(self.records)

    def add(self, records: Sequence[MapRecord]) -> None:
        """Note maps whose pixels are written."""
        if self._file is None:
            raise ValueError("a journal must be open to be written")
        for record in records:
            self._file.write(json.dumps(list(asdict(record).values())) + "\n")
        self._file.flush()

    def close(self, *, remove: bool) -> None:
        """Stop writing; remove it when it has served."""
        if self._file is not None:
            self._file.close()
        if remove:
            self.path.unlink(missing_ok=True)


def _record(line: str) -> MapRecord:
    index, *values, fills = json.loads(line)
    own: dict[str, Any] = dict(zip(_FIELDS, (tuple(index), *values, tuple(fills)), strict=True))
    return MapRecord(**own)
