"""The examples in the documentation: where they stand, and what of them can be run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BEFORE = re.compile(r"^(\.venv/bin/)?(?=\w)")


@dataclass(frozen=True)
class Example:
    """A block of Python, or the words of one command."""

    kind: str
    text: str
    words: tuple[str, ...] = ()


def examples(page: Path) -> Iterator[Example]:
    """Yield the examples of a page in their order."""
    for kind, text in _BLOCK.findall(page.read_text()):
        if kind == "sh":
            for line in _joined(text):
                for command in re.split(r" && |; ", line):
                    words = tuple(shlex.split(_BEFORE.sub("", command), comments=True))
                    if words:
                        yield Example("sh", command, words)
        else:
            yield Example(kind, text)


def _joined(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\\\n", " ").splitlines()]
