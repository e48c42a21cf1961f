"""How the values of an output are stored: --output-dtype and --compress."""

import numpy as np
import pytest
from astropy.io import fits

import solardn as package
from solardn.io import container, fitstiles
from solardn.provenance import parameters as step_parameters


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_values_can_be_chosen(solardn, image, noisy, tmp_path, dtype):
    np.save(tmp_path / "in.npy", noisy)
    for name in ("map.fits", "in.npy"):
        out = tmp_path / f"out.{name[-4:].strip('.')}"
        words = [tmp_path / name, out, "--model", "same", "--scale", 1, "--output-dtype", dtype, "--residual"]
        figures = solardn.json("denoise", *words, "--dry-run")
        assert figures["output"].startswith(dtype)
        assert figures["output_bytes"] >= noisy.size * np.dtype(dtype).itemsize
        solardn.good("denoise", *words)
        made = fits.getdata(out) if name == "map.fits" else np.load(out)
        assert made.dtype.itemsize == np.dtype(dtype).itemsize
        np.testing.assert_array_equal(made, noisy)
    header = fits.getheader(tmp_path / "out.fits")
    assert header["BITPIX"] == -8 * np.dtype(dtype).itemsize
    assert step_parameters(header, 1).get("output_dtype", "float32") == dtype


def test_what_is_copied_comes_back_in_all_its_digits(solardn, tmp_path):
    data = np.random.default_rng(0).normal(1, 0.1, (4, 40, 50))
    data[1, :10] = 0.1  # a fill, which float32 does not hold
    data[2, 5, 5] = np.nan
    header = fits.Header({"CTYPE3": "STOKES", "CRVAL3": 1.0, "CRPIX3": 1.0, "CDELT3": 1.0})
    fits.writeto(tmp_path / "in.fits", data, header)
    solardn.good(
        "denoise",
        tmp_path / "in.fits",
        tmp_path / "out.fits",
        "--model",
        "same",
        "--scale",
        1,
        "--output-dtype",
        "float64",
    )
    made = fits.getdata(tmp_path / "out.fits")
    np.testing.assert_array_equal(made[0], data[0])
    np.testing.assert_array_equal(made[1, :10], data[1, :10])
    np.testing.assert_array_equal(made[1:, 10:], data[1:, 10:].astype(np.float32))


@pytest.mark.parametrize("how", ["rice", "gzip"])
@pytest.mark.parametrize("primary", [True, False])
def test_fits_images_are_compressed_by_tiles(solardn, tmp_path, monkeypatch, how, primary):
    data = np.random.default_rng(0).normal(0, 1, (2, 2, 40, 300)).astype(np.float32)
    data[1, 1, :3], data[0, 1, 5:9] = np.nan, 0
    table = fits.BinTableHDU.from_columns([fits.Column("A", "D", array=np.arange(3.0))], name="T")
    header = fits.Header({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "OBSERVER": "me"})
    image = fits.PrimaryHDU(data, header) if primary else fits.ImageHDU(data, header, name="SCI")
    fits.HDUList([image, table] if primary else [fits.PrimaryHDU(), table, image]).writeto(tmp_path / "in.fits")
    monkeypatch.setattr(container, "_PIECE", 100_000)  # two planes in one go
    monkeypatch.setattr(fitstiles, "_TILE", 3000)  # tiles of ten rows
    words = [tmp_path / "in.fits", tmp_path / "out.fits", "--model", "same", "--scale", 1, "--residual"]
    solardn.good("denoise", *words, "--compress", how)
    with fits.open(tmp_path / "out.fits", checksum=True) as made:
        made.verify("exception")
        result = next(hdu for hdu in made if isinstance(hdu, fits.CompImageHDU))
        assert result.header["OBSERVER"] == "me"
        assert made["T"].data["A"].tolist() == [0, 1, 2]
        parameters = step_parameters(result.header, 1)
        assert parameters["compress"] == how
        assert isinstance(made["RESIDUAL"], fits.CompImageHDU)
        most = parameters["quantum"] / 2 if how == "rice" else 0
        np.testing.assert_allclose(result.data, data, rtol=0, atol=1.001 * most)
        assert (np.abs(result.data - data) > 0).any() == (how == "rice")
        assert (result.data[0, 1, 5:9] == 0).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.fits", "out.fits"]


@pytest.mark.parametrize("wide", [False, True])
def test_heaps_of_any_size(tmp_path, monkeypatch, wide):
    """Descriptors of 64 bits are for heaps of gigabytes; here the limit is lowered instead."""
    from solardn.io import open_source
    from solardn.io.form import Form

    from ..unit.test_fits import STEP

    data = np.random.default_rng(0).normal(0, 1, (3, 20, 30)).astype(np.float32)
    fits.writeto(tmp_path / "in.fits", data)
    if wide:
        monkeypatch.setattr(fitstiles, "_LARGE", 100)
    source = open_source(tmp_path / "in.fits")
    sink = source.sink(tmp_path / "out.fits", [], STEP, form=Form(np.dtype("f4"), "gzip"))
    sink.write(0, (slice(None),) * 3, data)
    sink.commit({})
    source.close()
    with fits.open(tmp_path / "out.fits", disable_image_compression=True) as made:
        assert made[1].header["TFORM1"].startswith("1QB" if wide else "1PB")
    np.testing.assert_array_equal(fits.getdata(tmp_path / "out.fits", 1), data)


@pytest.mark.parametrize(
    ("name", "output", "words", "said"),
    [
        ("in.npy", "out.npy", ["--compress", "rice"], "compresses FITS images"),
        ("map.fits", "out.fits.gz", ["--compress", "gzip"], "compressed twice"),
    ],
)
def test_what_does_not_go_together(solardn, image, noisy, tmp_path, name, output, words, said):
    np.save(tmp_path / "in.npy", noisy)
    assert said in solardn.bad("denoise", tmp_path / name, tmp_path / output, "--model", "smooth", *words)
    assert not (tmp_path / output).exists()


@pytest.mark.parametrize("how", ["gzip", "rice"])
def test_the_same_work_gives_the_same_compressed_bytes_later(solardn, tmp_path, monkeypatch, how):
    strange = np.full((2, 64, 64), 1e5, np.float32)  # cannot be quantized: rice falls back to gzip
    strange[1] = 1e-6 * np.random.default_rng(0).normal(size=(64, 64))
    fits.writeto(tmp_path / "in.fits", strange)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    given = []
    for name, now in (("a.fits", 1.0e9), ("b.fits", 1.5e9)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        solardn.good(
            "denoise",
            tmp_path / "in.fits",
            tmp_path / name,
            "--model",
            "smooth",
            "--noise-sigma",
            1e-6,
            "--compress",
            how,
        )
        given.append((tmp_path / name).read_bytes())
    assert given[0] == given[1]


def test_rice_keeps_the_quietest_map_where_each_has_its_own_noise(tmp_path):
    rng = np.random.default_rng(0)
    levels = np.array([0.02, 1, 1])
    fits.writeto(tmp_path / "in.fits", (rng.normal(size=(3, 64, 64)) * levels[:, None, None]).astype(np.float32))
    for name, compress in (("plain", None), ("rice", "rice")):
        package.denoise_file(
            tmp_path / "in.fits", tmp_path / f"{name}.fits", model="smooth", noise_sigma="per-map", compress=compress
        )
    apart = fits.getdata(tmp_path / "rice.fits", 1) - fits.getdata(tmp_path / "plain.fits")
    assert (apart.std(axis=(1, 2)) < levels / 40).all()
