"""Which array of an HDF5 file, a zarr folder or a .npz file is taken, and how stored values become those that are meant."""

import base64
import itertools
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import solardn as package

PLANES = np.random.default_rng(0).normal(0, 1, (2, 32, 40)).astype(np.float32)


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py")


@pytest.fixture
def library():
    return pytest.importorskip("zarr")


def test_files_without_maps_are_refused(solardn, tmp_path, h5py, library):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["times"] = np.arange(3.0)
    library.create_group(str(tmp_path / "in.zarr")).create_array("times", data=np.arange(3.0))
    with zipfile.ZipFile(tmp_path / "in.npz", "w") as archive:
        archive.writestr("notes.txt", "no array")
    for name, says in {
        "in.h5": "holds no dataset of numbers with two or more dimensions",
        "in.zarr": "holds no array of numbers with two or more dimensions",
        "in.npz": "zip archive without arrays",
    }.items():
        said = solardn.bad("info", tmp_path / name)
        assert name in said
        assert says in said


def test_only_arrays_that_can_be_maps_are_offered(solardn, tmp_path):
    np.savez(tmp_path / "in.npz", notes=np.array(["clouds"]), times=np.arange(3.0), q=PLANES, u=PLANES)
    assert f"2 arrays of two or more dimensions (q, u); name one, such as {tmp_path / 'in.npz'}::q" in solardn.bad(
        "info", tmp_path / "in.npz"
    )
    said = solardn.bad("info", tmp_path / "in.npz", "--ext", "v")
    assert "has no array v; those with two or more dimensions are q, u" in said
    np.savez(tmp_path / "none.npz", times=np.arange(3.0))
    assert "holds no array of numbers with two or more dimensions" in solardn.bad("info", tmp_path / "none.npz")


@pytest.mark.parametrize("kind", ["npz", "h5", "zarr"])
def test_a_result_is_told_from_what_its_record_puts_beside_it(solardn, tmp_path, h5py, kind):
    first, *others = (tmp_path / f"{n}.{kind}" for n in range(4))
    if kind == "npz":
        np.savez(first, cube=PLANES)
    elif kind == "h5":
        with h5py.File(first, "w") as file:
            file["scan/cube"] = PLANES
    else:
        pytest.importorskip("zarr").create_group(str(first)).create_array("scan/cube", data=PLANES)
    for before, after in itertools.pairwise((first, *others)):  # a second residual has the record of the first run
        solardn.good("denoise", before, after, "--model", "same", "--scale", 1, "--residual")
    assert solardn.json("info", after)["input"].endswith("cube")


