import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solardn.axes import from_header


@settings(deadline=None)
@given(st.data())
def test_every_map_comes_once_whatever_the_order_of_the_axes(data):
    shape = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=5).map(tuple))
    y, x = data.draw(st.permutations(range(len(shape))))[:2]
    limit = data.draw(st.integers(1, 5))
    cube = from_header({}, shape, "f", f"y={y},x={x}")
    array = np.arange(np.prod(shape)).reshape(shape)
    expected = np.moveaxis(array, (y, x), (-2, -1))
    found, back = {}, np.zeros_like(array)
    for batch in cube.batches(limit):
        block = array[batch.selection]
        maps = cube.to_maps(block)
        assert len(maps) == len(batch.indices) <= limit
        found |= dict(zip(batch.indices, maps, strict=True))
        back[batch.selection] = cube.to_block(maps)
    assert list(found) == list(cube.indices())
    assert len(found) == cube.n_maps
    for index, plane in found.items():
        np.testing.assert_array_equal(plane, expected[index])
        np.testing.assert_array_equal(cube.to_maps(array[cube.batch_of(index).selection])[0], plane)
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(("axes", "scattered"), [("y=1,x=2", False), ("y=0,x=1", True), ("y=0,x=2", True)])
def test_maps_whose_pixels_lie_scattered_are_known(axes, scattered):
    assert from_header({}, (6, 7, 8), "f", axes).scattered is scattered


def test_maps_of_one_stokes_parameter_and_wavelength_share_a_noise_level():
    cube = from_header({}, (2, 4, 3, 8, 8), "f", "time=0,stokes=1,wavelength=2")
    groups = {cube.group(index) for index in cube.indices()}
    assert groups == {(letter, place) for letter in "IQUV" for place in range(3)}
    assert cube.group((0, 1, 2)) == cube.group((1, 1, 2)) == ("Q", 2)
