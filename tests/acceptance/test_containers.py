"""One array among others: in .npz files, HDF5 files and zarr folders. The others are kept."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

import solardn as package
from solardn.io.container import former_layers

from .conftest import StopError, stop_after

RNG = np.random.default_rng(0)
CUBE = RNG.normal(0, 0.02, (2, 4, 3, 40, 52)).astype(np.float32)
MASK = np.zeros((40, 52), np.uint8)
MASK[10:14, 20:30] = 1
NAMES = ["time", "stokes", "wavelength", "y", "x"]


def npz(path, cube=CUBE):
    np.savez(path, cube=cube, mask=MASK, seeing=np.arange(2.0), names=np.array(["a", "b"]))


def npz_deflated(path, cube=CUBE):
    np.savez_compressed(path, cube=cube, mask=MASK, seeing=np.arange(2.0), names=np.array(["a", "b"]))


def hdf5(path, cube=CUBE):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        made = file.create_dataset("obs/cube", data=cube, chunks=(1, 1, 3, 20, 52), compression="gzip", shuffle=True)
        made.attrs["units"] = "DN"
        made.attrs["scan"] = [1, 2]
        for number, name in enumerate(NAMES):
            made.dims[number].label = name
        file["mask"] = MASK
        file["obs/seeing"] = np.arange(2.0)
        file.attrs["observer"] = "me"


def zarr(path, cube=CUBE, version=3):
    library = pytest.importorskip("zarr")
    group = library.create_group(str(path), zarr_format=version, attributes={"observer": "me"})
    names = {"dimension_names": NAMES} if version == 3 else {}
    attributes = {"units": "DN"} | ({} if version == 3 else {"_ARRAY_DIMENSIONS": NAMES})
    made = group.create_array(
        "obs/cube", shape=cube.shape, dtype=cube.dtype, chunks=(1, 1, 3, 20, 52), attributes=attributes, **names
    )
    made[:] = cube
    group.create_array("mask", data=MASK)
    group.create_array("obs/seeing", data=np.arange(2.0))


def zarr2(path, cube=CUBE):
    zarr(path, cube, 2)


KINDS = {
    # name: (writer, ending, name of the cube, name of the mask)
    "npz": (npz, ".npz", "cube", "mask"),
    "npz deflated": (npz_deflated, ".npz", "cube", "mask"),
    "hdf5": (hdf5, ".h5", "obs/cube", "mask"),
    "zarr": (zarr, ".zarr", "obs/cube", "mask"),
    "zarr 2": (zarr2, ".zarr", "obs/cube", "mask"),
}


class Kind:
    """One format: writes an input, and reads arrays and the record of an output."""

    def __init__(self, name, folder):
        self.write, self.ending, self.cube, self.mask = KINDS[name]
        self.folder = folder
        self.input, self.output = folder / f"in{self.ending}", folder / f"out{self.ending}"
        self.write(self.input)

    @property
    def address(self):
        return f"{self.input}::{self.cube}"

    def arrays(self, path):
        """Return all arrays of a file by their names."""
        if self.ending == ".npz":
            with np.load(path) as file:
                return dict(file.items())
        if self.ending == ".h5":
            import h5py

            found = {}
            with h5py.File(path) as file:
                file.visititems(lambda n, x: found.update({n: x[()]}) if isinstance(x, h5py.Dataset) else None)
            return found
        import zarr

        root = zarr.open(str(path), mode="r")
        return {name: root[name][...] for name, x in root.members(max_depth=None) if isinstance(x, zarr.Array)}

    def record(self, path):
        """Return the steps that are recorded, and the attributes beside them."""
        if self.ending == ".npz":
            with np.load(path) as file:
                return json.loads(str(file["solardn"])), {}
        if self.ending == ".h5":
            import h5py

            with h5py.File(path) as file:
                return json.loads(file[self.cube].attrs["solardn"]), dict(file[self.cube].attrs)
        import zarr

        attributes = dict(zarr.open(str(path), mode="r")[self.cube].attrs)
        return attributes["solardn"], attributes

    def table(self, path):
        if self.ending == ".zarr":
            return self.record(path)[0][-1]["maps"]
        return self.arrays(path)[f"{self.cube}_maps"]

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


def digest(path):
    """Return one number for all bytes of a file or a folder."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    total = hashlib.sha256()
    for file in files:
        total.update(str(file.relative_to(path)).encode() + file.read_bytes())
    return total.hexdigest()


