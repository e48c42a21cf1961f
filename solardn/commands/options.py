"""Options that several commands share, said once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from . import completion

Command = TypeVar("Command", bound=Callable[..., Any])


def auto_or(number: type[int] | type[float], *words: str) -> Callable[[str], Any]:
    """Return what reads the word ``auto``, or one of some others, or a number."""

    def convert(value: str) -> Any:
        known = ("auto", *words)
        try:
            return value if value in known else number(value)
        except ValueError:
            kind = "whole number" if number is int else "number"
            raise click.BadParameter(f"{value!r} is neither {' nor '.join(map(repr, known))} nor a {kind}") from None

    return convert


def examples(*lines: str) -> str:
    """Return a paragraph of examples for a command's help; each is run by the tests."""
    return "\b\nExample" + "s" * (len(lines) > 1) + ":\n" + "".join(f"  {line}\n" for line in lines) + "\n"


def _all(*decorators: Any) -> Callable[[Command], Command]:
    def apply(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


ALL = "all"
"""Instead of the name of an extension: every image of the file."""

LEFT = "solardn.left"
"""Key of the context's ``meta``: what an interrupted command leaves, and how it goes on, in words."""


class _Path(click.Path):
    """A path; an empty word, as of a script's variable that is not set, is none (pathlib takes it for the current folder)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name is empty", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(path_type=Path)
PLACE = _Path()
"""Where a file is to be written, as it was given: pathlib drops a slash at the end, which means a folder."""

KINDS = ("auto", "cpu", "openvino", "cuda")
DEVICES = f"{'|'.join(KINDS)}[:N]"
"""What --device takes."""


def _which_maps(fill_value: str | None, stokes: str, fill: str, other: str = "") -> Callable[[Command], Command]:
    """Return the options for which maps and pixels are meant, with what is said of their defaults."""
    return _all(
        click.option(
            "--axes",
            metavar="y=N,x=M[,stokes=K]",
            help="Roles of the axes, where the header is silent or wrong. Numbered as in numpy: 0 is the slowest, FITS axis n of NAXIS is NAXIS−n. "
            f"Also wavelength and time.{other}",
        ),
        click.option(
            "--stokes",
            metavar="LETTERS",
            help=f"Stokes parameters that are denoised; the others are copied.  [default: {stokes}]",
        ),
        click.option(
            "--fill-value",
            metavar="auto|none|VALUE",
            default=fill_value,
            help=f"Value of pixels that hold none; auto finds values that fill a solid region at the maps' edges.  [default: {fill}]",
        ),
        click.option(
            "--mask-ext",
            metavar="NAME|N",
            help=f"FITS extension or array with a mask: pixels where it is not 0 hold no value.{other}",
        ),
    )


def _ext_option(metavar: str, every: str = "") -> Callable[[Command], Command]:
    return click.option(
        "--ext",
        metavar=metavar,
        help=f"FITS extension (NAME,EXTVER where several have one name), by default the first image with two or more dimensions{every}; or array in an .npz, HDF5 or zarr file, also FILE::NAME.",
    )


cube_options = _all(_ext_option("NAME|N|all", ", all for every image of the file"), _which_maps("auto", "QUV", "auto"))
"""Which maps of a file are meant."""


def _network_options(default: str) -> Callable[[Command], Command]:
    return _all(
        click.option(
            "--model",
            metavar="NAME|PATH",
            shell_complete=completion.networks,
            default=default,
            show_default=True,
            help="Network: a name that 'solardn models' lists, or an ONNX file.",
        ),
        click.option(
            "--device",
            metavar=DEVICES,
            shell_complete=completion.words(*KINDS),
            default="auto",
            show_default=True,
            help="Where to compute; auto takes a GPU when one truly works.",
        ),
        click.option(
            "--precision",
            metavar="fp32|bf16|fp16",
            shell_complete=completion.words("fp32", "bf16", "fp16"),
            default="fp32",
            show_default=True,
            help="Arithmetic of the network: bf16 on OpenVINO, fp16 on CUDA.",
        ),
        click.option(
            "--threads", type=int, metavar="N", help="Threads of the CPU.  [default: all this process may use]"
        ),
        click.option(
            "--tile",
            type=auto_or(int),
            metavar="auto|N",
            default="auto",
            show_default=True,
            help="Pixels along a tile's side; on the CPU the result does not depend on it.",
        ),
        click.option(
            "--memory", metavar="SIZE", default="2GB", show_default=True, help="What the computation may take at most."
        ),
    )


network_options, uncertain_network_options = _network_options("stokes"), _network_options("stokes-bayes")
"""The network and what it runs on: the arguments of `Denoiser`."""

scaling_options = _all(
    click.option(
        "--noise-sigma",
        type=auto_or(float, "per-map"),
        metavar="auto|per-map|VALUE",
        default="auto",
        show_default=True,
        help="rms of the noise in the data's own units; auto estimates it for each Stokes parameter and wavelength, per-map for each map.",
    ),
    click.option(
        "--noise-map",
        metavar="auto|off|FILE|EXT",
        shell_complete=completion.files("auto", "off"),
        default="auto",
        show_default=True,
        help="Noise that varies over the field is made even before the network: as estimated where it varies strongly (auto), or by the rms at every pixel "
        "in a file or an extension of INPUT.",
    ),
    click.option(
        "--scale",
        type=float,
        metavar="VALUE",
        help="Factor from the data's units to the network's, given outright; excludes --noise-sigma.",
    ),
)
"""How maps are brought to the network's units."""

form_options = _all(
    click.option(
        "--output-dtype",
        type=click.Choice(["float32", "float64"]),
        default="float32",
        show_default=True,
        help="Type of the values in OUTPUT; they are computed in float32.",
    ),
    click.option(
        "--compress",
        type=click.Choice(["rice", "gzip"]),
        help="Compress FITS images by tiles: gzip keeps all bits, rice rounds to steps of 1/16 of the noise rms.",
    ),
)
"""How values are stored."""

cycles_option = click.option(
    "--cycles",
    type=auto_or(int),
    metavar="auto|N",
    default=1,
    show_default=True,
    help="Passes of the network; each after the first runs on the residual. auto goes on, map by map, while the residual holds structure.",
)

views_option = click.option(
    "--views",
    type=int,
    metavar="1|2|4|8|16",
    default=1,
    show_default=True,
    help="Take the mean over so many views of each map (of either sign, mirrored, turned): a little nearer to the truth, for so many times the work.",
)

comparison_options = _all(
    _ext_option("NAME|N"),
    _which_maps(None, "as RESULT records, else QUV", "as RESULT records, else auto", "  [default: as RESULT records]"),
    click.option("--result-ext", metavar="NAME|N", help="FITS extension of RESULT.  [default: as of OBSERVATION]"),
    click.option(
        "--noise-sigma",
        type=auto_or(float),
        metavar="auto|VALUE",
        default="auto",
        show_default=True,
        help="rms of the noise in the data's own units; auto takes what the run took for each map, as RESULT records it, else estimates it from OBSERVATION for each kind of map.",
    ),
)
"""What an observation and its result are held against."""

way_options = _all(
    click.option(
        "--inspect/--no-inspect",
        default=True,
        show_default=True,
        help="See of a sample of maps whether what was taken away is noise; 'solardn inspect' looks at more of them.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on where the same command was killed, and keep what is done when this one is interrupted.",
    ),
    click.option(
        "--output-dir",
        type=PATH,
        metavar="DIR",
        help="Treat any number of inputs (also folders, patterns like '*.fits', and @LIST, a text file with one name a line) into DIR, under their names.",
    ),
    click.option(
        "--profile",
        is_flag=True,
        help="Show where the time went, stage by stage, and draw it as OUTPUT.profile.png where matplotlib is installed; for one file, and not with --ext all.",
    ),
    click.option("--dry-run", is_flag=True, help="Only show what would be done to each input, as 'solardn info' does."),
    click.option("--overwrite", is_flag=True, help="Replace an output that exists."),
)
"""How files are gone through."""


def quicklook_options(drawn: str) -> Callable[[Command], Command]:
    """Return the options for a picture of what is said."""
    return _all(
        click.option(
            "--quicklook",
            type=PLACE,
            metavar="FILE.png",
            help=f"Draw {drawn} (also .pdf and .svg; needs the extra 'plot'); for one file, and not with --ext all.",
        ),
        click.option(
            "--quicklook-map",
            metavar="PLACES|sheet",
            help="Which map of a cube: a place on each axis, as 0,3,2, or some by name, as stokes=V,wavelength=3; or sheet for many maps at once.  "
            "[default: the one in the middle]",
        ),
    )


talk_options = _all(
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and warnings."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
    click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON; its keys stand below."),
)
