"""La Palma cubes and their twins."""

import tracemalloc

import numpy as np
import pytest

T, S, W, Y, X = 3, 4, 5, 24, 30
TEXT = "stokes=[I,Q,U,V], ns=4 :  datatype=4 (float), dims=3, nx={}, ny={}, nt={}, endian={}"


def save(path, array, text):
    path.write_bytes(text.encode().ljust(512, b"\0") + array.tobytes())


def write_cube(path, endian="l"):
    """Write a cube (time, Stokes, wavelength, y, x) and its twin."""
    data = np.random.default_rng(0).normal(0, 0.01, (T, S, W, Y, X)).astype("<f4" if endian == "l" else ">f4")
    save(path, data, TEXT.format(X, Y, T * S * W, endian))
    twin = np.ascontiguousarray(data.transpose(3, 4, 1, 0, 2))
    save(path.with_name("in_sp.fcube"), twin, TEXT.format(W, T, X * Y * S, endian))


@pytest.fixture(params=["l", "b"])
def cube(tmp_path, request):
    write_cube(tmp_path / "in.fcube", request.param)
    return tmp_path / "in.fcube"


def load(path, shape, like):
    return np.frombuffer(path.read_bytes()[512:], like).reshape(shape)


def order(cube):
    return ">f4" if b"endian=b" in cube.read_bytes()[:512] else "<f4"


def test_a_cube_with_its_twin_is_understood_and_both_are_written(solardn, cube, tmp_path):
    figures = solardn.json("denoise", cube, tmp_path / "out.fcube", "--model", "smooth")
    assert [axis["role"] for axis in figures["axes"]] == ["time", "stokes", "wavelength", "y", "x"]
    assert figures["denoised"] == T * 3 * W
    before, after = (load(tmp_path / name, (T, S, W, Y, X), order(cube)) for name in ("in.fcube", "out.fcube"))
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert (after[:, 1:] != before[:, 1:]).mean() > 0.9
    twin = load(tmp_path / "out_sp.fcube", (Y, X, S, T, W), order(cube))
    np.testing.assert_array_equal(twin.transpose(3, 2, 4, 0, 1), after)
    for name in ("out.fcube", "out_sp.fcube"):
        header = (tmp_path / name).read_bytes()[:512]
        assert b"solardn denoise" in header
        assert header.split(b" : solardn")[0] == (tmp_path / name.replace("out", "in")).read_bytes()[:512].rstrip(b"\0")
    assert len(list(tmp_path.iterdir())) == 4


def test_integers_become_floats(solardn, tmp_path):
    data = np.random.default_rng(0).normal(0, 300, (6, Y, X)).astype("<i2")
    save(tmp_path / "in.icube", data, f"datatype=2 (integer), dims=3, nx={X}, ny={Y}, nt=6, endian=l")
    solardn.good("denoise", tmp_path / "in.icube", tmp_path / "out.fcube", "--model", "same", "--scale", 1)
    np.testing.assert_array_equal(load(tmp_path / "out.fcube", (6, Y, X), "<f4"), data)
    assert (tmp_path / "out.fcube").read_bytes().startswith(b"datatype=4 (float), dims=3, nx=30")
    assert "end in .fcube" in solardn.bad("denoise", tmp_path / "in.icube", tmp_path / "out.icube", "--model", "same")
    solardn.good("denoise", tmp_path / "*.icube", "--output-dir", tmp_path / "out", "--model", "same", "--scale", 1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["in.fcube"]


def test_a_single_image_without_a_third_axis(solardn, tmp_path):
    data = np.random.default_rng(0).normal(0, 1, (Y, X)).astype("<f4")
    save(tmp_path / "in.fcube", data, f"datatype=4 (float), dims=2, nx={X}, ny={Y}, endian=l")
    assert solardn.json("denoise", tmp_path / "in.fcube", tmp_path / "out.fcube", "--model", "smooth")["maps"] == 1


def test_without_the_twin_stokes_cubes_are_refused_and_others_are_taken_map_by_map(solardn, cube, tmp_path):
    (tmp_path / "in_sp.fcube").unlink()
    assert "in_sp.fcube" in solardn.bad("denoise", cube, tmp_path / "out.fcube", "--model", "smooth")
    data = cube.read_bytes()
    cube.write_bytes(data[:512].replace(b"stokes=[I,Q,U,V], ns=4 :", b" " * 24) + data[512:])
    assert solardn.json("denoise", cube, tmp_path / "out.fcube", "--model", "smooth")["denoised"] == T * S * W


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"nt=60", b"nt=61", "the file holds"),
        (b"nt=60", b"nt=59", "the file holds"),
        (b"datatype=4", b"datatype=9", "datatype=9"),
        (b"ny=24,", b"      ", "lacks ny"),
        (b"[I,Q,U,V]", b"[I,Q,V,U]", "in even steps"),
    ],
)
def test_headers_that_lie_are_refused(solardn, cube, tmp_path, old, new, words):
    data = cube.read_bytes()
    cube.write_bytes(data[:512].replace(old, new) + data[512:])
    assert words in solardn.bad("denoise", cube, tmp_path / "out.fcube", "--model", "smooth")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_twin_of_another_size_is_refused(solardn, cube, tmp_path):
    twin = tmp_path / "in_sp.fcube"
    twin.write_bytes(twin.read_bytes().replace(b"nx=5", b"nx=7", 1))
    assert "does not hold the values" in solardn.bad("denoise", cube, tmp_path / "out.fcube", "--model", "smooth")


def test_of_a_twin_as_large_as_the_cube_only_the_header_is_read(solardn, cube, tmp_path):
    twin = tmp_path / "in_sp.fcube"
    with twin.open("r+b") as file:
        file.truncate(64 * 2**20)  # a hole in the file
    tracemalloc.start()
    try:
        solardn.good("info", cube, "--model", "smooth")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * 2**20


def test_a_twin_in_the_way_is_not_replaced_unasked(solardn, cube, tmp_path):
    (tmp_path / "out_sp.fcube").write_text("precious")
    assert "out_sp.fcube exists" in solardn.bad("denoise", cube, tmp_path / "out.fcube", "--model", "smooth")
    assert (tmp_path / "out_sp.fcube").read_text() == "precious"


@pytest.mark.parametrize("named", ["pattern", "names"])
def test_twins_go_with_their_cubes_however_they_are_named(solardn, cube, tmp_path, named):
    twin = tmp_path / "in_sp.fcube"
    given = [tmp_path / "*.fcube"] if named == "pattern" else [cube, twin]
    said = solardn.good("denoise", *given, "--output-dir", tmp_path / "out", "--model", "smooth", "--noise-sigma", 0.01)
    assert "1 file" in said or "in.fcube" in said
    solardn.good("denoise", cube, tmp_path / "one.fcube", "--model", "smooth", "--noise-sigma", 0.01)
    one, other = ((tmp_path / name).read_bytes()[512:] for name in ("out/in_sp.fcube", "one_sp.fcube"))
    assert one == other
    said = solardn.bad("denoise", twin, tmp_path / "none.fcube", "--model", "smooth")
    assert "in_sp.fcube is the twin of" in said