def test_a_virtual_dataset_beside_the_one_denoised_is_not_cut_off_from_its_values(solardn, tmp_path, h5py):
    with h5py.File(tmp_path / "parts.h5", "w") as file:
        file["part"] = PLANES
    layout = h5py.VirtualLayout(PLANES.shape, PLANES.dtype)
    layout[:] = h5py.VirtualSource("parts.h5", "part", PLANES.shape)
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["cube"] = PLANES
        file.create_virtual_dataset("group/raw", layout)
    words = ["denoise", f"{tmp_path / 'in.h5'}::cube", "--model", "same", "--scale", 1]
    (tmp_path / "far").mkdir()
    said = solardn.bad(*words, tmp_path / "far" / "out.h5")
    assert "the virtual dataset group/raw takes its values from parts.h5" in said
    assert f"put it at {tmp_path.resolve() / 'far' / 'parts.h5'} first" in said
    assert list((tmp_path / "far").iterdir()) == []
    solardn.good(*words, tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        np.testing.assert_array_equal(file["group/raw"], PLANES)
    (tmp_path / "far" / "parts.h5").symlink_to(tmp_path / "parts.h5")
    solardn.good(*words, tmp_path / "far" / "out.h5")


def test_two_stokes_parameters_of_which_it_is_not_told_which_are_named(solardn, tmp_path, h5py):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["cube"] = PLANES
        for dimension, label in zip(file["cube"].dims, ("stokes", "y", "x"), strict=True):
            dimension.label = label
    shown = solardn.json("info", tmp_path / "in.h5")
    assert (shown["axes"][0]["role"], shown["axes"][0]["type"], shown["denoised"]) == ("other", "STOKES?", 2)
    assert "axis 0 holds Stokes parameters of which it is not told which: every map is denoised" in shown["axes_how"]


@pytest.mark.parametrize("size", [0, 512, 4096])
def test_hdf5_behind_a_block_of_its_users_own_is_known(solardn, tmp_path, h5py, size):
    with h5py.File(tmp_path / "in.mat", "w", userblock_size=size) as file:
        file["cube"] = PLANES
    with (tmp_path / "in.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file"[:size])
    solardn.good("denoise", tmp_path, "--output-dir", tmp_path / "out", "--model", "same", "--scale", 1)
    with h5py.File(tmp_path / "out" / "in.mat") as file:
        np.testing.assert_array_equal(file["cube"], PLANES)
    assert (tmp_path / "out" / "in.mat").read_bytes()[: min(size, 6)] == b"MATLAB"[:size]


def test_hdf5_that_another_program_writes_is_not_called_broken(solardn, tmp_path, h5py):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["cube"] = PLANES
    code = f"import h5py; file = h5py.File({str(tmp_path / 'in.h5')!r}, 'r+'); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline()
        said = solardn.bad("info", tmp_path / "in.h5")
        other.communicate(b"\n")
    assert "in.h5 is in use by another program" in said
    assert "HDF5_USE_FILE_LOCKING=FALSE" in said


def test_links_are_followed_within_the_file_and_named_when_they_lead_out_of_it(solardn, tmp_path, h5py):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["cube"] = PLANES
        file["latest"] = h5py.SoftLink("/cube")
        file["other"] = h5py.ExternalLink("far.h5", "/raw")
    assert solardn.json("info", f"{tmp_path / 'in.h5'}::latest")["shape"] == [2, 32, 40]
    assert "far.h5::/raw" in solardn.bad("info", f"{tmp_path / 'in.h5'}::other")


def test_packed_values_are_unpacked_and_fills_stay_missing(tmp_path, h5py):
    raw = np.round(PLANES * 1000).astype(np.int16)
    raw[0, 5, 6] = -32768
    with h5py.File(tmp_path / "in.h5", "w") as file:
        made = file.create_dataset("cube", data=raw)
        made.attrs["scale_factor"], made.attrs["add_offset"] = np.array([1e-3]), 2.0
        made.attrs["_FillValue"], made.attrs["units"] = np.int16(-32768), b"DN"
        scale = file.create_dataset("scan", data=np.arange(2.0))
        scale.make_scale("scan")
        made.dims[0].attach_scale(scale)
    package.denoise_file(tmp_path / "in.h5", tmp_path / "out.h5", model="same", noise_sigma=1.0)
    with h5py.File(tmp_path / "out.h5") as file:
        made = file["cube"]
        assert np.isnan(made[0, 5, 6])
        expected = np.where(raw == -32768, np.nan, raw * 1e-3 + 2)
        np.testing.assert_allclose(made[:], expected, atol=1e-5)
        assert "scale_factor" not in made.attrs  # the values are stored as they are meant
        assert np.isnan(made.attrs["_FillValue"])
        np.testing.assert_array_equal(made.dims[0]["scan"][:], [0, 1])


def test_packed_fills_are_found_by_the_value_that_they_stand_for(solardn, tmp_path, h5py):
    raw = np.random.default_rng(0).integers(1, 100, (2, 48, 48)).astype(np.int16)
    raw[:, 20:30, 20:30] = -9999
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("cube", data=raw).attrs["scale_factor"] = 1e-5
    done = solardn.json(
        "denoise", tmp_path / "in.h5", tmp_path / "out.h5", "--model", "smooth", "--fill-value=-0.09999"
    )
    assert done["fills"] == [-0.09999]
    assert done["missing"] == 100 / 48**2


def test_a_single_array_holds_no_other(solardn, tmp_path, library):
    library.create_array(str(tmp_path / "one.zarr"), data=PLANES)
    assert solardn.json("info", tmp_path / "one.zarr")["shape"] == [2, 32, 40]
    assert "holds no cube; name" in solardn.bad("info", f"{tmp_path / 'one.zarr'}::cube")


def test_consolidated_metadata_tell_of_the_new_arrays(tmp_path, library):
    group = library.create_group(str(tmp_path / "in.zarr"), zarr_format=2)
    group.create_array("cube", data=PLANES)
    library.consolidate_metadata(str(tmp_path / "in.zarr"), zarr_format=2)
    package.denoise_file(tmp_path / "in.zarr", tmp_path / "out.zarr", model="same", noise_sigma=1.0, residual=True)
    made = library.open_consolidated(str(tmp_path / "out.zarr"))
    assert len(list(made.arrays())) == 2
    np.testing.assert_allclose(made["cube"][:], PLANES, atol=1e-5)


@pytest.mark.parametrize("version", [2, 3])
def test_a_zarr_array_keeps_the_order_of_its_values_and_the_names_of_its_chunks(tmp_path, library, version):
    key = {"name": "v2", "separator": "/" if version == 2 else "."}  # each the other than by default
    order = {"order": "F"} if version == 2 else {"filters": [library.codecs.TransposeCodec(order=(2, 0, 1))]}
    group = library.create_group(str(tmp_path / "in.zarr"), zarr_format=version)
    cube = group.create_array("cube", data=PLANES, chunks=(1, 20, 40), chunk_key_encoding=key, **order)
    package.denoise_file(tmp_path / "in.zarr", tmp_path / "out.zarr", model="same", scale=1.0, residual=True)
    for name in ("cube", "cube_residual"):
        made = library.open_array(str(tmp_path / "out.zarr"), path=name, mode="r")
        for what in ("order", "filters", "compressors", "chunks"):
            assert getattr(made, what) == getattr(cube, what)
        assert made.metadata.encode_chunk_key((1, 0, 0)) == cube.metadata.encode_chunk_key((1, 0, 0))
    np.testing.assert_array_equal(library.open_group(str(tmp_path / "out.zarr"), mode="r")["cube"], PLANES)


def test_damaged_zarr_is_named(solardn, tmp_path, library):
    group = library.create_group(str(tmp_path / "in.zarr"))
    group.create_array("cube", data=PLANES, chunks=(1, 32, 40))
    chunk = next(
        path
        for path in sorted((tmp_path / "in.zarr" / "cube").rglob("*"))
        if path.is_file() and path.parent.name != "cube"
    )
    chunk.write_bytes(b"damaged")
    said = solardn.bad("denoise", tmp_path / "in.zarr", tmp_path / "out.zarr", "--model", "same", "--noise-sigma", 1)
    assert "in.zarr" in said
    assert "get the whole folder again" in said
    assert not (tmp_path / "out.zarr").exists()
    (tmp_path / "in.zarr" / "zarr.json").write_text("{")
    assert "cannot be read as zarr" in solardn.bad("info", tmp_path / "in.zarr")


@pytest.mark.parametrize("kind", ["virtual", "external", "rounded"])
def test_values_that_lie_in_other_files_or_are_rounded_are_written_anew(solardn, tmp_path, monkeypatch, h5py, kind):
    monkeypatch.chdir(tmp_path)
    with h5py.File("parts.h5", "w") as file:
        file["part"] = PLANES
    layout = h5py.VirtualLayout(PLANES.shape, PLANES.dtype)
    layout[:] = h5py.VirtualSource("parts.h5", "part", PLANES.shape)
    with h5py.File("in.h5", "w") as file:
        if kind == "virtual":
            file.create_virtual_dataset("cube", layout)
        else:
            how = {"external": "parts.raw"} if kind == "external" else {"chunks": (1, 32, 40), "scaleoffset": 2}
            file.create_dataset("cube", PLANES.shape, PLANES.dtype, **how)[...] = PLANES
        given = file["cube"][...]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    solardn.good("denoise", "in.h5", "out.h5", "--model", "smooth", "--scale", 1)
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    np.save("in.npy", given)
    solardn.good("denoise", "in.npy", "out.npy", "--model", "smooth", "--scale", 1)
    with h5py.File("out.h5") as file:
        np.testing.assert_array_equal(file["cube"][...], np.load("out.npy"))


def test_odd_attributes_and_datasets_are_refused_by_name(solardn, tmp_path, h5py):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("cube", data=PLANES).attrs["scale_factor"] = "tenth"
        file["nothing"] = h5py.Empty(np.float32)
    assert "in.h5::cube: scale_factor is 'tenth', which is no number" in solardn.bad("info", tmp_path / "in.h5")
    assert "in.h5::nothing has 0 dimensions" in solardn.bad("info", f"{tmp_path / 'in.h5'}::nothing")
    assert "has no dataset /; those" in solardn.bad("info", f"{tmp_path / 'in.h5'}::")


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["i2", "f4"])
def test_fills_are_found_where_xarray_keeps_them(tmp_path, library, version, dtype):
    raw = np.round(PLANES * 1000).astype(dtype)
    raw[0, 5, 6], names = -9999, ["time", "y", "x"]
    text = base64.b64encode(struct.pack("<d", -9999)).decode()
    attributes = {"_ARRAY_DIMENSIONS": names} if version == 2 else {"_FillValue": text if dtype == "f4" else -9999}
    how = {"fill_value": -9999} if version == 2 else {"dimension_names": names}
    group = library.create_group(str(tmp_path / "in.zarr"), zarr_format=version)
    group.create_array("cube", shape=raw.shape, dtype=dtype, attributes=attributes, **how)[:] = raw
    package.denoise_file(tmp_path / "in.zarr", tmp_path / "out.zarr", model="same", noise_sigma=1.0)
    made = library.open_group(str(tmp_path / "out.zarr"), mode="r")["cube"]
    np.testing.assert_array_equal(made[:], np.where(raw == -9999, np.nan, raw).astype(np.float32))
    assert np.isnan(made.fill_value)
    assert "_FillValue" not in made.attrs


def test_a_damaged_array_beside_the_one_that_is_denoised_is_refused_and_leaves_nothing(solardn, tmp_path):
    path, out = tmp_path / "in.npz", tmp_path / "out.npz"
    np.savez(path, cube=PLANES, other=np.arange(1000.0))
    data = bytearray(path.read_bytes())
    data[-1000] ^= 255  # in the array that stands last
    path.write_bytes(data)
    assert "other.npy" in solardn.bad("denoise", f"{path}::cube", out, "--model", "same", "--scale", 1)
    assert [file.name for file in tmp_path.iterdir()] == ["in.npz"]
