"""What bad input gets: exit code 1, one sentence that names the file and the way out, nothing written, the input untouched."""

import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits

from .. import networks

NOISE = np.random.default_rng(0).normal(0, 1, (32, 32)).astype(np.float32)


def save_fits(path, data=None, **header):
    fits.PrimaryHDU(data, fits.Header(header)).writeto(path)


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def truncated_fits(path):
    save_fits(path, NOISE)
    cut(path, 2880 + 2000)


def truncated_gzip(path):
    save_fits(path.with_name("plain.fits"), NOISE)
    path.write_bytes(gzip.compress(path.with_name("plain.fits").read_bytes())[:-500])
    path.with_name("plain.fits").unlink()


def npy_of_shape(text):
    def write(path):
        np.save(path, np.zeros((40, 40)))
        path.write_bytes(path.read_bytes().replace(b"(40, 40)", text))

    return write


def truncated_npy(path):
    np.save(path, NOISE)
    cut(path, 1000)


def sized(card, text):
    """Return what writes a file in which a size was replaced."""

    def write(path):
        save_fits(path, NOISE)
        given = path.read_bytes()
        was = given[given.index(f"{card:8}=".encode()) :][:30]
        path.write_bytes(given.replace(was, f"{card:8}= {text:>20}".encode()))

    return write


def only_a_table(path):
    table = fits.BinTableHDU.from_columns([fits.Column("A", "D", array=np.arange(3.0))])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)