@pytest.fixture(params=KINDS)
def kind(request, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    return Kind(request.param, folder)


AXES = ["--axes", "stokes=1"]


def test_a_network_that_changes_nothing_gives_the_same_values_and_all_else_is_kept(solardn, kind):
    before, given = digest(kind.input), kind.arrays(kind.input)
    solardn.good("denoise", kind.address, kind.output, "--model", "same", "--scale", 1, *AXES)
    made = kind.arrays(kind.output)
    for name, values in given.items():
        np.testing.assert_array_equal(made[name], values)
        assert made[name].dtype == values.dtype
    assert digest(kind.input) == before
    assert kind.files() == [kind.input.name, kind.output.name]
    assert (
        set(made) - set(given)
        == {".zarr": set(), ".npz": {"cube_maps", "solardn"}, ".h5": {"obs/cube_maps"}}[kind.ending]
    )


def test_the_record_tells_inspect_what_was_worked_on_and_that_a_result_is_one(solardn, kind):
    words = ["--model", "smooth", "--axes", "stokes=1,wavelength=2", "--stokes", "V", "--mask-ext", kind.mask]
    solardn.good("denoise", kind.address, kind.output, *words)
    output = f"{kind.output}::{kind.cube}"
    looked = solardn.json("inspect", kind.address, output)
    told = ["axes stokes=1,wavelength=2", "Stokes V", f"mask {kind.mask}"]
    assert looked["as_recorded"] == [f"{one}, as the run that made the result took it" for one in told]
    assert looked["lines"] == solardn.json("inspect", kind.address, output, *words[2:])["lines"]
    assert solardn.json("info", output, *words)["warnings"] == [
        f"{output} is a result of solardn already (step 1, network smooth); give the observation"
    ]


def test_axes_and_units_are_understood_where_they_are_named(solardn, kind):
    figures = solardn.json("info", kind.address, "--model", "smooth", *(AXES if kind.ending == ".npz" else []))
    assert figures["stokes"] == "QUV"
    assert figures["denoised"] == 18
    assert figures["input"] == kind.address
    assert figures["output_bytes"] > CUBE.nbytes
    if kind.ending != ".npz":
        assert [axis["role"] for axis in figures["axes"]] == NAMES
        assert figures["unit"] == "DN"
    assert kind.files() == [kind.input.name]


def test_it_is_denoised_as_the_same_array_in_npy_is_and_it_is_recorded(solardn, kind, tmp_path):
    np.save(tmp_path / "in.npy", CUBE)
    words = ["--model", "smooth", "--residual", *AXES]
    if kind.ending != ".npz":
        words += ["--axes", "time=0,stokes=1,wavelength=2"]
    solardn.good("denoise", tmp_path / "in.npy", tmp_path / "out.npy", *words)
    solardn.good("denoise", kind.address, kind.output, *words)
    made = kind.arrays(kind.output)
    np.testing.assert_array_equal(made[kind.cube], np.load(tmp_path / "out.npy"))
    np.testing.assert_array_equal(made[f"{kind.cube}_residual"], np.load(tmp_path / "out.residual.npy"))
    (step,), _ = kind.record(kind.output)
    assert step["parameters"]["noise_sigma"] == pytest.approx(0.02, rel=0.1)
    assert (step["procedure"], step["network"], step["parent"]) == ("solardn denoise", "smooth", kind.input.name)
    assert any(line.startswith("solardn: residual") for line in step["history"])
    assert "solardn: residual not inspected" not in step["history"]
    table = kind.table(kind.output)
    assert len(table["NOISE"]) == 24
    assert list(table["CYCLES"][:4]) == ([0, 0, 0, 1])


def test_inspect_takes_the_recorded_levels_and_the_report_shows_the_record(solardn, kind):
    words = ["--axes", "time=0,stokes=1,wavelength=2"]
    solardn.good("denoise", kind.address, kind.output, "--model", "smooth", "--noise-sigma", 0.03, *words)
    again = kind.output.with_name(f"again{kind.ending}")
    solardn.good("denoise", f"{kind.output}::{kind.cube}", again, "--model", "same", "--noise-sigma", 0.04, *words)
    for output, sigma in ((kind.output, 0.03), (again, 0.04)):
        figures = solardn.json("inspect", kind.address, output, *words)
        assert figures["sigma_from"] == "taken by the run"
        assert {line["sigma"] for line in figures["lines"]} == {sigma}
    pytest.importorskip("matplotlib")
    page = kind.folder / "page.html"
    solardn.good("report", kind.address, again, page, "--maps", 1, *words)
    text = page.read_text()
    for cell in (
        '1 parent</td><td class="words">' + kind.input.name,
        '2 parent</td><td class="words">' + kind.output.name,
        '2 history</td><td class="words">solardn: network same, noise rms 0.04',
        "<th>RESIDRMS</th>",
    ):
        assert cell in text
    assert text.count("<td>0.04</td>") >= 18  # a row a map, of the last run
    assert "no record" not in text


@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_a_result_with_more_arrays_is_found_by_the_name_of_the_one_it_was_made_of(solardn, tmp_path, ending):
    given, made = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    if ending == ".npz":
        np.savez(given, cube=CUBE[0, :2, 0])
    else:
        with pytest.importorskip("h5py").File(given, "w") as file:
            file["cube"] = CUBE[0, :2, 0]
    words = ["--model", "smooth", "--noise-sigma", 0.02, "--residual"]
    pytest.importorskip("matplotlib")
    solardn.good("denoise", given, made, *words, "--quicklook", tmp_path / "picture.png")
    assert (tmp_path / "picture.png").exists()
    assert solardn.json("inspect", given, made)["result"] == f"{made}::cube"
    np.savez(tmp_path / "other.npz", a=CUBE[0, :2, 0], b=CUBE[0, :2, 0])
    assert "holds 2 arrays" in solardn.bad("inspect", given, tmp_path / "other.npz")


def test_a_record_of_single_maps_tells_of_its_own_array_only(solardn, tmp_path):
    np.savez(tmp_path / "in.npz", a=CUBE[0, 1, 0], b=CUBE[0, 2, 0])
    words = ["--model", "smooth", "--noise-sigma"]
    solardn.good("denoise", f"{tmp_path}/in.npz::a", tmp_path / "one.npz", *words, 0.03)
    solardn.good("denoise", f"{tmp_path}/one.npz::b", tmp_path / "two.npz", *words, 0.04)
    for name, sigma in (("a", 0.03), ("b", 0.04)):
        figures = solardn.json("inspect", f"{tmp_path}/in.npz::{name}", tmp_path / "two.npz")
        assert (figures["sigma_from"], figures["lines"][0]["sigma"]) == ("taken by the run", sigma)


def test_arrays_that_are_called_like_table_and_record_are_none(solardn, tmp_path):
    np.savez(tmp_path / "in.npz", cube=CUBE[0, 1, 0], cube_maps=np.arange(5.0), solardn=np.array("mine"))
    solardn.good("denoise", tmp_path / "in.npz", tmp_path / "out.npz", "--model", "smooth", "--noise-sigma", 0.03)
    figures = solardn.json("inspect", tmp_path / "in.npz", tmp_path / "out.npz")
    assert (figures["sigma_from"], figures["lines"][0]["sigma"]) == ("taken by the run", 0.03)


def test_steps_go_on_where_a_record_is(solardn, kind):
    again = kind.output.with_name(f"again{kind.ending}")
    words = ["--model", "same", "--scale", 1, "--residual"]
    solardn.good("denoise", kind.address, kind.output, *words)
    solardn.good("denoise", f"{kind.output}::{kind.cube}", again, *words)
    steps, _ = kind.record(again)
    assert [step["parent"] for step in steps] == [kind.input.name, kind.output.name]
    made = {name for name in kind.arrays(again) if "residual" in name}
    assert made == {f"{kind.cube}_residual"}  # that of the former result is left out
    assert [step["beside"] for step in steps] == [["cube_residual"]] * 2
    assert "solardn: cube_residual of the former result left out" in steps[1]["history"]
    last = kind.output.with_name(f"last{kind.ending}")
    assert "cube_residual of the former result left out" in solardn.json("info", f"{again}::{kind.cube}")["output"]
    solardn.good("denoise", f"{again}::{kind.cube}", last, *words[:-1])
    assert set(kind.arrays(last)) == set(kind.arrays(again)) - made | (
        {f"{kind.cube}_maps3"} if kind.ending != ".zarr" else set()
    )


def test_what_bears_the_name_of_a_layer_that_went_is_kept():
    first, second = {"beside": ["cube_residual", "cube_uncert"]}, {"beside": ["cube_uncert"]}
    there = {"cube", "cube_residual", "cube_uncert"}  # of them cube_residual came after the second step
    assert former_layers([], "cube", there) == former_layers([first, {}], "cube", there) == []
    assert former_layers([first, second], "cube", there) == ["cube_uncert"]
    assert former_layers([first, second], "cube_uncert", there) == []


def test_integers_become_floats_and_attributes_stay(solardn, kind):
    counts = np.round(1000 * CUBE).astype(np.int16)
    shutil.rmtree(kind.input) if kind.input.is_dir() else kind.input.unlink()
    kind.write(kind.input, counts)
    solardn.good("denoise", kind.address, kind.output, "--model", "same", "--scale", 1)
    made = kind.arrays(kind.output)
    assert made[kind.cube].dtype == np.float32
    np.testing.assert_array_equal(made[kind.cube], counts)
    np.testing.assert_array_equal(made[kind.mask], MASK)
    _, attributes = kind.record(kind.output)
    assert kind.ending == ".npz" or attributes["units"] == "DN"


def test_a_mask_in_the_same_file_is_obeyed(solardn, kind):
    cube = CUBE.copy()
    cube[..., MASK != 0] = 1e6
    shutil.rmtree(kind.input) if kind.input.is_dir() else kind.input.unlink()
    kind.write(kind.input, cube)
    figures = solardn.json("denoise", kind.address, kind.output, "--model", "smooth", "--mask-ext", kind.mask)
    made = kind.arrays(kind.output)[kind.cube]
    assert (made[..., MASK != 0] == 1e6).all()
    assert np.abs(made[..., MASK == 0]).max() < 0.2
    assert figures["noise_sigma"] == pytest.approx(0.02, rel=0.1)


def test_what_cannot_be_done_is_said_and_leaves_nothing(solardn, kind):
    for words, said in (
        ([kind.input, kind.output], f"::{kind.cube}"),
        ([f"{kind.input}::gone", kind.output], "no "),
        ([kind.address, kind.input], "the input"),
        ([kind.address, kind.input, "--overwrite"], "the input"),
        ([kind.address, f"{kind.output}::{kind.cube}"], "names a part of a file"),
        ([kind.address, kind.folder / "out.npy"], "out.npy"),
        ([kind.address, kind.output, "--ext", "mask"], "leave one out"),
    ):
        assert said in solardn.bad("denoise", *words, "--model", "smooth")
        assert kind.files() == [kind.input.name]


def test_an_output_that_exists_is_replaced_only_when_asked(solardn, kind):
    solardn.good("denoise", kind.address, kind.output, "--model", "smooth")
    before = digest(kind.output)
    assert "exists" in solardn.bad("denoise", kind.address, kind.output, "--model", "same")
    assert digest(kind.output) == before
    solardn.good("denoise", kind.address, kind.output, "--model", "same", "--scale", 1, "--overwrite")
    np.testing.assert_array_equal(kind.arrays(kind.output)[kind.cube], CUBE)
    assert kind.files() == [kind.input.name, kind.output.name]


def test_a_disk_too_small_is_found_before_the_work(solardn, kind, monkeypatch):
    full = shutil._ntuple_diskusage(10**6, 10**6, CUBE.nbytes)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    assert "B are left" in solardn.bad("denoise", kind.address, kind.output, "--model", "smooth")
    assert kind.files() == [kind.input.name]


@pytest.mark.parametrize(("name", "library"), [("hdf5", "h5py"), ("zarr", "zarr")])
def test_a_missing_library_is_named_with_how_to_install_it(solardn, tmp_path, monkeypatch, name, library):
    kind = Kind(name, tmp_path)
    monkeypatch.setitem(sys.modules, library, None)
    said = solardn.bad("denoise", kind.address, kind.output, "--model", "smooth")
    assert f"{kind.input} needs {library}: pip install 'solardn[{name}]'" in said


def test_a_run_that_was_stopped_goes_on_and_gives_the_same_bytes(kind):
    whole = kind.output.with_name(f"whole{kind.ending}")
    options = {"model": "smooth", "residual": True, "axes": "stokes=1"}
    package.denoise_file(kind.address, whole, **options)
    with pytest.raises(StopError):
        package.denoise_file(kind.address, kind.output, progress=stop_after(17), resume=True, **options)
    assert not kind.output.exists()
    assert not any("built" in name for name in kind.files())
    calls = []
    package.denoise_file(
        kind.address, kind.output, resume=True, progress=lambda done, *_: calls.append(done), **options
    )
    assert len(calls) < 24
    assert digest(kind.output) == digest(whole)
    assert kind.files() == sorted([kind.input.name, kind.output.name, whole.name])


def test_a_failure_while_the_output_is_built_leaves_nothing(kind, monkeypatch):
    from solardn.io import container

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(container, "put", fail)
    with pytest.raises(package.OutputError, match="No space left"):
        package.denoise_file(kind.address, kind.output, model="smooth")
    assert kind.files() == [kind.input.name]


def test_many_at_once_with_one_array_of_each(solardn, kind, tmp_path):
    other = kind.folder / f"other{kind.ending}"
    kind.write(other)
    out = tmp_path / "results"
    words = ["denoise", f"{kind.folder}/*{kind.ending}::{kind.cube}", "--output-dir", out, "--model", "smooth"]
    solardn.good(*words)
    assert sorted(path.name for path in out.iterdir()) == sorted([kind.input.name, other.name])
    solardn.good("denoise", kind.address, kind.output, "--model", "smooth")
    np.testing.assert_array_equal(kind.arrays(out / kind.input.name)[kind.cube], kind.arrays(kind.output)[kind.cube])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["npz", "hdf5", "zarr"])
