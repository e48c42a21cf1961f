"""Training from pairs of observations: what pairs, what is refused, and that the patches are what they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from numpy.typing import NDArray
from scipy import ndimage

from solardn.errors import InputError, OptionError
from training.__main__ import main
from training.independence import common_noise
from training.observed import Asked, Stack, read
from training.pairbatches import PairBatches, trained_width

Cube = NDArray[np.float32]


def scene(shape: tuple[int, int] = (64, 128), seed: int = 0) -> Cube:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 6)
    return (5 * field / field.std()).astype(np.float32)


def series(count: int = 4, shape: tuple[int, int] = (64, 128), seed: int = 1, correlation: float = 0.0) -> Cube:
    """Return frames of one scene, noise rms 1, the noise of neighbours correlated."""
    noise = np.random.default_rng(seed).standard_normal((count, *shape))
    for i in range(1, count):
        noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
    return (scene(shape) + noise).astype(np.float32)


def saved(path: Path, cube: Cube) -> str:
    np.save(path, cube)
    return str(path)


def test_neighbours_of_a_series_pair(tmp_path: Path) -> None:
    (stack,) = read(Asked((saved(tmp_path / "a.npy", series()),)), tmp_path / "pairs")
    assert stack.pairs.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert stack.sigma == pytest.approx(np.ones(4), rel=0.1)
    np.testing.assert_array_equal(stack.maps, series())
    assert stack.change == pytest.approx(1, rel=0.1)
    assert str(stack).startswith("3 pairs of 64 × 128 pixels, noise rms ")
    assert "by noise alone" in str(stack)


def test_a_scene_that_moves_is_told(tmp_path: Path) -> None:
    cube = series()
    cube[1::2] += 3 * scene(seed=8)[None]
    (stack,) = read(Asked((saved(tmp_path / "a.npy", cube),)), tmp_path / "pairs")
    assert "blur what moves" in str(stack)


def test_pairs_may_lie_further_apart(tmp_path: Path) -> None:
    (stack,) = read(Asked((saved(tmp_path / "a.npy", series()),), step=2), tmp_path / "pairs")
    assert stack.pairs.tolist() == [[0, 2], [1, 3]]


def test_fits_cubes_pair_along_time_and_without_intensity(tmp_path: Path) -> None:
    cube = np.stack([series(3, seed=s) for s in range(4)], axis=1)  # time, Stokes, y, x
    header = fits.Header()
    for number, kind in enumerate(("HPLN-TAN", "HPLT-TAN", "STOKES", "UTC"), start=1):
        header[f"CTYPE{number}"], header[f"CRVAL{number}"], header[f"CRPIX{number}"] = kind, 1.0, 1.0
    fits.writeto(tmp_path / "a.fits", cube, header)
    (stack,) = read(Asked((str(tmp_path / "a.fits"),)), tmp_path / "pairs")
    assert len(stack.maps) == 9
    assert stack.pairs.tolist() == [[n, n + 3] for n in range(6)]
    np.testing.assert_array_equal(stack.maps[3], cube[1, 1])


def test_maps_of_two_files_pair_place_by_place(tmp_path: Path) -> None:
    first, second = series(2, seed=1), series(2, seed=2)
    asked = Asked((saved(tmp_path / "a.npy", first),), partner=saved(tmp_path / "b.npy", second))
    (stack,) = read(asked, tmp_path / "pairs")
    assert stack.pairs.tolist() == [[0, 2], [1, 3]]
    np.testing.assert_array_equal(stack.maps, np.concatenate([first, second]))


def test_pairs_are_read_only_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", series())
    read(Asked((path,)), tmp_path / "pairs")
    Path(path).unlink()
    assert len(read(Asked((path,)), tmp_path / "pairs")[0].maps) == 4


@pytest.mark.parametrize(("correlation", "least", "most"), [(0.0, 0.4, 1.2), (0.5, 1.4, 4.0)])
def test_noise_in_common_is_measured(correlation: float, least: float, most: float) -> None:
    first, second = series(2, (128, 128), correlation=correlation)
    assert least < common_noise(first, second) < most


def refused(cube: Cube, tmp_path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read(Asked((saved(tmp_path / "a.npy", cube),), **options), tmp_path / "pairs")  # type: ignore[arg-type]
    return str(caught.value)


def test_pixels_without_value_are_refused(tmp_path: Path) -> None:
    cube = series()
    cube[2, 5, 7:9] = np.nan
    assert "map (2,) of" in (said := refused(cube, tmp_path))
    assert "2 pixels without value" in said


def test_fills_are_refused(tmp_path: Path) -> None:
    cube = series()
    cube[:, :, :10] = -200
    assert "640 pixels without value (NaN or infinite, filled with -200)" in refused(cube, tmp_path)


def test_identical_frames_are_refused(tmp_path: Path) -> None:
    cube = series()
    cube[2] = cube[1]
    assert "maps (1,) and (2,)" in (said := refused(cube, tmp_path))
    assert "identical" in said


def test_correlated_noise_is_refused(tmp_path: Path) -> None:
    said = refused(series(6, (128, 128), correlation=0.6), tmp_path)
    assert "noise in common" in said
    assert "--step" in said


def test_small_maps_are_refused(tmp_path: Path) -> None:
    assert "40 × 128 pixels, too small" in refused(series(3, (40, 128)), tmp_path)


def test_one_map_has_no_neighbour(tmp_path: Path) -> None:
    assert "--partner" in refused(series(1)[0], tmp_path)
    assert "too few for pairs 4 apart" in refused(series(4), tmp_path, step=4)
    assert "no axis of wavelength" in refused(series(4), tmp_path, along="wavelength")


def test_partners_of_another_shape_are_refused(tmp_path: Path) -> None:
    other = saved(tmp_path / "b.npy", series(2, (64, 96)))
    assert "one shape" in refused(series(2), tmp_path, partner=other)


def with_stokes(path: Path, cube: Cube, first: int, step: int) -> str:
    header = fits.Header()
    for number, kind in enumerate(("HPLN-TAN", "HPLT-TAN", "STOKES"), start=1):
        header[f"CTYPE{number}"], header[f"CRVAL{number}"], header[f"CRPIX{number}"] = kind, 1.0, 1.0
    header["CRVAL3"], header["CDELT3"] = first, step
    fits.writeto(path, cube, header)
    return str(path)


def test_a_partner_whose_maps_lie_otherwise_is_refused(tmp_path: Path) -> None:
    asked = Asked((with_stokes(tmp_path / "a.fits", series(4), 1, 1),))
    others = {
        "IQUV": with_stokes(tmp_path / "b.fits", series(4, seed=2), 1, 1),
        "of Stokes VUQI": with_stokes(tmp_path / "c.fits", series(4, seed=2), 4, -1),
        "other, y, x, so": saved(tmp_path / "d.npy", series(4, seed=2)),
    }
    assert len(read(replace(asked, partner=others.pop("IQUV")), tmp_path / "good")[0].pairs) == 3
    for said, other in others.items():
        with pytest.raises(InputError, match=f"stokes, y, x of Stokes IQUV and its partner .*{said}"):
            read(replace(asked, partner=other), tmp_path / "pairs")


def test_a_partner_goes_with_one_file(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--partner"):
        read(Asked(("a.npy", "b.npy"), partner="c.npy"), tmp_path)


def a_stack(shape: tuple[int, int] = (72, 256)) -> Stack:
    cube = 3 * series(3, shape)
    return Stack(cube, np.full(3, 3.0), np.array([[0, 1], [1, 2]]))


def test_batches_are_the_same_every_time_and_in_units_of_the_noise() -> None:
    batches = PairBatches([a_stack()], seed=3)
    assert batches.size == 64
    first, again, other = batches(5), batches(5), batches(6)
    assert first.noisy.shape == first.truth.shape == (48, 64, 64, 1)
    assert first.noisy.dtype == first.truth.dtype == np.float32
    assert np.array_equal(first.noisy, again.noisy)
    assert not np.array_equal(first.noisy, other.noisy)
    assert np.std(first.noisy - first.truth) == pytest.approx(np.sqrt(2), rel=0.05)
    assert first.snr.mean() == pytest.approx(5, rel=0.4)


def test_clean_batches_have_the_same_patches_and_the_truth_under_them() -> None:
    pairtest = pytest.importorskip("training.pairtest")
    field = scene((72, 256))
    stack = Stack(3 * series(2, (72, 256)), np.full(2, 3.0), np.array([[0, 1]]))
    noisy, clean = PairBatches([stack], 3)(1), pairtest.CleanBatches([stack], 3, 3 * field[None])(1)
    assert np.array_equal(noisy.noisy, clean.noisy)
    assert np.std(clean.noisy - clean.truth) == pytest.approx(1, rel=0.05)


def test_validation_sees_columns_that_training_does_not() -> None:
    pairs = pytest.importorskip("training.pairs")
    stack = a_stack()
    edge = trained_width(stack)
    assert edge == 256 - 32
    stack.maps[:, :, edge:] = np.random.default_rng(0).standard_normal((3, 72, 32))
    seen = PairBatches([stack], seed=3)(1)
    assert np.abs(seen.noisy).max() > 4

    def perfect(maps: NDArray[np.float32], training: bool) -> NDArray[np.float32]:
        return 0 * maps

    scores = pairs.validation([stack])(perfect)
    assert scores["pair"] == pytest.approx(1 / 3, rel=0.05)
    assert scores["as_is"] == pytest.approx(np.sqrt(2) / 3, rel=0.05)


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    pairs = pytest.importorskip("training.pairs")
    for name, said in {"stokes": "from simulation", "../x": "cannot be the name", "": "cannot be the name"}.items():
        with pytest.raises(OptionError, match=said):
            pairs.claim(tmp_path, name, {})
    (tmp_path / "other").mkdir()
    with pytest.raises(OptionError, match="holds no training from pairs"):
        pairs.claim(tmp_path, "other", {})
    pairs.claim(tmp_path, "mine", {"steps": 500})
    pairs.claim(tmp_path, "mine", {"steps": 500})
    with pytest.raises(OptionError, match="steps 500, not 600"):
        pairs.claim(tmp_path, "mine", {"steps": 600})
    (tmp_path / "mine" / "mine.onnx").touch()
    with pytest.raises(OptionError, match="exists"):
        pairs.claim(tmp_path, "mine", {"steps": 500})


def test_bad_pairs_end_in_one_sentence_and_leave_the_name_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("training.pairs")
    monkeypatch.chdir(tmp_path)
    cube = series()
    cube[0, 0, 0] = np.inf
    path = saved(tmp_path / "a.npy", cube)
    done = CliRunner().invoke(main, ["train", "mine", "--pairs", path, "--start", "none"])
    assert done.exit_code == 1
    assert "1 pixels without value" in done.output
    assert len(done.output.splitlines()) == 1
    assert not (tmp_path / "runs" / "mine").exists()


class StopError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # TensorFlow and tf2onnx warn about themselves
def test_training_from_pairs_resumes_and_gives_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = pytest.importorskip("training.pairs")
    import keras

    from training import network, pairbatches, start

    def tiny(shape: network.Shape = network.LEAN) -> object:
        return network.stokes(network.Shape((4, 8, 8, 8)))

    for module in (pairs, start):
        monkeypatch.setattr(module, "stokes", tiny)
    monkeypatch.setattr(pairbatches, "_PIXELS", 2 * 64**2)
    asked = Asked((saved(tmp_path / "a.npy", series()),))
    draw = PairBatches.__call__

    def interrupted(self: object, number: int) -> object:
        if number == 250:
            raise StopError
        return draw(self, number)

    monkeypatch.setattr(PairBatches, "__call__", interrupted)
    with pytest.raises(StopError):
        pairs.train("mine", asked, 400, None, tmp_path)
    assert (tmp_path / "mine" / "step").read_text() == "200"
    table = tmp_path / "mine" / "losses.csv"
    table.write_text(table.read_text() + "300,torn")  # as when it ends between the table and the checkpoint
    monkeypatch.setattr(PairBatches, "__call__", draw)
    path = pairs.train("mine", asked, 400, None, tmp_path)
    rows = table.read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "100", "200", "300", "400"]

    from solardn import Denoiser

    denoiser = Denoiser(path)
    assert denoiser.card.source["options"]["files"] == ["a.npy"]
    assert (
        denoiser.card.source["command"]
        == "python -m training train mine --pairs a.npy --step 1 --steps 400 --start none"
    )
    assert denoiser.denoise(series()[0], noise_sigma=1).shape == (64, 128)
    weights, trained = start.starting_weights(str(path)), keras.models.load_model(path.with_name("final.keras"))
    for name, values in weights.items():
        assert all(map(np.array_equal, values, trained.get_layer(name).get_weights()))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # TensorFlow warns about itself
@pytest.mark.parametrize("name", ["stokes-best", "stokes-bayes"])
def test_a_training_begins_as_the_network_that_it_starts_from(name: str) -> None:
    recipes = pytest.importorskip("training.recipes")
    from solardn.engine import Engine
    from solardn.model import load
    from training.start import starting_network

    model = recipes.build(recipes.RECIPES[name])
    maps = 3 * np.random.default_rng(0).standard_normal((1, 64, 64, 1), dtype=np.float32)
    found = model(maps)
    assert np.array_equal(found[0] if name == "stokes-bayes" else found, starting_network(name)(maps))
    if name == "stokes-bayes":
        exact = Engine(load(name), "cpu").run(maps.transpose(0, 3, 1, 2), outputs=("log_variance",))["log_variance"]
        np.testing.assert_allclose(np.asarray(found[1])[..., 0], exact[:, 0], atol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # TensorFlow warns about itself
def test_training_from_pairs_refines_the_whole_network_that_it_starts_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = pytest.importorskip("training.pairs")
    from training.start import starting_network

    built = []

    def trainer(folder: Path, build: Callable[[], object], plan: object) -> None:
        built.append(build())
        raise StopError

    monkeypatch.setattr(pairs, "PairTrainer", trainer)
    with pytest.raises(StopError):
        pairs.train("mine", Asked((saved(tmp_path / "a.npy", series()),)), 400, "stokes-best", tmp_path)
    maps = 3 * np.random.default_rng(0).standard_normal((1, 64, 64, 1), dtype=np.float32)
    assert np.array_equal(built[0](maps), starting_network("stokes-best")(maps))
