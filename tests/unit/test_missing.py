import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from solardn.errors import OptionError
from solardn.missing import _connected, blanked, missing, parse_fill_value

NOISE = np.random.default_rng(0).normal(0, 3, (120, 160)).astype(np.float32)


def wedges(value):
    y, x = np.mgrid[:120, :160]
    return np.where(y + x < 40, value, NOISE).astype(np.float32), y + x < 40


@pytest.mark.parametrize("value", [0, -200, 0.123, float(np.median(NOISE))])
def test_wedges_of_one_value_are_fills(value):
    plane, where = wedges(value)
    np.testing.assert_array_equal(missing(plane), where)


def test_a_frame_and_what_is_not_finite_are_both_missing():
    plane = np.pad(NOISE, 5, constant_values=-200.0)
    plane[60, 70] = np.nan
    expected = np.pad(np.zeros(NOISE.shape, bool), 5, constant_values=True)
    expected[60, 70] = True
    np.testing.assert_array_equal(missing(plane), expected)


def test_different_fills_at_different_edges_are_found():
    plane = NOISE.copy()
    plane[:10], plane[-10:] = 0, -1
    assert missing(plane).sum() == 20 * 160


@pytest.mark.parametrize("rounded", [1.0, 3.0, 5.0])
def test_rounded_data_are_no_fill(rounded):
    plane = np.round(NOISE / rounded).astype(np.float32)
    assert not missing(plane).any()


def test_a_constant_region_away_from_the_edge_is_data():
    plane = NOISE.copy()
    plane[40:80, 50:90] = 1000  # saturated, perhaps; not outside of what was observed
    assert not missing(plane).any()


def test_a_constant_map_holds_nothing():
    assert missing(np.full((30, 40), 5.0, np.float32)).all()


def test_a_map_is_copied_only_where_it_holds_no_value_somewhere():
    plane, where = wedges(0)
    found = blanked(plane, missing(plane))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found), where)
    np.testing.assert_array_equal(found[~where], plane[~where])
    assert blanked(plane, missing(plane, "none")) is plane


def test_the_user_can_name_the_value_or_switch_the_search_off():
    plane, _ = wedges(0)
    plane[100, 100] = -200
    assert missing(plane, -200.0).sum() == 1
    assert not missing(plane, "none").any()
    assert (parse_fill_value("auto"), parse_fill_value("none"), parse_fill_value("-200")) == ("auto", "none", -200.0)
    with pytest.raises(OptionError, match="'lots'"):
        parse_fill_value("lots")
    with pytest.raises(OptionError, match="the fill value None is no number"):
        parse_fill_value(None)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 25), st.integers(2, 25), st.floats(0.3, 0.9))
def test_regions_are_those_of_a_proper_labelling(seed, height, width, density):
    rng = np.random.default_rng(seed)
    same, seeds = rng.random((height, width)) < density, rng.random((height, width)) < 0.1
    labels, _ = ndimage.label(same)
    expected = np.isin(labels, labels[seeds & same]) & same
    np.testing.assert_array_equal(_connected(same, seeds), expected)