INPUTS = {
    "missing": ("in.fits", lambda path: None, "does not exist"),
    "a folder": ("in.fits", lambda path: path.mkdir(), "folder"),
    "empty": ("in.fits", lambda path: path.touch(), "is empty"),
    "text": ("in.fits", lambda path: path.write_text("hello there\n"), "neither FITS, nor .npy"),
    "IDL save file": ("in.dat", lambda path: path.write_bytes(b"SR\x00\x04" + bytes(100)), "IDL save file"),
    "HDF5": ("in.h5", lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)), "cannot be read as HDF5"),
    "broken npz": ("in.npz", lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)), "cannot be read"),
    "broken FITS": ("in.fits", lambda path: path.write_bytes(b"SIMPLE  =                    T" + bytes(5000)), "FITS"),
    "truncated FITS": ("in.fits", truncated_fits, "is truncated"),
    "truncated gzip": ("in.fits.gz", truncated_gzip, "cannot be unpacked"),
    "truncated npy": ("in.npy", truncated_npy, "is truncated"),
    "broken npy": ("in.npy", lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\x09"), "cannot be read as .npy"),
    "npy without an end to its shape": ("in.npy", npy_of_shape(b"(40, 40 "), "cannot be read as .npy"),
    "npy of negative size": ("in.npy", npy_of_shape(b"(-4, 40)"), "says that it has the shape (-4, 40)"),
    "absurd size": ("in.fits", sized("NAXIS1", 10**12), "is truncated: by the primary header (NAXIS = 2, NAXIS1 = 1000000000000"),
    "negative size": ("in.fits", sized("NAXIS1", -32), "says NAXIS1 = -32 in the primary header"),
    "no size": ("in.fits", sized("NAXIS1", 0), "goes on behind the data of the primary header (NAXIS = 2, NAXIS1 = 0, NAXIS2 = 32)"),
    "too small a size": ("in.fits", sized("NAXIS2", 16), "goes on behind the data of the primary header (NAXIS = 2, NAXIS1 = 32, NAXIS2 = 16)"),
    "size that is no number": ("in.fits", sized("NAXIS2", 32.5), "says NAXIS2 = 32.5 in the primary header"),
    "too many axes": ("in.fits", sized("NAXIS", 999), "says NAXIS = 999 in the primary header and nothing of NAXIS3"),
    "more axes than FITS knows": ("in.fits", sized("NAXIS", 1000), "says NAXIS = 1000"),
    "no type of values": ("in.fits", sized("BITPIX", -99), "says BITPIX = -99"),
    "headers only": ("in.fits", save_fits, "no image data"),
    "a table only": ("in.fits", only_a_table, "no image data"),
    "one dimension": ("in.fits", lambda path: save_fits(path, NOISE[0]), "two or more dimensions"),
    "one dimension npy": ("in.npy", lambda path: np.save(path, NOISE[0]), "1 dimension"),
    "no pixel": ("in.npy", lambda path: np.save(path, NOISE[:0]), "no pixel"),
    "too small": ("in.fits", lambda path: save_fits(path, NOISE[:2]), "needs at least 3 × 3"),
    "too small for its noise": ("in.fits", lambda path: save_fits(path, NOISE[:15]), "--noise-sigma"),
    "all NaN": ("in.fits", lambda path: save_fits(path, NOISE * np.nan), "no finite"),
    "constant": ("in.fits", lambda path: save_fits(path, NOISE * 0 + 4), "constant"),
    "infinite": ("in.npy", lambda path: np.save(path, NOISE + np.inf), "no finite"),
    "complex": ("in.npy", lambda path: np.save(path, NOISE * 1j), "complex"),
    "text data": ("in.npy", lambda path: np.save(path, np.array([["a", "b"]])), "not real numbers"),
    "objects": ("in.npy", lambda path: np.save(path, np.array([[{}]]), allow_pickle=True), "not real numbers"),
    "records": ("in.npy", lambda path: np.save(path, np.zeros((9, 9), [("a", "f4")])), "not real numbers"),
    "beyond float32": ("in.npy", lambda path: np.save(path, NOISE.astype(float) * 1e300), "float32"),
    "noise below what float32 holds": ("in.npy", lambda path: np.save(path, NOISE * np.float32(1e-41)), "beyond what float32 holds"),
    "only Stokes I": (
        "in.fits",
        lambda path: save_fits(path, NOISE, CTYPE1="HPLN-TAN", CTYPE2="HPLT-TAN", CTYPE3="STOKES", WCSAXES=3, CRVAL3=1),
        "--stokes I",
    ),
    "slit": (
        "in.fits",
        lambda path: save_fits(path, NOISE, CTYPE1="WAVE", CTYPE2="HPLT-TAN"),
        "--axes y=0,x=1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("command", ["denoise", "info"])
def test_bad_files(solardn, tmp_path, name, command):
    filename, make, words = INPUTS[name]
    given = tmp_path / filename
    make(given)
    before = given.read_bytes() if given.is_file() else None
    output = [tmp_path / f"out.{filename.split('.', 1)[1]}"] if command == "denoise" else []
    said = solardn.bad(command, given, *output, "--model", "smooth")
    assert words in said
    assert str(given) in said
    assert [path.name for path in tmp_path.iterdir()] == ([filename] if given.exists() else [])
    assert before is None or given.read_bytes() == before


@pytest.mark.parametrize("option", [("--scale", 1), ("--noise-sigma", 1)])
@pytest.mark.parametrize("name", ["all NaN", "infinite", "constant", "beyond float32"])
def test_what_holds_no_value_is_refused_also_when_the_noise_is_given(solardn, tmp_path, name, option):
    filename, make, _ = INPUTS[name]
    make(tmp_path / filename)
    words = "float32" if name == "beyond float32" else "nothing can be denoised"
    assert words in solardn.bad(
        "denoise", tmp_path / filename, tmp_path / f"out{filename[2:]}", "--model", "smooth", *option
    )
    assert [path.name for path in tmp_path.iterdir()] == [filename]


OUTPUTS = {
    "exists": ("old.fits", "--overwrite"),
    "is the input": ("map.fits", "is the input"),
    "is the input by a link": ("link.fits", "is the input"),
    "folder missing": ("missing/out.fits", "does not exist"),
    "is a folder": ("folder", "is a folder"),
    "another format": ("out.npy", "of a FITS file is a FITS file as well; let its name end in .fits"),
    "an array's name": ("out.h5", "let its name end in .fits"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_bad_outputs(solardn, image, tmp_path, name):
    output, words = OUTPUTS[name]
    (tmp_path / "old.fits").write_text("precious")
    (tmp_path / "link.fits").symlink_to(image)
    (tmp_path / "folder").mkdir()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    overwrite = ["--overwrite"] if name.startswith("is the input") else []
    said = solardn.bad("denoise", image, tmp_path / output, "--model", "smooth", *overwrite)
    assert words in said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_disk_too_small_is_found_before_the_work(solardn, image, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6, 100))
    assert "on its disk 100 B are left" in solardn.bad("denoise", image, tmp_path / "out.fits", "--model", "smooth")


def test_a_packed_copy_counts(solardn, image, tmp_path, monkeypatch):
    plain = image.stat().st_size + 10_000
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6, 2 * plain))
    solardn.good("denoise", image, tmp_path / "out.fits", "--model", "smooth")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6, plain + 15_000))
    assert "kB are left" in solardn.bad("denoise", image, tmp_path / "out.fits.gz", "--model", "smooth")


