"""Importing solardn costs next to nothing, and its public names are all there."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import time

import pytest

import solardn

HEAVY = ("onnxruntime", "astropy", "matplotlib", "click", "rich", "scipy", "onnx", "numpy")


def python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_nothing_heavy_is_imported() -> None:
    assert python(f"import solardn, sys; print([m for m in {HEAVY} if m in sys.modules])").strip() == "[]"


def test_denoising_arrays_needs_neither_astropy_nor_the_command_line() -> None:
    given = ("astropy", "matplotlib", "click", "rich")
    program = f"import sys, solardn; solardn.Denoiser; print([m for m in {given} if m in sys.modules])"
    assert python(program).strip() == "[]"


def test_importing_takes_no_time() -> None:
    def best(program: str) -> float:
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            python(program)
            times.append(time.perf_counter() - begun)
        return min(times)

    assert best("import solardn") - best("pass") < 0.25


@pytest.mark.parametrize("name", solardn.__all__)
def test_public_names_are_there(name: str) -> None:
    assert getattr(solardn, name)
    assert name in dir(solardn)


def test_modules_with_public_functions_are_there() -> None:
    program = "import solardn; print(solardn.noise.noise_sigma, solardn.inspect.inspect_files, solardn.errors.InputError, solardn.plots.quicklook)"
    assert python(program)


def test_type_checkers_and_the_documentation_see_the_same_names() -> None:
    (block,) = (node for node in ast.parse(inspect.getsource(solardn)).body if isinstance(node, ast.If))
    seen = [alias.name for line in block.body if isinstance(line, ast.ImportFrom) for alias in line.names]
    assert sorted([*seen, "__version__"]) == sorted(solardn.__all__)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="'solardn' has no attribute 'denoize'"):
        solardn.denoize  # noqa: B018
