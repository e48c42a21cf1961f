"""Coverage: known for Gaussian errors, wrong by a known factor where σ is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from export.cards import load, read_card
from tests import networks
from training import calibrate, checks, coverage, methods, pictures, report
from training.cases import Case
from training.evaluate import Judged
from training.methods import Network, network
from training.scores import score

SHAPE = (400, 400)


def drawn(stated: float = 1.0) -> coverage.Counts:
    """Count errors whose σ varies over the map by a factor of 10, stated ``stated`` times too large."""
    rng = np.random.default_rng(0)
    sigma = np.geomspace(0.1, 1, SHAPE[1]) * np.ones(SHAPE)
    truth = 5 * np.linspace(-1, 1, SHAPE[0])[:, None] * np.ones(SHAPE)
    return coverage.count(truth, truth + sigma * rng.standard_normal(SHAPE), stated * sigma)


def test_gaussian_errors_are_covered_as_they_should_be() -> None:
    counts = drawn()
    for pixels in ("all", "weak", "strong"):
        for k, part in coverage.NOMINAL.items():
            assert coverage.within(counts, k, pixels) == pytest.approx(part, abs=0.005)
    assert coverage.factor(counts) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("stated", [0.6, 1.5])
def test_the_factor_mends_what_is_stated_wrongly(stated: float) -> None:
    counts = drawn(stated)
    assert coverage.factor(counts) == pytest.approx(1 / stated, rel=0.01)
    sigma, error = coverage.reliability(counts)
    np.testing.assert_allclose(sigma, stated * error, rtol=0.1)


def test_counts_add_up() -> None:
    one, other = drawn(), drawn(2.0)
    both = coverage.total([one, other])
    expected = (coverage.within(one, 1) + coverage.within(other, 1)) / 2
    assert coverage.within(both, 1) == pytest.approx(expected)
    assert both.pixels.sum() == 2 * np.prod(SHAPE)


def test_the_report_tells_coverage_factor_and_correlation() -> None:
    counts = drawn()
    found = coverage.report({"noise": {"white": counts}}, counts)
    assert found["within"]["all"] == found["within"]["noise"]["white"]
    assert found["within"]["all"][1] == pytest.approx(0.9545, abs=0.005)
    assert found["correlation"] > 0.99
    assert len(found["reliability"]["sigma"]) == len(found["reliability"]["error"]) > 10


def test_no_pixels_of_a_kind_give_no_number() -> None:
    counts = coverage.count(np.zeros((8, 8)), np.zeros((8, 8)), np.ones((8, 8)))
    assert np.isnan(coverage.within(counts, 1, "strong"))
    assert coverage.within(counts, 1) == 1


@pytest.fixture
def overconfident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    """Return a network that returns what comes in, and states half of its error."""
    example = networks.identity(tmp_path / "sure.onnx")

    def uncertainty(self: object, maps: np.ndarray, **options: object) -> SimpleNamespace:
        assert options == {"noise_sigma": 1.0, "samples": methods.SAMPLES, "seed": 0}
        return SimpleNamespace(mean=maps, sigma=np.full(maps.shape, 0.5, np.float32))

    monkeypatch.setattr(methods.Denoiser, "uncertainty", uncertainty, raising=False)
    monkeypatch.setattr(Network, "uncertain", True)
    return network(example)


def test_calibration_is_noted_in_the_card(
    overconfident: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "FAMILIES", ["internetwork"])
    monkeypatch.setattr(calibrate, "LEVELS", (0.5, 8.0))
    found = calibrate.calibrate(overconfident.path)
    assert found["factor"] == pytest.approx(2, rel=0.02)
    assert found["coverage_1"] == pytest.approx(0.683, abs=0.01)
    assert found["coverage_2"] == pytest.approx(0.954, abs=0.01)
    assert read_card(load(overconfident.path), "").calibration == found


def test_coverage_is_judged_and_drawn(overconfident: Network, tmp_path: Path) -> None:
    levels = {0.0: "white", 0.5: "white", 2.0: "ellipse", 8.0: "ellipse"}
    judged = []
    for level, noise in levels.items():
        case = Case("internetwork" if level else "nothing", 0, noise, level)
        maps = case.maps()
        probe, counted = checks.probe(overconfident, case, maps, maps.noisy), checks.counts(overconfident, case, maps)
        assert (counted is None) == (level == 0)
        made = ({"sure": one} if one else {} for one in (probe, counted))
        judged.append(Judged(case, {"sure": score(maps, maps.noisy)}, *made))
    found = report.report(judged, [overconfident], [])
    parts = found["methods"]["sure"]["coverage"]["within"]
    assert parts["all"][0] == pytest.approx(0.383, abs=0.01)
    assert list(parts["noise"]) == ["white", "ellipse"]
    assert list(parts["snr"]) == ["0.5", "2", "8"]
    assert "| 38." in report.page(found)
    pictures.reliability(found, tmp_path / "reliability.png")
    assert (tmp_path / "reliability.png").stat().st_size > 10_000
