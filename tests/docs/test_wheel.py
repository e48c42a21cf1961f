"""The package as users get it: a wheel, in an empty environment, far from the sources."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from .pages import ROOT

MOST_BYTES = 15e6


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, source)
    for name in ("models", "solardn"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", place, source, cwd=place)
    (path,) = place.glob("*.whl")
    return path


def run(*command, cwd):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "SOLARDN"))}
    ran = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.slow
def test_the_wheel_is_small_and_holds_what_is_installed_and_nothing_else(wheel):
    assert wheel.stat().st_size < MOST_BYTES
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"solardn", wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"}  # fmt: skip
    shipped = {f"solardn/models/{path.name}" for path in (ROOT / "models").iterdir()}
    assert {"solardn/py.typed", "solardn/commands/denoise.py", *shipped} <= set(names)


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment_outside_the_sources(wheel, tmp_path):
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    place = run(programs / "python", "-c", "import solardn; print(solardn.__file__)", cwd=tmp_path)
    assert place.startswith(str(tmp_path))
    said = run(programs / "solardn", "demo", cwd=tmp_path)
    assert "times less" in said
    assert "pip install 'solardn[plot]'" in said  # the extra is named where it is missing
    assert "right" in run(programs / "python", "-m", "solardn", "models", "verify", "stokes", cwd=tmp_path)
    assert (tmp_path / "solardn-demo" / "denoised.fits").exists()
