import numpy as np
import pytest

from solardn import Denoiser, InputError, OptionError, denoise_file, samples
from solardn.levels import find_levels
from solardn.plan import look_at

SIGMAS = np.array([1.0, 3.0, 2.0, 5.0])


@pytest.fixture
def cube(tmp_path):
    """Return a cube (time, wavelength, y, x) whose noise differs from wavelength to wavelength."""
    noise = np.random.default_rng(0).normal(0, 1, (6, 4, 48, 48)) * SIGMAS[:, np.newaxis, np.newaxis]
    np.save(tmp_path / "cube.npy", noise.astype(np.float32))
    return tmp_path / "cube.npy"


def found(path, model, **options):
    with look_at(path, axes="time=0,wavelength=1") as plan:
        return find_levels(plan, Denoiser(model, threads=2), **options)


def test_each_wavelength_has_its_own_level(cube, identity_model):
    result = found(cube, identity_model)
    assert list(result) == [("", place) for place in range(4)]
    np.testing.assert_allclose([level.noise_sigma for level in result.values()], SIGMAS, rtol=0.05)
    assert {level.maps for level in result.values()} == {3}  # the first, the last and one between, which agree


def test_one_bad_map_does_not_change_the_level(cube, identity_model):
    data = np.load(cube)
    data[2] *= 100
    data[4, 1] = np.nan
    np.save(cube, data)
    result = found(cube, identity_model)
    np.testing.assert_allclose([level.noise_sigma for level in result.values()], SIGMAS, rtol=0.1)
    assert result["", 1].maps == 5


def test_a_group_without_values_lies_between_its_neighbours(cube, identity_model):
    data = np.load(cube)
    data[:, 1] = np.nan
    np.save(cube, data)
    level = found(cube, identity_model)["", 1]
    assert level.noise_sigma == pytest.approx(1.5, rel=0.05)
    assert level.maps == 0


def test_a_group_whose_sampled_maps_are_empty_is_searched_for_one_that_is_not(tmp_path, identity_model):
    noise = np.random.default_rng(0).normal(0, 1, (40, 2, 48, 48)) * SIGMAS[:2, np.newaxis, np.newaxis]
    noise[:, 1] = np.where(np.isin(np.arange(40), (7, 22, 23))[:, np.newaxis, np.newaxis], noise[:, 1], np.nan)
    np.save(tmp_path / "cube.npy", noise.astype(np.float32))
    result = found(tmp_path / "cube.npy", identity_model)
    assert result["", 1].noise_sigma == pytest.approx(SIGMAS[1], rel=0.05)
    assert result["", 1].maps > 0


def test_a_stokes_parameter_without_noise_says_that_it_takes_the_level_of_others(tmp_path, identity_model):
    noise = np.random.default_rng(0).normal(0, 1, (4, 48, 48)).astype(np.float32)
    noise[3][np.random.default_rng(1).random((48, 48)) < 0.7] = np.nan  # too few pixels to tell noise from signal
    np.save(tmp_path / "iquv.npy", noise)
    with pytest.warns(
        UserWarning,
        match=r"iquv.npy, Stokes V shows no noise in its maps, and takes the level of the others, 0.99",
    ):
        denoise_file(tmp_path / "iquv.npy", tmp_path / "out.npy", model=identity_model, axes="stokes=0")


def test_wavelengths_that_were_left_out_are_looked_at_where_the_others_are_empty(tmp_path, identity_model, monkeypatch):
    monkeypatch.setattr(samples, "_MOST_GROUPS", 8)
    noise = np.random.default_rng(0).normal(0, 1, (4, 4, 48, 48)).astype(np.float32)
    noise[3] *= 7
    noise[3, ::2] = np.nan
    np.save(tmp_path / "iquv.npy", noise)
    with look_at(tmp_path / "iquv.npy", axes="stokes=0,wavelength=1") as plan:
        result = find_levels(plan, Denoiser(identity_model, threads=2))
    assert [result["V", place].noise_sigma for place in range(4)] == pytest.approx([7] * 4, rel=0.05)


def test_maps_without_a_level_of_their_own_are_told(cube, identity_model):
    data = np.load(cube)
    data[2, 1][np.random.default_rng(1).random((48, 48)) < 0.7] = np.nan
    np.save(cube, data)
    with pytest.warns(
        UserWarning, match=r"no noise is found in 1 of its maps \(the first is map \(2, 1\)\), which take"
    ):
        denoise_file(
            cube, cube.with_name("out.npy"), model=identity_model, axes="time=0,wavelength=1", noise_sigma="per-map"
        )