def test_kill_9(name, tmp_path, folder_of_networks):
    folder = tmp_path / "files"
    folder.mkdir()
    kind = Kind(name, folder)
    whole = folder / f"whole{kind.ending}"
    package.denoise_file(
        kind.address, whole, model="smooth", noise_sigma=1.0, cycles=30, axes="stokes=1", precision="fp32"
    )
    command = [sys.executable, "-m", "solardn", "denoise", kind.address, kind.output, "--model", "smooth", "-q"]
    command += ["--noise-sigma", "1", "--cycles", "30", "--axes", "stokes=1", "--resume"]
    environment = os.environ | {"SOLARDN_MODELS": str(folder_of_networks)}
    journal = folder / f".{kind.output.name}.solardn-journal"
    process = subprocess.Popen(command, env=environment)
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 8):
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert not kind.output.exists() or process.returncode == 0
    if not kind.output.exists():
        assert subprocess.run(command, env=environment, check=True).returncode == 0
    assert digest(kind.output) == digest(whole)


def test_what_hdf5_keeps_unpacked_counts_as_memory(tmp_path):
    from solardn.plan import look_at

    hdf5(tmp_path / "in.h5")
    denoiser = package.Denoiser("smooth", memory="8MB", threads=1)
    whole = denoiser.tile
    with look_at(f"{tmp_path / 'in.h5'}::obs/cube", axes="y=3,x=4") as plan:
        assert plan.keep_within(8_000_000) == 1_000_000
        np.testing.assert_array_equal(plan.read_map((0, 1, 2)), CUBE[0, 1, 2])
    with denoiser.runner.beside(1_000_000):
        assert denoiser.tile == package.Denoiser("smooth", memory="7MB", threads=1).tile < whole
    with pytest.raises(package.OptionError, match="do not suffice"), denoiser.runner.beside(8_000_000):
        pass


