"""``python -m benchmarks NAME``."""

from __future__ import annotations

import click

from export.sentences import Sentences

from .cli import cli
from .gpu import gpu
from .noise import noise
from .precision import precision
from .quality import quality
from .runtime import runtime
from .scaling import scaling
from .uncertainty import uncertainty


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure speed, memory and quality."""


for command in (cli, gpu, noise, precision, quality, runtime, scaling, uncertainty):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
