"""Held-out truths: as they should be, the same every time, and made by none of the code that makes truths to train on."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from training import cases, heldout, scenes
from training.cases import NOISES, Case
from training.scenes import Vector

QUICK_FAMILIES = [name for name in heldout.FAMILIES if name != "stirred"]


@pytest.mark.parametrize("family", QUICK_FAMILIES)
def test_truths_have_rms_one_and_are_the_same_every_time(family: str) -> None:
    first, again, other = heldout.truth(family, 1), heldout.truth(family, 1), heldout.truth(family, 2)
    assert first.shape == (256, 256)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.square(first, dtype=float).mean() == pytest.approx(1)
    assert np.array_equal(first, again)
    assert np.abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.9


def test_the_observed_field_gives_truths_too(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heldout, "NIRIS", shared / "solar" / "truth_niris_me6173.npy")
    assert "niris" in heldout.names()
    truths = [heldout.truth("niris", instance) for instance in range(heldout.INSTANCES)]
    assert all(np.square(one, dtype=float).mean() == pytest.approx(1) for one in truths)
    assert len({one.tobytes() for one in truths}) == heldout.INSTANCES


def test_without_its_file_the_observed_field_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(heldout, "NIRIS", tmp_path / "none.npy")
    assert heldout.names() == list(heldout.FAMILIES)
    assert {case.family for case in cases.cases()} == {*heldout.FAMILIES, "nothing"}


@pytest.mark.parametrize("module", [scenes, heldout, cases])
def test_no_code_is_shared_with_the_training_simulator(module: object) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level}
    imported |= {
        a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level and not n.module for a in n.names
    }
    assert imported <= {None, "scenes", "heldout"}


def test_turbulence_carries_its_scalar_without_loss() -> None:
    early, late = scenes.stirred(np.random.default_rng(1), 64, (0.0, 0.4))
    assert late.mean() == pytest.approx(early.mean(), abs=1e-9)
    assert late.std() < 1.02 * early.std()
    assert np.abs(np.gradient(late)).mean() > 1.2 * np.abs(np.gradient(early)).mean()


def test_deposit_keeps_the_flux() -> None:
    place = np.random.default_rng(2).uniform(0, 32, (50, 2))
    flux = np.linspace(-1, 2, 50)
    assert scenes._deposit(place, flux, 32).sum() == pytest.approx(flux.sum())


def test_zeeman_has_the_symmetries_of_stokes_parameters() -> None:
    rng = np.random.default_rng(3)
    field = Vector(*rng.normal(0, 0.3, (3, 8, 8)))
    q, u, v = scenes.zeeman(field, 1.0, 0.4)
    turned = scenes.zeeman(Vector(field.z, field.x, -field.y), 1.0, 0.4)
    flipped = scenes.zeeman(Vector(-field.z, field.y, field.x), 1.0, 0.4)
    np.testing.assert_allclose(turned, (-q, -u, v), atol=1e-12)
    np.testing.assert_allclose(flipped, (q, u, -v), atol=1e-12)


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_rms_one_and_the_spectrum_that_is_told(kind: str) -> None:
    drawn = [Case("nothing", i, kind, 0.0).maps() for i in range(3)]
    k = np.hypot(*cases._frequency())
    rings = np.digitize(k.ravel(), np.arange(0, 0.5, 0.1))
    told, found = (
        np.bincount(rings, np.mean(power, axis=0).ravel())
        for power in ([m.spectrum for m in drawn], [np.abs(np.fft.fft2(m.noisy)) ** 2 / m.noisy.size for m in drawn])
    )
    for maps in drawn:
        assert np.square(maps.noisy, dtype=float).mean() == pytest.approx(1)
        assert maps.spectrum.mean() == pytest.approx(1)
        assert not maps.truth.any()
    np.testing.assert_allclose(found, told, rtol=0.1, atol=0.01 * told.max())


def test_cases_have_their_signal_to_noise_and_are_the_same_every_time() -> None:
    case = Case("internetwork", 0, "uneven disc", 4.0)
    one, again = case.maps(), case.maps()
    assert np.sqrt(np.square(one.truth, dtype=float).mean()) == pytest.approx(4)
    assert np.sqrt(np.square(one.noisy - one.truth, dtype=float).mean()) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(one.noisy, again.noisy)


def test_every_family_meets_every_noise_at_every_level_once() -> None:
    full = [case for case in cases.cases() if case.snr]
    assert len({(case.family, case.noise, case.snr) for case in full}) == len(full)
    assert len(full) == len(heldout.names()) * len(NOISES) * len(cases.LEVELS)
    assert {case.instance for case in full} == set(range(heldout.INSTANCES))
    quick = list(cases.cases(quick=True))
    assert {case.snr for case in quick} == {0.0, *cases.QUICK}
    assert len(quick) < len(full) / 2
