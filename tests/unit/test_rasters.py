"""Many files: how much work it takes to put them together."""

from __future__ import annotations

from pathlib import Path

import pytest

from solardn import rasters


def test_the_work_grows_with_the_number_of_files_and_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    class Counted(type(Path())):  # type: ignore[misc]
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return super().__eq__(other)

        __hash__ = type(Path()).__hash__

    def looked_at(path: Path, ext: str | int | None) -> rasters._Frame:
        return rasters._Frame(
            path, ((1, 10), (), "", "", None), (), (("X", "steps"),), float(path.stem), date=path.stem
        )

    monkeypatch.setattr(rasters, "_look_at", looked_at)
    paths = [Counted(f"{number:03}.fits") for number in range(300)]
    (found,) = rasters.gather(paths)
    assert rasters.files_of(found) == tuple(paths)
    assert compared < 20 * len(paths)
