"""The recipes for containers and conda keep their linters' rules and agree with the project."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import solardn

from .pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OTHER_NAMES = {"astropy": "astropy-base", "onnxruntime-gpu": "onnxruntime"}


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {PROJECT["version"], str(citation["version"]), rendered()["package"]["version"]} == {solardn.__version__}


def test_the_conda_package_needs_what_the_project_needs():
    wanted = {re.split(r"[;\[ ]", requirement.replace(">=", " >="), maxsplit=1)[0] for requirement in PROJECT["dependencies"]}  # fmt: skip
    given = {line.split()[0] for line in rendered()["requirements"]["run"]}
    assert given == {OTHER_NAMES.get(name, name) for name in wanted} | {"python"}
    for requirement in PROJECT["dependencies"]:
        name, least = re.match(r"([\w-]+)>=([\d.]+)", requirement).groups()
        assert f"{OTHER_NAMES.get(name, name)} >={least}" in rendered()["requirements"]["run"]


def test_the_container_takes_along_what_the_package_is_built_from():
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", (ROOT / "container" / "Containerfile").read_text(), re.MULTILINE)
    needed = {name for line in copied for name in line.split()}
    assert {PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml", "solardn", "models"} == needed
    kept = (ROOT / ".containerignore").read_text().splitlines()
    assert {f"!{name}" for name in needed} <= set(kept)


def test_the_container_recipe_keeps_the_rules_of_hadolint():
    program = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is not here (on Linux the extra 'test' brings it)")
    ran = subprocess.run([program, "--no-color", ROOT / "container" / "Containerfile"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


def rendered():
    """Return the recipe as the builder of conda packages understands it."""
    build = pytest.importorskip("rattler_build", reason="py-rattler-build is not here (on Linux the extra 'test' brings it)")  # fmt: skip
    variants = build.VariantConfig.from_file(ROOT / "conda" / "variants.yaml")
    (one,) = build.Stage0Recipe.from_file(ROOT / "conda" / "recipe.yaml").render(variants)
    return one.recipe.to_dict()