@pytest.mark.parametrize(
    ("members", "most", "chosen"),
    [(7, 1, [3]), (2, 1, [0]), (1, 9, [0]), (0, 1, []), (7, 3, [0, 3, 6]), (3, 9, [0, 1, 2])],
)
def test_members_are_spread_evenly(members, most, chosen):
    assert samples.evenly(list(range(members)), most) == chosen


def test_of_many_wavelengths_some_are_interpolated(cube, identity_model, monkeypatch):
    monkeypatch.setattr(samples, "_MOST_GROUPS", 2)
    result = found(cube, identity_model)
    assert [level.maps > 0 for level in result.values()] == [True, False, True, False]
    np.testing.assert_allclose([level.noise_sigma for level in result.values()], [1, 1.5, 2, 2], rtol=0.05)


def test_values_beyond_float32_are_named_with_their_map(cube, identity_model):
    data = np.load(cube).astype(float)
    data[1, 2, 5, 5] = 1e39
    np.save(cube, data)
    with pytest.raises(InputError, match=r"cube.npy \(map \(1, 2\)\): the value 1e\+39 is beyond what float32 holds"):
        denoise_file(cube, cube.with_name("out.npy"), model=identity_model, axes="time=0,wavelength=1", noise_sigma=1.0)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"noise_sigma": SIGMAS}, OptionError, "noise_sigma is array.*; give a positive number"),
        ({"noise_map": np.ones((48, 48))}, OptionError, "the noise map is of type ndarray; give 'auto', 'off', a file"),
        ({"noise_map": None}, OptionError, "the noise map is of type NoneType"),
        ({"input": np.ones((48, 48))}, InputError, "the input is of type ndarray; give the path of a file"),
    ],
)
def test_arrays_in_place_of_numbers_and_files_are_refused(cube, identity_model, options, error, says):
    given = {"input": cube, "output": cube.with_name("out.npy"), "model": identity_model} | options
    with pytest.raises(error, match=says):
        denoise_file(**given)


def test_a_level_with_a_unit_is_taken_in_that_of_the_file(tmp_path, identity_model):
    from astropy import units
    from astropy.io import fits

    maps = np.random.default_rng(0).normal(0, 10, (2, 48, 48)).astype(np.float32)
    fits.writeto(tmp_path / "in.fits", maps, fits.Header({"BUNIT": "G"}))
    options = {"model": identity_model, "overwrite": True}
    done = denoise_file(tmp_path / "in.fits", tmp_path / "out.fits", noise_sigma=1 * units.mT, **options)
    assert done.noise_sigma == pytest.approx(10)
    with pytest.raises(OptionError, match="noise_sigma is in m, and the maps are in G"):
        denoise_file(tmp_path / "in.fits", tmp_path / "out.fits", noise_sigma=1 * units.m, **options)


def test_a_given_level_is_that_of_all_groups(cube, identity_model):
    assert {level.noise_sigma for level in found(cube, identity_model, noise_sigma=0.5).values()} == {0.5}
    assert {level.noise_sigma for level in found(cube, identity_model, scale=4.0).values()} == {0.25}


def test_nothing_but_constants_is_refused(cube, identity_model):
    np.save(cube, np.ones((6, 4, 48, 48), np.float32))
    with pytest.raises(InputError, match=r"no noise is found in .*cube\.npy: its maps are constant"):
        found(cube, identity_model)


def test_wavelengths_that_are_left_out_are_evened_as_their_neighbours(tmp_path, identity_model, monkeypatch):
    rise = np.linspace(1, 6, 96)
    np.save(tmp_path / "cube.npy", np.random.default_rng(0).normal(size=(2, 4, 96, 96)) * rise)
    monkeypatch.setattr(samples, "_MOST_GROUPS", 2)
    result = list(found(tmp_path / "cube.npy", identity_model, noise_map="auto").values())
    assert [level.maps > 0 for level in result] == [True, False, True, False]
    for level, nearest in zip(result, (0, 0, 2, 2), strict=True):
        np.testing.assert_array_equal(level.uneven, result[nearest].uneven)
    assert result[0].uneven.max() > 2 * result[0].uneven.min()


@pytest.mark.parametrize(("offset", "unit"), [(1e9, 1.0), (0.0, 1e-60)])
def test_noise_that_float32_does_not_hold_is_told(tmp_path, identity_model, offset, unit):
    np.save(tmp_path / "a.npy", offset + np.random.default_rng(0).normal(0, unit, (48, 48)))
    with pytest.raises(
        InputError, match=r"a\.npy: its values, from .* are one and the same in float32; subtract their"
    ):
        denoise_file(tmp_path / "a.npy", tmp_path / "out.npy", model=identity_model)