def test_memory_that_a_file_takes_is_given_back_when_it_is_done(tmp_path):
    hdf5(tmp_path / "in.h5")
    denoiser = package.Denoiser("smooth", memory="8MB", threads=1)
    whole = denoiser.tile
    words = {"axes": "stokes=1", "noise_sigma": 1.0, "denoiser": denoiser}
    done = package.denoise_file(f"{tmp_path / 'in.h5'}::obs/cube", tmp_path / "out.h5", **words)
    assert done.tile < denoiser.tile == whole


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_scales_of_dimensions_tell_of_the_datasets_that_are_there(solardn, tmp_path, dtype):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["cube"], file["time"] = CUBE[:, 1, 0].astype(dtype), np.arange(2.0)
        file["time"].make_scale("time")
        file["cube"].dims[0].attach_scale(file["time"])
    words = ("--model", "same", "--scale", 1, "--axes", "time=0")
    solardn.good("denoise", tmp_path / "in.h5::cube", tmp_path / "first.h5", *words, "--residual")
    solardn.good("denoise", tmp_path / "first.h5::cube", tmp_path / "second.h5", *words)
    for name, expected in (("first", ["/cube_residual", "/cube"]), ("second", ["/cube"])):
        with h5py.File(tmp_path / f"{name}.h5") as file:
            told = [file[reference].name for reference, _ in file["time"].attrs["REFERENCE_LIST"]]
            assert sorted(told) == sorted(expected)
            assert [scale.name for scale in file["cube"].dims[0].values()] == ["/time"]


