"""``python -m training``: train the networks that ship, and judge any network."""

from __future__ import annotations

import os

import click

# The backend whose models convert; quiet about what it found on this machine.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train networks from simulation, and judge them on truths they never saw."""


@main.command()
@click.argument("name")
def train(name: str) -> None:
    """Train the network NAME by its recipe, or go on where training was interrupted.

    Example: python -m training train stokes
    """
    from .recipes import RECIPES
    from .recipes import train as run

    if name not in RECIPES:
        raise click.BadParameter(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}", param_hint="NAME")
    click.echo(run(name))


if __name__ == "__main__":
    main(prog_name="python -m training")
