"""``solardn``, and ``python -m solardn``: the command line, and what Ctrl-C says while that is still loaded."""

import signal
import sys

from .errors import SIGNALS, interrupted


def main() -> None:
    """Load the command line, and run it."""
    try:
        from .cli import main as commands
    except KeyboardInterrupt:
        sys.stderr.write(f"{interrupted()}\n")
        raise SystemExit(SIGNALS + signal.SIGINT) from None
    commands(prog_name="solardn")


if __name__ == "__main__":
    main()
