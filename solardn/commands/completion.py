"""What the shell offers at the Tab key, where click alone does not know: files, networks, words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def files(*words: str) -> Completer:
    """Return a completer that offers words, and files."""
    return _completer(lambda: words, with_files=True)


def words(*known: str) -> Completer:
    """Return a completer that offers words."""
    return _completer(lambda: known, with_files=False)


def networks(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the networks at hand, and files."""
    from ..model import available

    return _completer(lambda: tuple(available()), with_files=True)(ctx, parameter, incomplete)


def _completer(known: Callable[[], tuple[str, ...]], *, with_files: bool) -> Completer:
    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        # First the files: in bash they replace what was offered before, and come up where nothing is.
        offered = [CompletionItem(incomplete, type="file")] if with_files else []
        return offered + [CompletionItem(word) for word in known() if word.startswith(incomplete)]

    return complete
