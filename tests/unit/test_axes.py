import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from solardn.axes import from_header
from solardn.errors import InputError, OptionError


def header(*kinds, **others):
    """Return keywords for axes given in FITS order, the fastest first."""
    return {f"CTYPE{i}": kind for i, kind in enumerate(kinds, 1)} | others


def roles(cube):
    return " ".join(axis.role for axis in cube.axes)


CRISP = header("HPLN-TAB", "HPLT-TAB", "WAVE-TAB", "STOKES", "UTC--TAB", CRVAL4=1.0, CRPIX4=1.0, CDELT4=1.0)


@pytest.mark.parametrize(
    ("given", "shape", "expected"),
    [
        (CRISP, (7, 4, 5, 20, 30), "time stokes wavelength y x"),
        (header("HPLN-TAN", "HPLT-TAN"), (20, 30), "y x"),
        (header("CRLN-CEA", "CRLT-CEA"), (20, 30), "y x"),
        (header("HGLN-CAR", "HGLT-CAR", "AWAV"), (5, 20, 30), "wavelength y x"),
        (header("SOLX", "SOLY", "FREQ"), (5, 20, 30), "wavelength y x"),
        (header("solar-x", "solar-y"), (20, 30), "y x"),
        (header("WAVE", "HPLT-TAN", "HPLN-TAN"), (30, 20, 9), "x y wavelength"),
        (
            header("WAVE", "HPLT-TAN", "HPLN-TAN", "STOKES", CRVAL4=1.0, CRPIX4=1.0),
            (4, 30, 20, 9),
            "stokes x y wavelength",
        ),
        (header("HPLN-TAN", "HPLT-TAN", "Time"), (54, 20, 30), "time y x"),
        (header("", "", "VELO", CUNIT1="arcsec", CUNIT2="arcsec"), (5, 20, 30), "wavelength y x"),
        (header("HPLN-TAN", "HPLT-TAN", "WAVE", "UTC"), (1, 1, 20, 30), "time wavelength y x"),
        (header("", "", "STOKES", CRVAL3=1.0, CRPIX3=1.0), (4, 20, 30), "stokes y x"),
        (header("HPLN-TAN", "HPLT-TAN", "REPEAT"), (5, 20, 30), "other y x"),
        (header("CRLN-CAR", "CRLT-CAR", "FREQ-W2F"), (5, 20, 30), "wavelength y x"),
        (header("HGLN-TAN", "HGLT-TAN", "VELO-F2V"), (5, 20, 30), "wavelength y x"),
        (
            header("HPLN-TAB", "HPLT-TAB", "WAVE-TAB", "STOKES", "UTC--TAB", CRVAL4=1.0, CRPIX4=1.0),
            (2, 4, 3, 20, 30),
            "time stokes wavelength y x",
        ),
        (header("SOLX", "SOLY", "HECR"), (1, 20, 30), "other y x"),
    ],
)
def test_the_header_tells_the_roles_wherever_the_axes_stand(given, shape, expected):
    assert roles(from_header(given, shape, "file")) == expected


ROLES = {"x": "HPLN-TAN", "y": "HPLT-TAN", "wavelength": "AWAV", "time": "UTC", "other": "SEEING"}


@drawn(
    st.sets(st.sampled_from(["wavelength", "time", "other"])).flatmap(
        lambda more: st.permutations(["x", "y", *sorted(more)])
    )
)
def test_header_and_user_agree_whatever_the_order_of_the_axes(order):
    shape = tuple(range(8, 8 + len(order)))
    told = from_header(header(*(ROLES[role] for role in reversed(order))), shape, "file")
    assert roles(told) == " ".join(order)
    assert told.map_shape == (shape[order.index("y")], shape[order.index("x")])
    said = ",".join(f"{role}={place}" for place, role in enumerate(order) if role != "other")
    assert roles(from_header({}, shape, "file", said)) == roles(told)


@pytest.mark.parametrize("zero", [0.0, 6.123e-17, -4.4e-8])
def test_a_coordinate_that_runs_along_another_axis_is_followed_there(zero):
    given = header("AWAV", "HPLT-TAN", "HPLN-TAN", PC1_1=7.6, PC2_2=zero, PC2_3=0.09, PC3_3=zero, PC3_2=1000.0)
    assert roles(from_header(given, (12, 20, 30), "file")) == "y x wavelength"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((20, 30), "y x"),
        ((3, 2, 20, 30), "other other y x"),
        ((20, 30, 1), "y x other"),
        ((1, 20, 1, 30), "other y other x"),
    ],
)
@pytest.mark.parametrize("given", [{}, {"OBJECT": "spot"}, header("LINEAR", "PIXEL")])
def test_a_silent_header_means_the_last_two_axes_of_more_than_one_pixel_and_says_so(shape, expected, given):
    cube = from_header(given, shape, "file")
    assert roles(cube) == expected
    assert "--axes" in cube.how


