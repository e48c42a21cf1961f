"""Denoising arrays: what goes in, what comes out, and what is refused."""

from __future__ import annotations

import logging
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import solardn
from solardn import Denoiser, InputError, ModelError, OptionError, maps
from solardn.diagnosis import diagnose
from solardn.failure import OutOfMemory
from solardn.noise import noise_sigma
from solardn.units import prepare
from tests import networks

RNG = np.random.default_rng(3)
MAP = RNG.normal(size=(24, 31)).astype(np.float32)


@pytest.fixture
def blur(blur_model: Path) -> Denoiser:
    return Denoiser(blur_model, device="cpu")


def blurred(plane: NDArray[Any]) -> NDArray[np.float64]:
    padded = np.pad(plane.astype(float), 1)
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).mean(axis=(2, 3))


@pytest.mark.parametrize("leading", [(), (1,), (5,), (2, 3), (3, 1, 2)])
def test_shapes_stay(blur: Denoiser, leading: tuple[int, ...]) -> None:
    maps = RNG.normal(size=(*leading, 20, 26)).astype(np.float32)
    result = blur.denoise(maps, scale=1.0)
    assert (result.shape, result.dtype) == (maps.shape, np.dtype("f4"))
    for index in np.ndindex(*leading):
        np.testing.assert_allclose(result[index], blurred(maps[index]), atol=1e-6)


@pytest.mark.parametrize("dtype", [">f8", "<f8", ">f4", "f2", ">i2", "u1", "i8", "u8", "g"])
def test_any_real_type_and_byte_order(blur: Denoiser, dtype: str) -> None:
    maps = (20 * MAP + 100).astype(dtype)
    before = maps.copy()
    result = blur.denoise(maps, noise_sigma=2.0)
    assert result.dtype == np.float32
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, blur.denoise(maps.astype(np.float32), noise_sigma=2.0))
    np.testing.assert_array_equal(maps, before)


