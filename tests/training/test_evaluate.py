"""Judging: scores, methods, checks and tables, on the smallest networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from solardn.errors import MissingExtra, OptionError
from training import checks, evaluate, methods, report, scores
from training.__main__ import main
from training.cases import NOISES, QUICK, Case, Maps

CASES = [Case("internetwork", 0, noise, snr) for noise in ("white", "disc 0.3") for snr in QUICK] + [
    Case("nothing", 0, "white", 0.0)
]


@pytest.fixture
def maps() -> Maps:
    return CASES[1].maps()


def test_data_as_they_are_have_an_error_of_one(maps: Maps) -> None:
    one = scores.score(maps, maps.noisy)
    assert one.error == pytest.approx(1, abs=1e-5)
    assert one.frame == pytest.approx(1, abs=0.05)
    assert one.middle == pytest.approx(1, abs=0.05)
    assert one.leak == 0
    assert one.removed.max() < 1e-10
    assert one.noise == pytest.approx(np.ones(16), abs=0.25)


def test_the_truth_has_no_error_and_removes_the_noise(maps: Maps) -> None:
    one = scores.score(maps, maps.truth)
    assert one.error == 0
    assert one.weak[0] == pytest.approx(one.weak[1])
    assert one.removed == pytest.approx(one.noise)
    assert abs(one.leak) < 0.02


def test_what_is_taken_away_shows_as_slope_and_leak(maps: Maps) -> None:
    one = scores.score(maps, 0.5 * maps.truth)
    assert one.weak[0] / one.weak[1] == pytest.approx(0.5)
    assert one.leak > 0.5


def test_ring_power_is_one_for_white_noise() -> None:
    field = np.random.default_rng(0).standard_normal((256, 256))
    assert scores.ring_power(field) == pytest.approx(np.ones(16), abs=0.25)


def test_a_network_is_told_the_noise(blur_model: Path, maps: Maps) -> None:
    network = methods.network(blur_model)
    assert network.name == "blur"
    assert network(maps).shape == maps.noisy.shape
    assert scores.score(maps, network(maps)).error < 1


def test_smoothing_takes_the_best_width(maps: Maps) -> None:
    error = scores.score(maps, methods.Gaussian()(maps)).error
    assert error < 0.9
    none = Maps(maps.truth, maps.truth, maps.spectrum)
    assert scores.score(none, methods.Gaussian()(none)).error == 0


def test_no_smoothing_is_better_than_the_filter_that_knows_the_spectrum(maps: Maps) -> None:
    errors = [scores.score(maps, method(maps)).error for method in (methods.Wiener(), methods.Gaussian())]
    assert errors[0] < errors[1]
    nothing = Maps(maps.noisy - maps.truth, 0 * maps.truth, maps.spectrum)
    assert scores.score(nothing, methods.Wiener()(nothing)).error == 0


def test_results_of_slow_methods_are_kept(identity_model: Path, maps: Maps, tmp_path: Path) -> None:
    network = methods.network(identity_model, slow=True)
    first = methods.denoised(network, maps, tmp_path)
    files = list(tmp_path.glob("identity-*/*.npy"))
    assert len(files) == 1
    np.save(files[0], np.zeros_like(first))
    assert not methods.denoised(network, maps, tmp_path).any()


def test_two_methods_of_one_name_are_refused(identity_model: Path) -> None:
    network = methods.network(identity_model)
    with pytest.raises(OptionError, match="identity"):
        methods.check_names([network, network])


def test_missing_bm3d_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise methods.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(methods.metadata, "version", absent)
    with pytest.raises(MissingExtra, match="--no-bm3d"):
        methods.bm3d()


def test_bm3d_told_the_spectrum_removes_correlated_noise() -> None:
    pytest.importorskip("bm3d", reason="bm3d is not installed")
    maps = CASES[4].maps()
    part = np.s_[:64, :64]
    flat = Maps(maps.noisy[part], maps.truth[part], np.ones((64, 64)))
    k = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(64)[None])
    told = Maps(flat.noisy, flat.truth, (k <= 0.3) / np.mean(k <= 0.3))
    bm3d = methods.bm3d()
    assert scores.score(told, bm3d(told)).error < 0.8 * scores.score(flat, bm3d(flat)).error


def test_probes_are_made_at_the_levels_of_the_goals(blur_model: Path, maps: Maps) -> None:
    network = methods.network(blur_model)
    found = checks.probe(network, CASES[1], maps, network(maps))
    assert found is not None
    assert found.misjudged == pytest.approx((scores.score(maps, network(maps)).error,) * 2)  # it is linear
    assert 0.95 < found.cut / found.uncut < 2  # it pads with zeros
    assert checks.probe(network, CASES[-1], maps, network(maps)) is None


def test_everything_from_cases_to_tables(identity_model: Path, blur_model: Path, tmp_path: Path) -> None:
    networks = [methods.network(blur_model)]
    references = [methods.network(identity_model, methods.AUTHORS), methods.Gaussian()]
    judged = evaluate.run(CASES, networks, references, tmp_path / "kept")
    assert [one.case for one in judged] == CASES
    found = report.report(judged, networks, references)
    assert found["methods"][methods.AUTHORS]["error"]["all"] == pytest.approx(1, abs=1e-5)
    assert found["methods"][methods.AUTHORS]["no_signal"]["mean"] == pytest.approx(1)
    assert found["methods"][methods.AUTHORS]["error"]["cases_above"] == 6
    assert list(found["methods"]["blur"]["error"]["by_snr"]) == ["0.5", "2", "8"]
    assert found["methods"]["blur"]["misjudged"]["0.7"]["2"] == pytest.approx(1)
    assert found["goals"]["blur"][0]["what"] == "error / authors, signal-to-noise 0.5"
    report.write(found, judged, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == json.loads(json.dumps(found))
    page = (tmp_path / "out" / "evaluation.md").read_text()
    assert "## Goals: blur" in page
    assert "| slope below 1 σ, signal-to-noise 0.5 | " in page
    assert len((tmp_path / "out" / "cases.csv").read_text().splitlines()) == len(CASES) + 1


def test_goals_are_reached_up_to_their_limit() -> None:
    def method(by_snr: dict[str, float], main: float) -> dict[str, object]:
        error = {"by_snr": by_snr, "main": main, "worst": {"error": 0.95}}
        return {"error": error, "no_signal": {"largest": 0.2}, "edge_over_middle": {"all": 1.0}}

    found = {
        "ours": method({"0.5": 0.45, "2": 0.68, "8": 0.31}, 0.5),
        methods.AUTHORS: method({"0.5": 0.5, "2": 1.0, "8": 1.0}, 1.0),
    }
    reached = [row["reached"] for row in report.goals(found, "ours")]
    assert reached == [True, True, False, True, True, False, True]


def test_a_network_that_is_not_there_ends_in_one_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["evaluate", str(tmp_path / "none.onnx"), "--no-bm3d"])
    assert done.exit_code == 1
    assert "none.onnx does not exist" in done.output
    assert len(done.output.splitlines()) == 1


def test_all_kinds_of_noise_are_drawn_in_a_picture(tmp_path: Path) -> None:
    from training import pictures

    rings = np.linspace(0, 0.5, 17).tolist()
    method = {"removed_over_noise": dict.fromkeys(NOISES, [0.9] * 15 + [None])}
    pictures.removed(
        {"cases": {"rings": rings, "noises": list(NOISES)}, "methods": {"x": method}}, tmp_path / "removed.png"
    )
    assert (tmp_path / "removed.png").stat().st_size > 10_000
