"""``python -m benchmarks NAME``."""

from __future__ import annotations

import click

from .noise import noise
from .runtime import runtime


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure speed, memory and quality."""


for command in (noise, runtime):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