def test_soft_links_to_what_is_left_out_of_an_hdf5_file_go_with_it(solardn, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["group/cube"] = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    words = ("--model", "same", "--scale", 1)
    solardn.good("denoise", tmp_path / "in.h5", tmp_path / "first.h5", *words, "--residual")
    with h5py.File(tmp_path / "first.h5", "r+") as file:
        file["latest"] = h5py.SoftLink("/group/cube_residual")
        file["group/beside"] = h5py.SoftLink("cube_residual")  # from where the link is
        file["result"], file["circle"] = h5py.SoftLink("/group/cube"), h5py.SoftLink("/circle")
    solardn.good("denoise", tmp_path / "first.h5::group/cube", tmp_path / "second.h5", *words)
    solardn.good("denoise", tmp_path / "first.h5::group/cube", tmp_path / "third.h5", *words, "--residual")
    with h5py.File(tmp_path / "second.h5") as file:
        assert sorted([*file, *file["group"]]) == ["circle", "cube", "group", "result"]
        said = json.loads(file["group/cube"].attrs["solardn"])[1]["history"]
        assert "solardn: cube_residual, group/beside, latest of the former result left out" in said
    with h5py.File(tmp_path / "third.h5") as file:
        assert file["latest"] == file["group/beside"] == file["group/cube_residual"]


def test_links_within_an_hdf5_file_lead_to_the_dataset(solardn, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "in.h5", "w") as made:
        made["group/cube"] = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
        made["group/beside"] = h5py.SoftLink("cube")  # from where the link is
        made["top"] = h5py.SoftLink("group/beside")
        made["one"], made["other"] = h5py.SoftLink("/other"), h5py.SoftLink("/one")
    for number, name in enumerate(("group/beside", "top")):
        given, made = f"{tmp_path / 'in.h5'}::{name}", tmp_path / f"out{number}.h5"
        solardn.good("denoise", given, made, "--model", "same", "--scale", 1)
        with h5py.File(made) as written:
            assert "solardn" in written["group/cube"].attrs
            assert isinstance(written.get("top", getlink=True), h5py.SoftLink)
    said = solardn.bad("denoise", f"{tmp_path / 'in.h5'}::one", tmp_path / "none.h5", "--model", "same")
    assert "one is a link that leads back to itself" in said