def test_the_user_has_the_last_word():
    given = header("HPLN-TAN", "HPLT-TAN", "WAVE")
    assert roles(from_header(given, (9, 20, 30), "file", "y=0,x=2")) == "y other x"
    assert roles(from_header({}, (9, 4, 20, 30), "file", "stokes=1,wavelength=0")) == "wavelength stokes y x"
    assert roles(from_header({}, (5, 20, 30), "file", "y=-2, x=-1, time=0")) == "time y x"


@pytest.mark.parametrize(
    ("given", "letters"),
    [
        ({"CRVAL3": 1.0, "CRPIX3": 1.0, "CDELT3": 1.0}, "IQUV"),
        ({"CRVAL3": 4.0, "CRPIX3": 1.0, "CDELT3": -1.0}, "VUQI"),
        ({"CRVAL3": 2.0, "CRPIX3": 2.0}, "IQUV"),
        ({"CRVAL3": 4.0, "CRPIX3": 1.0, "CD3_3": -1.0}, "VUQI"),
        ({"CRVAL3": 4.0, "CRPIX3": 1.0, "CDELT3": 1.0, "PC3_3": -1.0}, "VUQI"),
        ({"CTYPE3": "Stokes component"}, "IQUV"),
    ],
)
def test_stokes_parameters_come_from_the_axis_own_values(given, letters):
    assert "".join(from_header(header("X", "Y", "STOKES", **given), (4, 20, 30), "f").letters) == letters


def test_a_stokes_coordinate_without_an_axis_names_the_whole_image():
    given = header("HPLN-TAN", "HPLT-TAN", "STOKES", WCSAXES=3, CRVAL3=4.0)
    assert from_header(given, (20, 30), "f").letters == ("V",)


@pytest.mark.parametrize("words", [{"CRVAL3": "V"}, {"WCSAXES": "three"}])
def test_words_in_place_of_numbers_count_as_absent_where_a_coordinate_has_no_axis(words):
    given = header("HPLN-TAN", "HPLT-TAN", "STOKES", **({"WCSAXES": 3, "CRVAL3": 4.0} | words))
    assert from_header(given, (20, 30), "f").letters == ()


@pytest.mark.parametrize(("length", "letters"), [(4, "IQUV"), (3, "QUV")])
def test_a_stokes_axis_that_the_user_names_is_taken_in_the_usual_order(length, letters):
    cube = from_header({}, (length, 20, 30), "f", "stokes=0")
    assert "".join(cube.letters) == letters
    assert letters in cube.how


@pytest.mark.parametrize(
    ("given", "shape", "words"),
    [
        ({}, (30,), "1 dimension"),
        ({}, (), "0 dimensions"),
        ({}, (0, 30), "no pixel"),
        (header("WAVE", "HPLT-TAN"), (20, 30), "one axis only.*--axes y=0,x=1"),
        (header("WAVE", "HPLT-TAN", "HPLN-TAN"), (1, 20, 30), "one axis only.*--axes y=1,x=2"),
        (header("WAVE", "TIME"), (20, 30), "no two axes in space.*--axes y=0,x=1"),
        (header("HPLN-TAN", "HPLT-TAN", "HGLN-CAR"), (5, 20, 30), "3 axes in space"),
        (header("HPLN-TAN", "HPLN-TAN"), (20, 30), "contradicts itself.*--axes y=0,x=1"),
        (header("HPLN-TAN", "HGLN-CAR"), (20, 30), "contradicts itself.*--axes y=0,x=1"),
        (header("HPLN-TAN", "CRLT-CAR"), (20, 30), "contradicts itself.*--axes y=0,x=1"),
        (
            header("X", "Y", "STOKES-TAB", CRVAL3=1.0, CRPIX3=1.0),
            (4, 20, 30),
            "not known, as CTYPE3 = 'STOKES-TAB'.*--axes stokes=0",
        ),
        (header("X", "Y", "STOKES", "STOKES", CRVAL3=1.0, CRVAL4=1.0), (4, 4, 20, 30), "2 Stokes axes"),
        (header("X", "Y", "STOKES", CRVAL3=0.0, CRPIX3=1.0), (4, 20, 30), "0, 1, 2, 3.*--axes stokes=0"),
    ],
)
def test_what_holds_no_maps_or_contradicts_itself_is_refused_with_the_way_out(given, shape, words):
    with pytest.raises(InputError, match=words):
        from_header(given, shape, "file")


@pytest.mark.parametrize(
    "override",
    [
        "y=0",
        "y=0,x=0",
        "y=0,y=1,x=2",
        "y=0,x=9",
        "nonsense",
        "y=a,x=1",
        "other=0",
        "stokes=0",
        "",
        "y=0,x=1,",
        {"y": 1, "x": 2},
        5,
    ],
)
def test_an_override_that_makes_no_sense_is_refused(override):
    with pytest.raises(OptionError, match="--axes"):
        from_header({}, (5, 20, 30), "file", override)
