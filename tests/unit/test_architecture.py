"""Which part of solardn may know what: the rules of docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "solardn"
MODULES = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}
COMMAND_LINE = {"cli.py", *(name for name in MODULES if name.startswith("commands"))}


def imported(tree: ast.AST) -> set[str]:
    """Return the packages that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def those_that_import(package: str) -> set[str]:
    return {name for name, tree in MODULES.items() if package in imported(tree)}


def test_each_runtime_is_known_to_its_own_module() -> None:
    assert those_that_import("onnxruntime") == {"session.py", "half.py"}  # half.py uses its converter to float16 only
    assert those_that_import("openvino") == {"vino.py"}


def test_pictures_alone_know_matplotlib() -> None:
    # figures.py and sections.py need the names of types, profile.py a picture of its own
    drawn = {"panels.py", "figures.py", "sections.py", "commands/profile.py"}
    assert "panels.py" in those_that_import("matplotlib") <= drawn


def test_no_module_needs_itself_to_be_imported() -> None:
    ready: set[str] = set()
    waiting = {name: needed(name) for name in MODULES}
    while free := {name for name, needs in waiting.items() if needs <= ready}:
        ready |= free
        waiting = {name: needs for name, needs in waiting.items() if name not in free}
    assert waiting == {}


@pytest.mark.parametrize("above", ["plan.py", "levels.py", "api.py", "summary.py"])
def test_formats_of_files_need_nothing_of_what_is_done_with_them(above: str) -> None:
    reached, waiting = set[str](), {name for name in MODULES if name.startswith("io/")}
    while waiting:
        reached |= waiting
        waiting = set().union(*map(needed, waiting)) - reached
    assert above not in reached


def needed(name: str) -> set[str]:
    """Return the modules of the package that are imported when a module is, not only when a function of it is called."""
    folder, found = Path(name).parent, set[str]()
    for node in MODULES[name].body:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [folder, *folder.parents][node.level - 1] / (node.module or "").replace(".", "/")
            for alias in node.names:
                places = (f"{base / alias.name}.py", str(base / alias.name / "__init__.py"), f"{base}.py", str(base / "__init__.py"))  # fmt: skip
                found.update([place for place in places if place in MODULES and place != name][:1])
    return found


@pytest.mark.parametrize("package", ["click", "rich"])
def test_the_command_line_alone_knows_click_and_rich(package: str) -> None:
    assert those_that_import(package) <= COMMAND_LINE


@pytest.mark.parametrize("package", ["export", "training", "benchmarks", "tensorflow", "keras", "bm3d"])
def test_what_is_for_development_is_not_needed(package: str) -> None:
    assert those_that_import(package) == set()


def test_nothing_outside_the_command_line_prints_or_configures_logging() -> None:
    for name, tree in MODULES.items():
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not called & {"logging.basicConfig", "logging.config.dictConfig", "sys.exit"}, name
        if name not in COMMAND_LINE:
            assert "print" not in called, name


def test_there_is_no_global_state() -> None:
    changed = [name for name, tree in MODULES.items() if any(isinstance(node, ast.Global) for node in ast.walk(tree))]
    assert changed == []