def test_views_lists_and_read_only_arrays(blur: Denoiser) -> None:
    expected = blur.denoise(MAP[::2, ::-1].copy(), scale=1.0)
    np.testing.assert_array_equal(blur.denoise(MAP[::2, ::-1], scale=1.0), expected)
    np.testing.assert_array_equal(blur.denoise(MAP[::2, ::-1].tolist(), scale=1.0), expected)
    fixed = MAP.copy()
    fixed.flags.writeable = False
    np.testing.assert_array_equal(blur.denoise(fixed, scale=1.0), blur.denoise(MAP, scale=1.0))


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (np.zeros(10), r"shape \(10,\) holds no map"),
        (3.0, r"shape \(\) holds no map"),
        ([np.zeros((20, 20)), np.zeros((20, 24))], "a list holds arrays of different shapes"),
        ([np.ma.zeros((20, 20)), np.zeros((20, 24))], "a list holds arrays of different shapes"),
        (np.zeros((0, 20, 20)), r"shape \(0, 20, 20\) is empty"),
        (np.zeros((20, 0)), "is empty"),
        (np.zeros((9, 9), complex), "data of type complex128"),
        (np.full((9, 9), "a"), "data of type <U1"),
        (np.full((9, 9), None), "data of type object"),
        (np.zeros((9, 9), bool), "data of type bool"),
        (np.zeros((9, 9), "M8[s]"), "data of type datetime64"),
        (np.full((9, 9), 1e39), r"the value 1e\+39 is beyond what float32 holds"),
        (np.zeros((2, 9)), "2×9 pixels is too small for network 'blur', which needs at least 3×3"),
        (np.full((9, 9), 3e38), r"values up to 3e\+38 are too large for a scale of 10"),
    ],
)
def test_what_is_no_map_is_refused(blur: Denoiser, maps: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        blur.denoise(maps, scale=10.0)


def test_one_map_is_no_stack(blur: Denoiser) -> None:
    with pytest.raises(InputError, match=r"shape \(2, 20, 20\) is no map"):
        blur.denoise_map(np.zeros((2, 20, 20)), scale=1.0)


def test_noise_given_estimated_or_scale_given(identity_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    networks.identity(identity_model, input_sigma=0.5)
    denoiser = Denoiser(identity_model, device="cpu")
    monkeypatch.setattr("solardn.scaling.estimate", lambda plane: SimpleNamespace(sigma=4.0))
    assert denoiser.scaling(MAP) == solardn.Scaling(4.0, 0.125, "estimated")
    assert denoiser.scaling(MAP, noise_sigma=2.0) == solardn.Scaling(2.0, 0.25, "given")
    assert denoiser.scaling(MAP, scale=100) == solardn.Scaling(0.005, 100.0, "from the scale given")


def test_each_map_has_its_own_noise(blur_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scales: list[float] = []

    def noted(data: Any, scale: float) -> Any:
        scales.append(scale)
        return prepare(data, scale)

    monkeypatch.setattr(maps, "prepare", noted)
    monkeypatch.setattr(
        "solardn.scaling.estimate", lambda plane: SimpleNamespace(sigma=float(np.std(plane)), quiet=0.0)
    )
    planes = np.arange(1, 7).reshape(2, 3, 1, 1) * MAP
    denoiser = Denoiser(blur_model, device="cpu", threads=1)
    denoiser.denoise(planes)
    np.testing.assert_allclose(scales, [1 / (k * np.std(MAP)) for k in range(1, 7)], rtol=1e-5)
    scales.clear()
    denoiser.denoise(planes, noise_sigma=[[1.0], [4.0]])
    assert scales == [1, 1, 1, 0.25, 0.25, 0.25]


class TestNoiseThatVaries:
    """Noise ten times stronger on the right than on the left, under a signal."""

    def maps(self) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        sigma = np.broadcast_to(np.geomspace(0.3, 3, 192), (192, 192))
        return (sigma * np.random.default_rng(0).normal(size=sigma.shape)).astype(np.float32), sigma

    def test_a_map_of_it_makes_it_even_before_the_network_and_uneven_after(self, blur: Denoiser) -> None:
        data, sigma = self.maps()
        expected = blur.denoise(data / sigma, scale=1.0) * sigma
        found = blur.denoise(np.stack([data, data]), noise_map=sigma)
        np.testing.assert_allclose(found, [expected, expected], rtol=1e-4, atol=1e-5)

    def test_it_is_found(self, blur: Denoiser, monkeypatch: pytest.MonkeyPatch) -> None:
        given: list[Any] = []
        monkeypatch.setattr(maps, "prepare", lambda data, scale: (given.append(scale), prepare(data, scale))[1])
        data, sigma = self.maps()
        blur.denoise(data)
        assert np.median(np.abs(given[-1] * sigma - 1)) < 0.1

    def test_even_noise_stays_as_it_is(self, blur: Denoiser) -> None:
        data = np.random.default_rng(0).normal(size=(192, 192))
        np.testing.assert_array_equal(blur.denoise(data), blur.denoise(data, noise_map="off"))

    def test_no_result_where_there_are_no_data(self, blur: Denoiser) -> None:
        data, sigma = self.maps()
        data[:3], sigma = np.nan, sigma.copy()
        sigma[:3] = (0.0, np.nan, -1.0) * 64
        found = blur.denoise(data, noise_map=sigma)
        assert np.isnan(found[:3]).all()
        assert np.isfinite(found[3:]).all()

    @pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
    def test_a_map_of_it_must_be_positive(self, blur: Denoiser, wrong: float) -> None:
        data, sigma = self.maps()
        sigma = sigma.copy()
        sigma[5, 7] = wrong
        with pytest.raises(InputError, match=r"^noise_map is .* at y=5, x=7 \(1 such pixels\), but"):
            blur.denoise(data, noise_map=sigma)

    def test_a_map_of_it_must_fit(self, blur: Denoiser) -> None:
        data, sigma = self.maps()
        with pytest.raises(
            OptionError, match=r"noise_map of shape \(100, 192\) does not fit maps of shape \(192, 192\)"
        ):
            blur.denoise(data, noise_map=sigma[:100])

    @pytest.mark.parametrize("options", [{"noise_sigma": 1.0}, {"scale": 2.0}])
    def test_a_map_of_it_and_a_level_contradict(self, blur: Denoiser, options: dict[str, float]) -> None:
        data, sigma = self.maps()
        with pytest.raises(OptionError, match="give one of them"):
            blur.denoise(data, noise_map=sigma, **options)


def test_scaling_leaves_no_trace(blur: Denoiser) -> None:
    np.testing.assert_allclose(blur.denoise(MAP, noise_sigma=1e-4), blur.denoise(MAP, scale=1.0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"noise_sigma": 0}, "noise_sigma is 0.0; give a positive number"),
        ({"noise_sigma": -1.0}, "noise_sigma is -1.0"),
        ({"noise_sigma": float("nan")}, "noise_sigma is nan"),
        ({"noise_sigma": "loud"}, "noise_sigma is 'loud'"),
        ({"noise_sigma": [1.0, 2.0]}, r"noise_sigma of shape \(2,\) does not fit the leading axes \(\)"),
        ({"noise_sigma": None}, "noise_sigma is None; give 'auto', a number, or one for each map"),
        ({"noise_sigma": True}, "noise_sigma is True; give 'auto', a number"),
        ({"noise_map": True}, "noise_map is True; give 'auto', 'off', or the rms of the noise at every pixel"),
        ({"noise_map": None}, "noise_map is None; give 'auto', 'off'"),
        ({"noise_map": "loud"}, "noise_map is 'loud'; give 'auto', 'off'"),
        ({"noise_map": MAP > 0}, "noise_map is of type bool; give 'auto', 'off'"),
        ({"scale": float("inf")}, "scale is inf"),
        ({"scale": 0.0}, "scale is 0.0"),
        ({"scale": 1e50}, r"scale is 1e\+50, beyond what float32 holds"),
        ({"scale": 1e-50}, "scale is 1e-50, beyond what float32 holds"),
        ({"scale": True}, "scale is True; give a positive number"),
        ({"scale": "big"}, "scale is 'big'"),
        ({"scale": 1.0, "noise_sigma": 1.0}, "exclude each other"),
        ({"scale": 1.0, "cycles": 0}, "cycles is 0; give 'auto' or a whole number from 1"),
        ({"scale": 1.0, "cycles": 1.5}, "cycles is 1.5"),
        ({"scale": 1.0, "cycles": True}, "cycles is True"),
        ({"scale": 1.0, "cycles": "many"}, "cycles is 'many'; give 'auto' or a whole number from 1"),
    ],
)
def test_nonsense_options_are_refused(blur: Denoiser, options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        blur.denoise(MAP, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tile": 2}, "tile is 2; network 'pooled' needs at least 8"),
        ({"tile": 0}, "tile is 0; give a whole number from 1"),
        ({"tile": "large"}, "tile is 'large'"),
        ({"memory": "1kB"}, "0.001 MB of memory do not suffice for network 'pooled'; the least that works is 1MB"),
        ({"memory": "much"}, "memory is 'much'"),
        ({"threads": -1}, "threads is -1"),
        ({"device": None}, "no device None; possible are auto"),
    ],
)
def test_nonsense_settings_are_refused_at_once(pooled_model: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        Denoiser(pooled_model, **options)


def test_tiles_are_rounded_up_and_bounded_by_the_memory(pooled_model: Path) -> None:
    assert Denoiser(pooled_model, device="cpu", tile=9).tile == 12
    assert Denoiser(pooled_model, device="cpu", tile=5000, memory="5MB", threads=1).tile < 600


def test_passes_run_on_the_residual(blur: Denoiser) -> None:
    once = blur.denoise(MAP, scale=1.0)
    twice = blur.denoise(MAP, scale=1.0, cycles=2)
    np.testing.assert_allclose(twice, once + blur.denoise(MAP - once, scale=1.0), atol=1e-6)


class TestPixelsWithoutValues:
    def holes(self) -> NDArray[np.float32]:
        maps = np.array([MAP, MAP])
        maps[0, 3:7, 20:] = np.nan
        maps[0, 10, 10], maps[0, 0, 0] = np.inf, -np.inf
        return maps

    def test_stay_as_they_are(self, blur: Denoiser) -> None:
        maps = self.holes()
        result = blur.denoise(maps, scale=1.0)
        np.testing.assert_array_equal(np.isfinite(result), np.isfinite(maps))
        bad = ~np.isfinite(maps)
        np.testing.assert_array_equal(result[bad], maps[bad])

    def test_do_not_reach_beyond_the_halo(self, blur: Denoiser) -> None:
        maps = self.holes()
        result, clean = blur.denoise(maps, scale=1.0), blur.denoise(MAP, scale=1.0)
        near = np.zeros(MAP.shape, bool)
        for y, x in np.argwhere(~np.isfinite(maps[0])):
            near[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = True
        np.testing.assert_array_equal(result[0][~near], clean[~near])
        assert np.abs(result[0] - clean)[near & np.isfinite(maps[0])].max() < 1

    def test_tiles_stay_exact(self, pooled_model: Path) -> None:
        maps = np.tile(self.holes(), (5, 5))
        whole, tiled = (Denoiser(pooled_model, device="cpu", tile=t).denoise(maps, scale=1.0) for t in (9999, 8))
        np.testing.assert_array_equal(tiled, whole)

    @pytest.mark.parametrize("noise", ["auto", 1.0])
    def test_maps_of_nothing_else_come_out_as_they_went_in(self, blur: Denoiser, noise: Any) -> None:
        maps = np.full((2, 20, 20), np.nan)
        maps[1, :5] = -np.inf
        np.testing.assert_array_equal(blur.denoise(maps, noise_sigma=noise), maps.astype(np.float32))

    def test_masked_ones_count_as_nan(self, blur: Denoiser) -> None:
        masked = np.ma.masked_array((100 * MAP).astype(int), mask=MAP > 1.5)
        expected = blur.denoise(np.where(MAP > 1.5, np.nan, masked.data), scale=1.0)
        np.testing.assert_array_equal(blur.denoise(masked, scale=1.0), expected)


def test_constant_maps_have_no_noise_but_run_at_a_given_scale(blur: Denoiser) -> None:
    flat = np.full((40, 40), 7.0)
    with pytest.raises(InputError, match="constant"):
        blur.denoise(flat)
    assert blur.denoise(flat, scale=1.0)[20, 20] == pytest.approx(7)


def test_values_that_overflow_in_the_network_are_refused(tmp_path: Path) -> None:
    path = networks.unet(tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"values up to 3e\+38 in the units of network 'net' are too large"):
        Denoiser(path, device="cpu").denoise(np.full((8, 8), 3e38), scale=1.0)


def test_many_maps_at_once_are_the_same_as_one_by_one(pooled_model: Path) -> None:
    maps = RNG.normal(size=(7, 30, 50)).astype(np.float32)
    scales = [float(k + 1) for k in range(7)]
    one = Denoiser(pooled_model, device="cpu", threads=1)
    many = Denoiser(pooled_model, device="cpu", threads=3)
    expected = [one.denoise_map(plane, scale) for plane, scale in zip(maps, scales, strict=True)]
    np.testing.assert_array_equal([found.values for found in many.denoise_maps(maps, scales)], expected)
    assert list(many.denoise_maps([], [])) == []


def test_an_error_comes_when_it_is_the_turn_of_its_map(blur: Denoiser) -> None:
    results = blur.denoise_maps([MAP, np.full(MAP.shape, 3e38), MAP], [1.0, 10.0, 1.0])
    assert next(results).values.shape == MAP.shape
    with pytest.raises(InputError, match="too large"):
        next(results)


def test_one_denoiser_serves_many_threads_and_travels(pooled_model: Path) -> None:
    denoiser = Denoiser(pooled_model, device="cpu", threads=2)
    expected = denoiser.denoise(MAP, scale=1.0)
    with ThreadPoolExecutor(6) as pool:
        for result in pool.map(lambda _: denoiser.denoise(MAP, scale=1.0), range(20)):
            np.testing.assert_array_equal(result, expected)
    copy = pickle.loads(pickle.dumps(denoiser))
    np.testing.assert_array_equal(copy.denoise(MAP, scale=1.0), expected)


def test_a_tile_that_does_not_fit_the_device_is_halved_and_the_user_told(
    pooled_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    denoiser = Denoiser(pooled_model, device="cpu", threads=1)
    maps = RNG.normal(size=(2, 300, 200)).astype(np.float32)
    expected = denoiser.denoise(maps, scale=1.0)
    run = denoiser.engine.run

    def small_only(batch: NDArray[np.float32], **_: Any) -> Any:
        if batch.size > 100 * 100:
            raise OutOfMemory("the memory of the device cuda does not suffice")
        return run(batch)

    monkeypatch.setattr(denoiser.engine, "run", small_only)
    with (
        pytest.warns(UserWarning, match="does not suffice: going on with tiles of .* pixels instead of"),
        caplog.at_level(logging.WARNING, "solardn"),
    ):
        np.testing.assert_array_equal(denoiser.denoise(maps, scale=1.0), expected)
    assert denoiser.tile < 100
    assert "going on with tiles of" in caplog.text


def test_a_tile_is_halved_until_the_windows_are_smaller(pooled_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    denoiser = Denoiser(pooled_model, device="cpu", threads=1)
    data = RNG.normal(size=(96, 64)).astype(np.float32)  # half its tile leaves its one window as it is
    expected, run = denoiser.denoise(data, scale=1.0), denoiser.engine.run

    def small_only(batch: NDArray[np.float32], **_: Any) -> Any:
        if batch.size >= data.size:
            raise OutOfMemory("the memory of the device cuda does not suffice")
        return run(batch)

    monkeypatch.setattr(denoiser.engine, "run", small_only)
    with pytest.warns(UserWarning, match="going on with tiles of .* pixels instead of 96") as said:
        np.testing.assert_array_equal(denoiser.denoise(data, scale=1.0), expected)
    assert [warning.filename for warning in said] == [__file__]


def test_when_no_tile_fits_the_error_stands(pooled_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    denoiser = Denoiser(pooled_model, device="cpu", threads=1)

    def never(batch: NDArray[np.float32], **_: Any) -> Any:
        raise OutOfMemory("the memory of the device cuda does not suffice")

    monkeypatch.setattr(denoiser.engine, "run", never)
    with pytest.raises(solardn.DeviceError, match="does not suffice"), pytest.warns(UserWarning, match="going on"):
        denoiser.denoise(np.zeros((300, 300)), scale=1.0)


def test_in_one_call(identity_model: Path) -> None:
    result = solardn.denoise(MAP, 1.0, model=identity_model, device="cpu", threads=1)
    np.testing.assert_array_equal(result, MAP)
    with pytest.raises(ModelError, match="no network called 'nothing'"):
        solardn.denoise(MAP, model="nothing")


def test_nothing_is_printed(blur_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Denoiser(blur_model).denoise(MAP, scale=1.0)
    sys.stdout.flush()
    assert capfd.readouterr() == ("", "")


def test_a_map_without_noise_is_named(blur: Denoiser) -> None:
    stack = np.stack([[MAP, MAP, MAP], [MAP, 0 * MAP, MAP]])
    with pytest.raises(InputError, match=r"^map \[1, 1\]: .*constant"):
        blur.denoise(stack)


class TestMasks:
    bad = np.random.default_rng(5).random(MAP.shape) < 0.02
    spoiled = np.where(bad, np.float32(500), MAP)
    masked = np.ma.masked_array(spoiled, mask=bad)
    holed = np.where(bad, np.nan, spoiled)

    def test_count_wherever_a_map_is_taken(self, blur: Denoiser) -> None:
        sigma = noise_sigma(self.holed)
        assert noise_sigma(self.masked) == blur.scaling(self.masked).sigma == sigma
        done = blur.denoise_map(self.masked, 1.0)
        np.testing.assert_array_equal(done, blur.denoise_map(self.holed, 1.0))
        assert diagnose(self.masked, done) == diagnose(self.holed, done)

    def test_of_maps_in_a_list_count(self, blur: Denoiser) -> None:
        here = blur.denoise([self.masked, MAP], scale=1.0)
        np.testing.assert_array_equal(here, blur.denoise([self.holed, MAP], scale=1.0))

    @pytest.mark.parametrize("kind", ["numpy", "Masked", "CCDData"])
    def test_of_arrays_deep_in_lists_count(self, blur: Denoiser, kind: str) -> None:
        from astropy.nddata import CCDData
        from astropy.utils.masked import Masked

        given: Any = {
            "numpy": self.masked,
            "Masked": Masked(self.spoiled, mask=self.bad),
            "CCDData": CCDData(self.spoiled, mask=self.bad, unit="adu"),
        }[kind]
        whole: Any = CCDData(MAP, unit="adu") if kind == "CCDData" else MAP
        here = blur.denoise([[whole, given], [given, whole]], scale=1.0)
        np.testing.assert_array_equal(here, blur.denoise([[MAP, self.holed], [self.holed, MAP]], scale=1.0))

    def test_of_noise_levels_count(self, blur: Denoiser) -> None:
        sigma = np.ma.masked_array(np.ones(MAP.shape), mask=self.bad)
        np.testing.assert_array_equal(
            blur.denoise(self.holed, noise_map=sigma), blur.denoise(self.holed, noise_map=sigma.data)
        )
        with pytest.raises(InputError, match=r"noise_map is nan"):
            blur.denoise(MAP, noise_map=sigma)
        with pytest.raises(OptionError, match="noise_sigma is nan"):
            blur.denoise([MAP, MAP], noise_sigma=np.ma.masked_array([1.0, 1.0], mask=[False, True]))

    def test_of_a_container_are_not_dropped_without_a_word(self, blur: Denoiser) -> None:
        from astropy.nddata import CCDData

        with pytest.raises(InputError, match=r"takes arrays .*, not CCDData; give its data"):
            blur.uncertainty(CCDData(self.spoiled, mask=self.bad, unit="adu"), method="flips")

    def test_of_astropy_count(self, blur: Denoiser) -> None:
        from astropy.utils.masked import Masked

        here = blur.denoise(Masked(self.spoiled, mask=self.bad), scale=1.0)
        np.testing.assert_array_equal(here, blur.denoise(self.holed, scale=1.0))


def test_a_noise_level_with_a_unit_is_taken_in_that_of_the_maps(blur: Denoiser) -> None:
    from astropy import units

    maps = MAP * units.G
    expected = blur.denoise(MAP, noise_sigma=1.0) * units.G
    np.testing.assert_allclose(blur.denoise(maps, noise_sigma=0.1 * units.mT), expected, rtol=1e-5)
    spread = np.full(MAP.shape, 0.1) * units.mT
    np.testing.assert_allclose(blur.denoise(maps, noise_map=spread).value, expected.value, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(blur.denoise(MAP, noise_sigma=100 * units.percent), expected.value, rtol=1e-5)
    for wrong in (MAP, MAP * units.m):
        with pytest.raises(OptionError, match=r"noise_sigma is in mT, and the maps are in (no unit|m)"):
            blur.denoise(wrong, noise_sigma=0.1 * units.mT)


@pytest.mark.parametrize("pack", [lambda maps: maps, lambda maps: [maps, maps]])
def test_maps_with_a_unit_keep_it(blur: Denoiser, pack: Any) -> None:
    from astropy import units

    for level in (1.0, 0.1 * units.mT):
        result = blur.denoise(pack(MAP * units.G), noise_sigma=level)
        assert (result.unit, result.dtype) == (units.G, np.float32)
        np.testing.assert_allclose(result.value, blur.denoise(pack(MAP), noise_sigma=1.0), rtol=1e-5)
    found = blur.uncertainty(pack(MAP * units.G), method="flips", noise_sigma=1.0)
    assert found.mean.unit == found.sigma.unit == found.epistemic.unit == units.G
    assert found.aleatoric is None


def test_maps_of_different_units_are_refused(blur: Denoiser) -> None:
    from astropy import units

    np.testing.assert_array_equal(blur.denoise([MAP * units.G], scale=1.0).value, blur.denoise([MAP], scale=1.0))
    nested = blur.denoise([[MAP * units.G], [MAP * units.G]], noise_sigma=[[1 * units.G], [0.1 * units.mT]])
    np.testing.assert_allclose(
        nested.to_value(units.G), blur.denoise([[MAP], [MAP]], noise_sigma=[[1], [1]]), rtol=1e-5
    )
    with pytest.raises(InputError, match="different units"):
        blur.denoise([[MAP * units.G], [MAP * units.T]], scale=1.0)
    with pytest.raises(InputError, match=r"different units \(G, T\); bring them to one"):
        blur.denoise([MAP * units.G, MAP * units.T], scale=1.0)


def test_a_noise_level_that_is_no_array_is_named(blur: Denoiser) -> None:
    from astropy.nddata import CCDData, StdDevUncertainty

    maps = CCDData(MAP, unit="adu", uncertainty=StdDevUncertainty(np.ones_like(MAP)))
    with pytest.raises(OptionError, match="noise_map is a StdDevUncertainty; give its values as an array"):
        blur.denoise(maps, noise_map=maps.uncertainty)
