import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solardn.errors import InputError
from solardn.io import raw

shapes = st.lists(st.integers(1, 5), min_size=1, max_size=5).map(tuple)


@st.composite
def cases(draw):
    shape = draw(shapes)
    selection = []
    for length in shape:
        first = draw(st.integers(0, length - 1))
        stop = draw(st.integers(first + 1, length))
        selection.append(draw(st.sampled_from([slice(None), slice(first, stop), first])))
    return shape, tuple(selection), draw(st.sampled_from([1, 40, 10**6]))


@settings(deadline=None, max_examples=200)
@given(cases())
def test_any_part_is_read_and_written_as_numpy_would(tmp_path_factory, case):
    shape, selection, slab = case
    array = np.arange(np.prod(shape), dtype=">f4").reshape(shape)
    path = tmp_path_factory.getbasetemp() / "raw.bin"
    path.write_bytes(b"header" + array.tobytes())
    old, raw._SLAB = raw._SLAB, slab
    try:
        with path.open("r+b", buffering=0) as file:
            stored = raw.RawArray(file, 6, shape, array.dtype, "raw.bin")
            np.testing.assert_array_equal(stored.read(selection), array[selection])
            stored.write(selection, -array[selection] - 1)
    finally:
        raw._SLAB = old
    array[selection] = -array[selection] - 1
    assert path.read_bytes() == b"header" + array.tobytes()


def test_a_file_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "short.bin"
    path.write_bytes(bytes(10))
    with path.open("rb", buffering=0) as file, pytest.raises(InputError, match=r"short\.bin ends before"):
        raw.RawArray(file, 0, (4,), np.dtype("f4"), "short.bin").read((slice(None),))
