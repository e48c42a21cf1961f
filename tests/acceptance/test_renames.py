"""A run that is killed amid the last steps, when its files go to their places: it goes on, and ends with the same bytes."""

import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from .test_containers import hdf5, npz, zarr
from .test_lapalma import write_cube

DRIVER = '''
"""Fork a run that dies before its nth renaming or removal of a file, then one that goes on, for every n."""
import hashlib, itertools, os, pathlib, shutil, sys
import solardn, solardn.files, onnxruntime

kind, given, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
options = dict(model="smooth", noise_sigma=1.0, threads=1, memory="64MB", resume=True)
MOVES = {"unlink": pathlib.Path, "replace": pathlib.Path}

def ours(path):  # not what a library does to files inside an output that is being built
    return ("solardn" in path.name) != ("solardn" in path.parent.name)

def run(out, death=None):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0
    def counted(move):
        def moved(path, *words, **more):
            nonlocal count
            count += ours(path)
            if ours(path) and count == death:
                os._exit(9)
            return move(path, *words, **more)
        return moved
    for name, owner in MOVES.items():
        setattr(owner, name, counted(getattr(owner, name)))
    try:
        if kind == "many":
            outcome = solardn.denoise_files([given], out, **options)
            assert not outcome.failed, outcome.failed
        elif kind == "all":
            solardn.denoise_file(given, out / "out.fits", ext="all", **options)
        elif kind == "gz":
            solardn.denoise_file(given, out / "out.fits.gz", **options)
        else:
            address = f"{given}::{'cube' if kind == '.npz' else 'obs/cube'}" if kind in (".npz", ".h5", ".zarr") else given
            axes = "stokes=1" if kind in (".npz", ".h5", ".zarr") else None
            solardn.denoise_file(address, out / f"out{given.suffix}", residual=True, axes=axes, **options)
    except BaseException as error:
        print(type(error).__name__, error, flush=True)
        os._exit(1)
    os._exit(0)

def digests(out):
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(out.rglob("*")) if p.is_file()}

def kept(found):
    """Leave out the notes of finished files, which stay for the same command."""
    return {name: digest for name, digest in found.items() if ".solardn-journal-" not in name}

def fresh():
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    return out

assert run(fresh()) == 0
whole = kept(digests(folder / "out"))
assert not any(part.startswith(".") for name in whole for part in name.split("/") if "solardn" in part), whole
for death in itertools.count(1, int(sys.argv[4])):
    code = run(fresh(), death)
    if code == 0:
        break
    assert code == 9, code
    left = digests(folder / "out")
    assert all(whole[name] == digest for name, digest in left.items() if not "solardn" in name), left
    code = run(folder / "out")
    if code and not any("solardn-journal" in name or "solardn-ready" in name for name in left):
        continue  # all that is left is the output: it exists, as that of any run that has ended
    assert code == 0, (death, sorted(left))
    after = kept(digests(folder / "out"))
    assert after == whole, (death, sorted(left), sorted(after))
print("deaths", death - 1)
'''

RNG = np.random.default_rng(0)
HEADER = {"CTYPE1": "HPLT-TAN", "CTYPE2": "WAVE", "CTYPE3": "HPLN-TAN", "CUNIT1": "arcsec", "CUNIT3": "arcsec"}


def steps(folder):
    """Write the steps of a raster, one a file."""
    folder.mkdir()
    for step in range(16):
        header = fits.Header(HEADER | {"CRVAL3": 0.3 * step, "DATE-OBS": f"2020-01-01T00:00:{step:02}"})
        fits.PrimaryHDU(RNG.normal(0, 1, (1, 2, 20)).astype(np.float32), header).writeto(folder / f"{step:02}.fits")


def maps(folder):
    """Write files of one map each."""
    folder.mkdir()
    for number in range(2):
        np.save(folder / f"{number}.npy", RNG.normal(0, 1, (20, 24)).astype(np.float32))


def images(path):
    """Write a FITS file of two images with several maps."""
    cubes = [RNG.normal(0, 1, (2, 20, 24)).astype(np.float32) for _ in range(2)]
    fits.HDUList([fits.PrimaryHDU(cubes[0]), fits.ImageHDU(cubes[1])]).writeto(path)


KINDS = {
    # name: (name of the input, what writes it, what the driver is told)
    "npy and residual": ("in.npy", lambda path: np.save(path, RNG.normal(0, 1, (3, 20, 24)).astype(np.float32)), ""),
    "FITS": ("in.fits", images, ""),
    "FITS packed": ("in.fits", images, "gz"),
    "FITS, all images": ("in.fits", images, "all"),
    "La Palma, twin and residual": ("in.fcube", write_cube, ""),
    "npz": ("in.npz", npz, ".npz"),
    "HDF5": ("in.h5", hdf5, ".h5"),
    "zarr": ("in.zarr", zarr, ".zarr"),
    "frames of a raster": ("in", steps, "many"),
    "many files": ("in", maps, "many"),
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked, which this system cannot")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_renaming_and_removal(tmp_path, folder_of_networks, kind):
    name, write, word = KINDS[kind]
    write(tmp_path / name)
    (tmp_path / "work").mkdir()
    stride = "7" if kind == "frames of a raster" else "1"  # there are many of them
    command = [sys.executable, "-c", DRIVER, word, tmp_path / name, tmp_path / "work", stride]
    environment = os.environ | {"SOLARDN_MODELS": str(folder_of_networks), "SOURCE_DATE_EPOCH": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) >= 2, done.stdout
