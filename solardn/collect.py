"""Networks of the user's own: checked, and kept where their name is found."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import ModelError, OutputError
from .io.place import PartFile, check_place, writing
from .model import bundled_folder, load, user_folder


def add(file: str | os.PathLike[str], name: str | None = None, *, overwrite: bool = False) -> Path:
    """Keep a copy of a network in the user's data folder, so that its name stands for it.

    Parameters
    ----------
    file : path
        An ONNX file with a card.
    name : str, optional
        Its name; by default the file's without the suffix.
    overwrite : bool
        Replace one that was added under the same name.

    Returns
    -------
    pathlib.Path
        Where it is kept.

    Raises
    ------
    ModelError
        The file is not what the contract says, or the name cannot be given.
    OutputError
        One of that name was added before, or the folder cannot be written.
    """
    network = load(Path(file))
    chosen = network.path.stem if name is None else name
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", chosen, re.ASCII):
        raise ModelError(f"{chosen!r} is no name for a network; use letters, digits, '.', '_', '+' and '-' with --name")
    if (bundled_folder() / f"{chosen}.onnx").exists():
        raise ModelError(f"{chosen!r} is the name of a network that ships with solardn; give another with --name")
    folder = user_folder()
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{chosen}.onnx"
    if place.exists() and not overwrite:
        raise OutputError(
            f"a network {chosen!r} was added before ({place}); give another --name, or --overwrite to replace it"
        )
    part = PartFile(check_place(place, [network.path], overwrite))
    try:
        with writing(place):
            part.file.write(network.data)
        return part.commit()
    except BaseException:
        part.abort()
        raise