OPTIONS = {
    "unknown network": (["--model", "nonsense"], "known are blocks"),
    "network file missing": (["--model", "gone.onnx"], "gone.onnx does not exist"),
    "device that is not there": (["--device", "cuda:7"], "cuda:7"),
    "unknown device": (["--device", "toaster"], "toaster"),
    "unknown precision": (["--precision", "fp3"], "fp3"),
    "no threads": (["--threads", "0"], "threads"),
    "tile too small": (["--tile", "1"], "tile is 1"),
    "memory that is none": (["--memory", "lots"], "'lots'"),
    "noise below zero": (["--noise-sigma", "-1"], "-1"),
    "noise of nothing": (["--noise-sigma", "0"], "0"),
    "noise NaN": (["--noise-sigma", "nan"], "nan"),
    "scale infinite": (["--scale", "inf"], "inf"),
    "scale and noise": (["--scale", "1", "--noise-sigma", "1"], "exclude each other"),
    "no cycles": (["--cycles", "0"], "cycles is 0"),
    "views that no group has": (["--views", "3"], "views is 3; give 1, 2, 4, 8 or 16"),
    "Stokes without axis": (["--stokes", "V"], "no Stokes axis"),
    "letters that are none": (["--stokes", "XYZ"], "XYZ"),
    "extension that is not there": (["--ext", "9"], "no extension 9"),
    "extension name that is not there": (["--ext", "SCI"], "no extension SCI"),
    "axes that are not there": (["--axes", "y=0,x=5"], "axis 5"),
    "axes that cannot be read": (["--axes", "up"], "'up'"),
    "fill value that is none": (["--fill-value", "lots"], "'lots'"),
    "mask that is not there": (["--mask-ext", "DQ"], "no extension DQ"),
    "picture of no format": (["--quicklook", "look.xyz"], "look.xyz"),
    "picture in no folder": (["--quicklook", "/nowhere/look.png"], "/nowhere"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_bad_options(solardn, image, tmp_path, name):
    options, words = OPTIONS[name]
    if "--model" not in options:
        options = [*options, "--model", "smooth"]
    if name == "device that is not there":
        options.append("--scale=1")
    assert words in solardn.bad("denoise", image, tmp_path / "out.fits", *options)
    assert [path.name for path in tmp_path.iterdir()] == ["map.fits"]


@pytest.mark.parametrize(
    "options", [["--tile", "big"], ["--noise-sigma", "loud"], ["--cycles", "two"], ["--nonsense"], []]
)
def test_words_that_click_cannot_read_are_usage_errors(solardn, image, options):
    result = solardn("denoise", image, *options)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_networks_that_break_the_contract(solardn, image, tmp_path):
    import onnx

    good = networks.blur(tmp_path / "good.onnx")
    model = onnx.load(good)
    for pair in model.metadata_props:
        if pair.key == "contract":
            pair.value = "99"
    onnx.save(model, tmp_path / "newer.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    (tmp_path / "cut.onnx").write_bytes(good.read_bytes()[:200])
    for name, words in (("newer", "contract 99"), ("bare", "no solardn card"), ("cut", "no complete ONNX")):
        said = solardn.bad("denoise", image, tmp_path / "out.fits", "--model", tmp_path / f"{name}.onnx")
        assert words in said
        assert f"{name}.onnx" in said


def test_a_file_that_is_no_network_is_called_so_whatever_its_name(solardn, image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (("denoise", image, "out.fits", "--model", "map.fits"), ("models", "show", "map.fits")):
        assert "map.fits is no complete ONNX file" in solardn.bad(*words)
    networks.identity(tmp_path / "MINE.ONNX")
    solardn.good("models", "show", "MINE.ONNX")


def test_a_missing_extra_is_named_with_how_to_install_it(solardn, image, tmp_path, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = solardn.bad("denoise", image, tmp_path / "o.fits", "--model", "smooth", "--quicklook", tmp_path / "p.png")
    assert "pip install 'solardn[plot]'" in said


def test_extensions_can_be_chosen_by_name_and_number(solardn, tmp_path, noisy):
    images = [fits.PrimaryHDU(), fits.ImageHDU(noisy, name="FIRST"), fits.ImageHDU(-noisy, name="SECOND")]
    fits.HDUList(images).writeto(tmp_path / "in.fits")
    for ext, number in ((None, 1), ("second", 2), ("2", 2), ("FIRST", 1)):
        words = ["--ext", ext] if ext else []
        solardn.good("denoise", tmp_path / "in.fits", tmp_path / "out.fits", "--model", "smooth", "--overwrite", *words)
        with fits.open(tmp_path / "in.fits") as before, fits.open(tmp_path / "out.fits") as after:
            changed = [n for n in (1, 2) if not np.array_equal(before[n].data, after[n].data)]
        assert changed == [number]


def test_a_table_is_no_image(solardn, crisp, tmp_path):
    assert "is a table" in solardn.bad("denoise", crisp, tmp_path / "out.fits", "--model", "smooth", "--ext", "VAR-EXT")


def test_a_mask_of_another_shape_is_refused(solardn, tmp_path):
    hdus = fits.HDUList([fits.PrimaryHDU(NOISE), fits.ImageHDU(np.zeros((5, 32), "u1"), name="DQ")])
    hdus.writeto(tmp_path / "in.fits")
    said = solardn.bad("denoise", tmp_path / "in.fits", tmp_path / "o.fits", "--model", "smooth", "--mask-ext", "DQ")
    assert "(5, 32)" in said
