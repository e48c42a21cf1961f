"""Uncertainties: what they are made of, that they depend on the seed alone, and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import solardn
from solardn import Denoiser, InputError, ModelError, OptionError, memory, model
from solardn.engine import Engine
from solardn.moments import Moments
from solardn.sampling import Uncertainty, sample_seeds
from tests import networks

MAP = np.random.default_rng(5).normal(size=(50, 61)).astype(np.float32)
PARTS = ("mean", "sigma", "aleatoric", "epistemic")


@pytest.fixture
def masked(tmp_path: Path) -> Path:
    return networks.masked(tmp_path / "masked.onnx")


def same(first: Uncertainty, second: Uncertainty) -> None:
    for part in PARTS:
        np.testing.assert_array_equal(getattr(first, part), getattr(second, part), part)


@given(st.integers(1, 30), st.integers(0, 99))
def test_running_moments_are_the_moments(count: int, seed: int) -> None:
    samples = (np.random.default_rng(seed).normal(size=(count, 3, 4)) + 100).astype(np.float32)
    moments = Moments()
    for sample in samples:
        moments.add(sample)
    np.testing.assert_allclose(moments.mean, samples.mean(axis=0, dtype=float), rtol=1e-12)
    if count > 1:
        np.testing.assert_allclose(moments.variance, samples.var(axis=0, dtype=float, ddof=1), rtol=1e-9)


def test_seeds_of_samples_never_agree_and_do_not_depend_on_their_number() -> None:
    many = sample_seeds(7, 10_000)
    assert len(np.unique(many)) == 10_000
    np.testing.assert_array_equal(many[:10], sample_seeds(7, 10))
    others = np.concatenate([sample_seeds(seed, 100) for seed in range(100)])
    assert len(np.unique(others)) == len(others)


def test_the_parts_are_what_they_say(masked: Path) -> None:
    found = Denoiser(masked, device="cpu").uncertainty(MAP, samples=9, seed=4, scale=2.0)
    engine = Engine(model.load(masked), "cpu")
    given = engine.run(2 * MAP[None, None], seeds=sample_seeds(4, 9))
    means = given["mean"][:, 0].astype(float)
    np.testing.assert_allclose(found.mean, means.mean(axis=0) / 2, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.epistemic, means.std(axis=0, ddof=1) / 2, rtol=1e-5)
    np.testing.assert_allclose(found.aleatoric, np.exp(given["log_variance"][0, 0] / 2) / 2, rtol=1e-5)
    np.testing.assert_allclose(found.sigma**2, found.aleatoric**2 + found.epistemic**2, rtol=1e-5)
    assert (found.method, found.samples, found.seed, found.factor) == ("dropout", 9, 4, 1.0)
    assert all(getattr(found, part).dtype == np.float32 for part in PARTS)


@pytest.mark.parametrize("masked_variance", [False, True])
def test_the_seed_alone_decides(tmp_path: Path, masked_variance: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    path = networks.masked(tmp_path / "net.onnx", masked_variance=masked_variance)
    plane = np.random.default_rng(1).normal(size=(90, 75)).astype(np.float32)
    expected = Denoiser(path, device="cpu", threads=1).uncertainty(plane, samples=7, seed=1, scale=1.0)
    for options in ({"tile": 8}, {"tile": 40, "threads": 3}, {"threads": 2, "memory": "1MB"}):
        same(Denoiser(path, device="cpu", **options).uncertainty(plane, samples=7, seed=1, scale=1.0), expected)
    for together in (1, 2, 3):
        monkeypatch.setattr(memory, "_MOST_TOGETHER", together)
        same(Denoiser(path, device="cpu").uncertainty(plane, samples=7, seed=1, scale=1.0), expected)
    other = Denoiser(path, device="cpu").uncertainty(plane, samples=7, seed=2, scale=1.0)
    assert not np.array_equal(other.mean, expected.mean)


def test_stacks_are_their_maps(masked: Path) -> None:
    planes = np.array([[MAP, 2 * MAP], [3 * MAP, np.full(MAP.shape, np.nan)]])
    denoiser = Denoiser(masked, device="cpu", threads=2)
    found = denoiser.uncertainty(planes, samples=3, noise_sigma=[1.0, 2.0])
    assert found.sigma.shape == planes.shape
    np.testing.assert_array_equal(found.mean[1, 0], denoiser.uncertainty(3 * MAP, samples=3, noise_sigma=1.0).mean)
    one_by_one = list(denoiser.uncertainty_maps(planes[0], [1.0, 0.5], samples=3))
    np.testing.assert_array_equal(found.sigma[0, 1], one_by_one[1].sigma)
    for part in PARTS:
        assert np.isnan(getattr(found, part)[1, 1]).all()


def test_what_is_no_map_is_refused_when_it_is_its_turn(masked: Path) -> None:
    found = Denoiser(masked, device="cpu").uncertainty_maps([MAP, MAP[0]], [1.0, 1.0], samples=2)
    assert next(found).mean.shape == MAP.shape
    with pytest.raises(InputError, match=r"shape \(\d+,\) is no map"):
        next(found)


def test_each_map_needs_its_scale(masked: Path) -> None:
    denoiser = Denoiser(masked, device="cpu")
    for begin in (denoiser.denoise_maps, denoiser.uncertainty_maps):
        with pytest.raises(OptionError, match="there are 2 maps and 1 scales; give one for each map"):
            begin([MAP, MAP], [1.0])


def test_pixels_without_values_have_no_deviation(masked: Path) -> None:
    holed = MAP.copy()
    holed[3, 4], holed[10, 10:20] = np.inf, np.nan
    found = Denoiser(masked, device="cpu").uncertainty(holed, samples=2, scale=1.0)
    bad = ~np.isfinite(holed)
    np.testing.assert_array_equal(found.mean[bad], holed[bad])
    for part in PARTS[1:]:
        np.testing.assert_array_equal(np.isnan(getattr(found, part)), bad)


def test_calibration_multiplies_all_deviations_of_its_own_method(tmp_path: Path) -> None:
    plain = Denoiser(networks.masked(tmp_path / "net.onnx"), device="cpu")
    path = networks.masked(tmp_path / "scaled.onnx", calibration={"factor": 1.5})
    scaled = Denoiser(path, device="cpu")
    found, before = (d.uncertainty(MAP, samples=3, scale=1.0) for d in (scaled, plain))
    assert found.factor == 1.5
    np.testing.assert_array_equal(found.mean, before.mean)
    for part in PARTS[1:]:
        np.testing.assert_allclose(getattr(found, part), 1.5 * getattr(before, part), rtol=1e-6)
    assert scaled.uncertainty(MAP, samples=0, scale=1.0).factor == 1  # it was measured with samples


def test_no_samples_give_the_aleatoric_part_alone(masked: Path) -> None:
    denoiser = Denoiser(masked, device="cpu")
    found = denoiser.uncertainty(MAP, samples=0, scale=1.0)
    assert (found.method, found.samples, found.epistemic) == ("aleatoric", 0, None)
    np.testing.assert_array_equal(found.mean, denoiser.denoise(MAP, scale=1.0))
    np.testing.assert_array_equal(found.sigma, found.aleatoric)
    np.testing.assert_allclose(found.aleatoric, np.exp((MAP - 1) / 2), rtol=1e-5)


def test_denoising_drops_nothing(masked: Path, blur_model: Path) -> None:
    deterministic = Denoiser(blur_model, device="cpu").denoise(MAP, scale=1.0)
    np.testing.assert_array_equal(Denoiser(masked, device="cpu").denoise(MAP, scale=1.0), deterministic)


def test_flips_stand_in_for_samples(pooled_model: Path, blur_model: Path, tmp_path: Path) -> None:
    shifted = networks.blur(tmp_path / "shifted.onnx")
    network = onnx.load(shifted)
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 1, 0] = 1  # not the same seen from another side: the left neighbour
    network.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(kernel, "kernel"))
    shifted.write_bytes(network.SerializeToString())
    found = Denoiser(shifted, device="cpu").uncertainty(MAP, method="flips", scale=1.0)
    assert (found.method, found.samples, found.aleatoric) == ("flips", 16, None)
    padded = np.pad(MAP.astype(float), 1)
    neighbours = np.array([padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]])
    np.testing.assert_allclose(found.mean, neighbours.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.epistemic, np.repeat(neighbours, 4, axis=0).std(axis=0, ddof=1), atol=1e-6)
    even = Denoiser(blur_model, device="cpu").uncertainty(MAP, method="flips", scale=1.0)
    assert even.sigma.max() < 1e-6


def test_flips_of_a_network_with_variance_have_all_parts(masked: Path) -> None:
    found = Denoiser(masked, device="cpu", tile=20).uncertainty(MAP, method="flips", scale=1.0)
    np.testing.assert_allclose(found.sigma**2, found.aleatoric**2 + found.epistemic**2, rtol=1e-5)
    mirrored = 0.5 * (np.exp(MAP - 1) + np.exp(-MAP - 1))
    np.testing.assert_allclose(found.aleatoric, np.sqrt(mirrored), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"samples": 1}, "one sample has no spread; give 2 or more, or 0 for the aleatoric part alone"),
        ({"samples": -2}, "samples is -2"),
        ({"samples": 2.5}, "samples is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": None}, "seed is None; give a whole number from 0 to 4294967295"),
        ({"seed": 2**32}, "seed is 4294967296; give a whole number from 0 to 4294967295"),
        ({"method": "magic"}, "no method 'magic'; possible are dropout and flips"),
    ],
)
def test_nonsense_is_refused(masked: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        Denoiser(masked, device="cpu").uncertainty(MAP, scale=1.0, **options)


@pytest.mark.parametrize(
    ("make", "samples", "says"),
    [
        (networks.identity, 50, "no variance output; flips .*method='flips'.* give a stand-in"),
        (networks.identity, 0, "no variance output; flips .*method='flips'.* give a stand-in"),
        (lambda path: networks.masked(path, rate=0.0), 50, "no dropout, .* 0 samples .* give the aleatoric part alone"),
    ],
)
def test_networks_that_cannot_tell_name_what_they_can(
    tmp_path: Path, make: Callable[[Path], Path], samples: int, says: str
) -> None:
    denoiser = Denoiser(make(tmp_path / "net.onnx"), device="cpu")
    with pytest.raises(ModelError, match=f"'net' has {says}.*'stokes-bayes'"):
        denoiser.uncertainty(MAP, samples=samples, scale=1.0)


def test_a_graph_whose_dropout_was_lost_is_an_error(tmp_path: Path) -> None:
    path = networks.masked(tmp_path / "net.onnx", lost=True)
    with pytest.raises(
        ModelError, match=r"two samples of network 'net' .*net\.onnx\) agree exactly.* 0\.25: its dropout was lost"
    ):
        Denoiser(path, device="cpu").denoise(MAP, scale=1.0)


def test_a_card_whose_rate_contradicts_the_graph_is_refused(masked: Path) -> None:
    network = onnx.load(masked)
    pair = next(pair for pair in network.metadata_props if pair.key == "dropout")
    pair.value = pair.value.replace("0.25", "0.1")
    masked.write_bytes(network.SerializeToString())
    with pytest.raises(ModelError, match=r"says that a fraction of 0\.1 is dropped, its graph drops 0\.25"):
        model.load(masked)


def test_a_graph_whose_masks_cannot_be_switched_off_is_refused(masked: Path) -> None:
    network = onnx.load(masked)
    del network.graph.input[3]
    masked.write_bytes(network.SerializeToString())
    with pytest.raises(ModelError, match="draws dropout masks, but has no 'dropout_threshold'"):
        model.load(masked)


def test_an_onnxruntime_without_the_operators_is_named(masked: Path) -> None:
    network = model.load(masked)
    broken = model.Model(network.path, network.card, network.sha256, network.data.replace(b"BitwiseXor", b"BitwiseYor"))
    with pytest.raises(ModelError, match=r"onnxruntime [\d.]+ refuses .*; dropout masks need 1\.22 or newer"):
        Engine(broken, "cpu").run(MAP[None, None])


def test_samples_go_together_as_the_memory_allows(masked: Path) -> None:
    card, needs = model.load(masked).card, memory.demand(model.load(masked))
    much = memory.sampling_share(10**8, needs, card, (64, 64), 2)
    assert much.batch > 1
    assert 2 * needs.bytes(much.batch) * (64 + 2) ** 2 <= 10**8
    least = int(needs.bytes() * 16**2) + 1
    assert memory.sampling_share(least, needs, card, (64, 64), 4).batch == 1
    with pytest.raises(OptionError, match="the least that works"):
        memory.sampling_share(least - 2, needs, card, (64, 64), 4)


def test_what_samples_share_is_computed_once(masked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, drawn = [], []
    share, draw = Engine.share, Engine.draw
    monkeypatch.setattr(Engine, "share", lambda *given: shared.append(given) or share(*given))
    monkeypatch.setattr(Engine, "draw", lambda *given: drawn.extend(given[2]) or draw(*given))
    Denoiser(masked, device="cpu", threads=2).uncertainty(MAP, samples=50, scale=1.0)
    assert (len(shared), len(drawn)) == (1, 50)


def test_the_halves_of_a_graph_are_the_whole(tmp_path: Path) -> None:
    for masked_variance in (False, True):
        engine = Engine(model.load(networks.masked(tmp_path / "net.onnx", masked_variance=masked_variance)), "cpu")
        seeds = sample_seeds(3, 4)
        whole = engine.run(MAP[None, None], seeds=seeds, origin=(5, 7))
        shared = engine.share(MAP[None, None], (5, 7))
        drawn = engine.draw(shared, seeds)
        assert ("log_variance" in drawn) == masked_variance
        for name, values in whole.items():
            np.testing.assert_array_equal({**shared.outputs, **drawn}[name], values)


def test_denoisers_of_masked_networks_travel(masked: Path) -> None:
    denoiser = Denoiser(masked, device="cpu")
    expected = denoiser.uncertainty(MAP, samples=2, scale=1.0)
    same(pickle.loads(pickle.dumps(denoiser)).uncertainty(MAP, samples=2, scale=1.0), expected)


def test_in_one_call(masked: Path) -> None:
    found = solardn.uncertainty(MAP, 2, seed=1, scale=1.0, model=masked, device="cpu")
    assert isinstance(found, solardn.Uncertainty)
    same(found, Denoiser(masked, device="cpu").uncertainty(MAP, samples=2, seed=1, scale=1.0))
