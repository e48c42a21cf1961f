"""The table in docs/reference/axes.md of what is understood of files: each row is what `solardn info` says now, and no row is left over."""

from pathlib import Path

import pytest

from . import generated
from .test_solar_files import MAPS, NAMED, REFUSED

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "axes.md"
HEADING = "## What is understood of real and generated files"

GENERATED = {
    # what stands in the table: (maker, name, options)
    "SST/CRISP, 5-D, SOLARNET's words, coordinates in a table": (generated.crisp, "crisp.fits", []),
    "La Palma cube `.icube` and its twin, big-endian": (generated.lapalma, "in.icube", []),
    "DKIST/ViSP raster, a folder of 80 files": (generated.visp, "visp", []),
    "folder of frames, one of three": (generated.frames, "frames", []),
    "HCOMPRESS": (generated.hcompress, "in.fits", []),
    "`.npy` of big-endian doubles in Fortran order": (generated.double, "in.npy", []),
}
CARRIED = (
    "cube of 3 GB, of noise"  # its row is held against the file in test_streaming.py, where it is carried to its end
)


def rows():
    """Return the lines of the table."""
    text = PAGE.read_text().split(HEADING)[1].split("\n## ")[0]
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def row(what, figures, options=()):
    """Return the line for a file of which something is understood."""
    figures = figures.get("files", [figures])[0]
    axes = ", ".join(f"{axis['role']} {axis['length']}" for axis in figures["axes"])
    height, width = figures["map_shape"]
    needed = f"refused without `{' '.join(options)}`; with it " if options else ""
    unit = f" {figures['unit']}" if figures["unit"] else ""
    maps = f"{figures['denoised']} of {figures['maps']}, {height} × {width}"
    return f"| {what} | {needed}{figures['stored']}{unit} | {axes} | {maps} |"


@pytest.mark.parametrize("what", GENERATED)
def test_generated_files(solardn, tmp_path, what):
    make, name, options = GENERATED[what]
    said = solardn.good("info", make(tmp_path / name), *options, "--model", "smooth", "--json")
    assert row(what, first(said), options) in rows()


@pytest.mark.parametrize("name", [*MAPS, *NAMED])
def test_real_files(solardn, shared, name):
    options = NAMED.get(name, [])
    figures = solardn.json("info", shared / "solar" / name, *options, "--model", "smooth")
    assert row(f"`{name}`", figures, options) in rows()


@pytest.mark.parametrize("name", sorted({*REFUSED} - {*NAMED}))
def test_refused_files(name):
    """That they are refused, and with these words, test_solar_files.py says."""
    found = [line for line in rows() if line.startswith(f"| `{name}` | refused")]
    assert len(found) == 1
    assert REFUSED[name] in found[0]


def test_no_row_is_left_over():
    known = {*GENERATED, CARRIED, *(f"`{name}`" for name in (*MAPS, *REFUSED))}
    assert {line.split(" | ")[0].removeprefix("| ") for line in rows()} == known


def first(said):
    """Return the figures of the first of several files."""
    import json

    return json.JSONDecoder().raw_decode(said)[0]
