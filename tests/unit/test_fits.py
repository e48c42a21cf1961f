"""Reading and writing FITS, below the command line."""

import gzip
import importlib
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from solardn.errors import InputError
from solardn.io import checksum, open_source
from solardn.io.fits import FitsSource
from solardn.io.form import FLOAT32, Form
from solardn.io.place import check_place
from solardn.provenance import Step

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(100, 20, (3, 30, 40))
WHOLE = (slice(None),) * 3
STEP = Step("test", "net", {"a": 1}, (), (), "here", ("one line",), "in.fits", "2026-01-01")


def read(path, ext=None):
    source = open_source(path, ext)
    try:
        return source.read((slice(None),) * len(source.shape))
    finally:
        source.close()


def rewrite(path, output, layers=(), ext=None, table=MappingProxyType({}), form=FLOAT32):
    """Write a file back through a sink, values unchanged."""
    source = open_source(path, ext)
    sink = source.sink(check_place(output, [path], True), layers, STEP, form=form)
    whole = (slice(None),) * len(source.shape)
    for layer in range(1 + len(layers)):
        sink.write(layer, whole, source.read(whole).astype(np.float32))
    sink.commit(table)
    source.close()


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_plain_images_of_every_type(tmp_path, dtype):
    data = IMAGE.astype(dtype)
    fits.PrimaryHDU(data).writeto(tmp_path / "in.fits")
    values = read(tmp_path / "in.fits")
    assert values.dtype.isnative
    np.testing.assert_array_equal(values, data)


@pytest.mark.parametrize("dtype", ["u2", "u4", "u8", "i1"])
def test_integers_that_fits_stores_with_an_offset(tmp_path, dtype):
    data = IMAGE.astype(dtype)
    fits.PrimaryHDU(data).writeto(tmp_path / "in.fits")
    np.testing.assert_array_equal(read(tmp_path / "in.fits"), data)


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32"])
def test_scaled_values_are_what_astropy_reads(tmp_path, dtype):
    hdu = fits.PrimaryHDU(IMAGE.astype(dtype))
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.25, -7.0
    hdu.writeto(tmp_path / "raw.fits", output_verify="ignore")
    if dtype != "float32":
        hdu = fits.PrimaryHDU(IMAGE)
        hdu.scale(dtype, bscale=0.25, bzero=-7.0)
        hdu.header["BLANK"] = hdu.data[0, 0, 0] = -99
        hdu.writeto(tmp_path / "raw.fits", overwrite=True)
    with fits.open(tmp_path / "raw.fits") as hdus:
        expected = hdus[0].data
    np.testing.assert_array_equal(read(tmp_path / "raw.fits"), expected)
    assert np.isnan(expected[0, 0, 0]) == (dtype != "float32")


@pytest.mark.parametrize("algorithm", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_tile_compressed_images(tmp_path, algorithm, dtype):
    data = (np.abs(IMAGE[0]) if algorithm == "PLIO_1" else IMAGE[0]).astype(dtype)
    if (algorithm, dtype) == ("PLIO_1", "float32"):
        pytest.skip("PLIO takes whole numbers only")
    tile = (16, 20) if algorithm == "HCOMPRESS_1" else None
    fits.CompImageHDU(data, compression_type=algorithm, tile_shape=tile).writeto(tmp_path / "in.fits")
    with fits.open(tmp_path / "in.fits") as hdus:
        expected = hdus[1].data
    values = read(tmp_path / "in.fits")
    np.testing.assert_array_equal(values, expected)
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits")
    with fits.open(tmp_path / "out.fits", checksum=True) as hdus:
        assert type(hdus[1]) is fits.ImageHDU
        np.testing.assert_array_equal(hdus[1].data, expected.astype("f4"))


def test_an_image_compressed_from_a_primary_one_becomes_an_extension(tmp_path):
    import astropy.io.fits.hdu.compressed

    given = Path(astropy.io.fits.hdu.compressed.__file__).parent / "tests" / "data" / "m13_rice.fits"
    if not given.exists():
        pytest.skip("this astropy comes without its test data")
    rewrite(given, tmp_path / "out.fits")
    with fits.open(tmp_path / "out.fits", checksum=True) as hdus:
        hdus.verify("exception")
        np.testing.assert_array_equal(hdus[1].data, read(given))


@pytest.mark.parametrize("primary", [False, True])
@pytest.mark.parametrize("form", [FLOAT32, Form(compress="gzip")])
def test_a_compressed_image_keeps_name_and_version(tmp_path: Path, form: Form, primary: bool) -> None:
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(IMAGE, name="SCI")]).writeto(tmp_path / "in.fits")
    with fits.open(tmp_path / "in.fits", "update", disable_image_compression=True) as hdus:
        hdus[1].header.update({"EXTVER": 2, "EXTLEVEL": 3} | ({"ZSIMPLE": True} if primary else {}))
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits", form=form)
    with fits.open(tmp_path / "out.fits", disable_image_compression=True) as hdus:
        assert [hdus[1].header[key] for key in ("EXTNAME", "EXTVER", "EXTLEVEL")] == ["SCI", 2, 3]


def test_a_part_of_a_compressed_cube(tmp_path):
    fits.CompImageHDU(IMAGE.astype("f4"), tile_shape=(1, 10, 40), quantize_level=0, compression_type="GZIP_2").writeto(
        tmp_path / "in.fits"
    )
    source = open_source(tmp_path / "in.fits")
    np.testing.assert_array_equal(source.read((slice(1, 3), slice(None), 7)), IMAGE.astype("f4")[1:3, :, 7])
    source.close()


def test_files_compressed_as_a_whole_are_told_by_their_bytes(tmp_path):
    import bz2
    import lzma

    fits.PrimaryHDU(IMAGE).writeto(tmp_path / "plain.fits")
    plain = (tmp_path / "plain.fits").read_bytes()
    for module in (gzip, bz2, lzma):
        (tmp_path / "in.fits").write_bytes(module.compress(plain))
        np.testing.assert_array_equal(read(tmp_path / "in.fits"), IMAGE)


@pytest.mark.parametrize(("ending", "module"), [("gz", "gzip"), ("bz2", "bz2"), ("xz", "lzma")])
def test_an_output_whose_name_says_so_is_compressed_as_a_whole(tmp_path: Path, ending: str, module: str) -> None:
    fits.PrimaryHDU(IMAGE).writeto(tmp_path / "in.fits")
    rewrite(tmp_path / "in.fits", tmp_path / f"out.fits.{ending}")
    data = importlib.import_module(module).decompress((tmp_path / f"out.fits.{ending}").read_bytes())
    assert data.startswith(b"SIMPLE  =")
    np.testing.assert_array_equal(read(tmp_path / f"out.fits.{ending}"), IMAGE.astype(np.float32))


def test_the_first_image_is_taken_past_an_empty_primary_and_tables(tmp_path):
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1, 2])], name="T")
    line = fits.ImageHDU(np.arange(9.0), name="LINE")
    fits.HDUList([fits.PrimaryHDU(), table, line, fits.ImageHDU(IMAGE, name="CUBE")]).writeto(tmp_path / "in.fits")
    source = open_source(tmp_path / "in.fits")
    assert (source.number, source.shape) == (3, IMAGE.shape)
    assert source.label.endswith("in.fits[CUBE]")
    source.close()


def test_other_extensions_keep_their_bytes_and_the_whole_passes_verification(tmp_path):
    table = fits.BinTableHDU.from_columns(
        [fits.Column("V", "PD()", array=np.array([np.arange(3.0), np.arange(5.0)], object))], name="VARIABLE"
    )
    mask = fits.ImageHDU(np.ones((30, 40), "u1"), name="MASK")
    text = fits.TableHDU.from_columns([fits.Column("N", "A8", array=["one", "two"])], name="ASCII")
    hdus = fits.HDUList([fits.PrimaryHDU(), mask, fits.ImageHDU(IMAGE, name="CUBE"), table, text])
    hdus[1].add_checksum()
    hdus.writeto(tmp_path / "in.fits")
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits", ["RESIDUAL"], "CUBE")
    with fits.open(tmp_path / "in.fits") as before, fits.open(tmp_path / "out.fits", checksum=True) as after:
        after.verify("exception")
        assert [hdu.name for hdu in after] == [*(hdu.name for hdu in before), "RESIDUAL"]
        for number in (0, 1, 3, 4):
            spans = [
                (hdus[number].fileinfo()["datLoc"], hdus[number].fileinfo()["datSpan"]) for hdus in (before, after)
            ]
            data = [
                path.read_bytes()[b : b + n]
                for path, (b, n) in zip((tmp_path / "in.fits", tmp_path / "out.fits"), spans, strict=True)
            ]
            assert data[0] == data[1]
            added = set(after[number].header) - set(before[number].header)
            assert added == (set() if number == 1 else {"CHECKSUM", "DATASUM"})
        assert [card.image for card in before[1].header.cards] == [card.image for card in after[1].header.cards]


@pytest.mark.parametrize("layers", [(), ("RESIDUAL",)])
def test_what_lay_beside_a_former_result_goes_and_tables_are_counted(tmp_path: Path, layers: tuple[str, ...]) -> None:
    first, second = tmp_path / "first.fits", tmp_path / "second.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(IMAGE), fits.ImageHDU(IMAGE, name="OTHER")]).writeto(
        tmp_path / "in.fits"
    )
    table = {"NOISE": np.arange(3.0)}
    rewrite(tmp_path / "in.fits", first, ("RESIDUAL", "UNCERT"), table=table)
    rewrite(first, second, layers, table=table)
    with fits.open(second, checksum=True) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "", "OTHER", "SOLARDN", *layers, "SOLARDN"]
        assert hdus["SOLARDN", 2].data["NOISE"].tolist() == [0, 1, 2]
        assert "solardn: RESIDUAL, UNCERT of the former result left out" in hdus[1].header["HISTORY"]
        assert "SIGMADAT" not in hdus[1].header
    with closing(open_source(first)) as source:
        assert "everything else carried over, RESIDUAL, UNCERT of the former result left out" in source.output_words
    rewrite(first, second, (), "OTHER")  # of which they say nothing
    with fits.open(second) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "", "OTHER", "RESIDUAL", "UNCERT", "SOLARDN"]


def test_a_version_that_is_no_number_does_no_harm(tmp_path: Path) -> None:
    other = fits.ImageHDU(IMAGE[0], fits.Header({"EXTVER": "two"}), name="SOLARDN")
    fits.HDUList([fits.PrimaryHDU(IMAGE), other]).writeto(tmp_path / "in.fits", output_verify="ignore")
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits", table={"NOISE": np.arange(3.0)})
    with fits.open(tmp_path / "out.fits") as hdus:
        assert [hdu.header.get("EXTVER") for hdu in hdus] == [None, "two", 2]


def test_what_lies_beside_a_result_tells_the_number_of_a_compressed_image(tmp_path: Path) -> None:
    fits.PrimaryHDU(IMAGE).writeto(tmp_path / "in.fits")
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits", ["RESIDUAL"], form=Form(compress="gzip"))
    with closing(open_source(tmp_path / "out.fits")) as source:
        assert (source.number, [span.of for span in source.spans]) == (1, [None, None, 1])


@pytest.mark.parametrize("summed", [True, False])
def test_what_belongs_to_an_image_goes_with_it_when_it_moves(tmp_path: Path, summed: bool) -> None:
    one, two, three, last = (tmp_path / f"{number}.fits" for number in range(4))
    table = {"NOISE": np.arange(3.0)}
    fits.HDUList([fits.PrimaryHDU(IMAGE), fits.ImageHDU(IMAGE, name="B")]).writeto(one)
    rewrite(one, two, ["RESIDUAL"], table=table)
    with fits.open(two) as hdus:
        hdus.append(fits.ImageHDU(IMAGE, name="LATE"))
        hdus.writeto(three)
    rewrite(three, two, ["RESIDUAL"], "LATE", table=table)  # 4, behind what belongs to 0
    if not summed:
        with fits.open(two, "update") as hdus:
            for hdu in hdus:
                del hdu.header["CHECKSUM"], hdu.header["DATASUM"]
    rewrite(two, three, (), 0)  # without its residual
    rewrite(three, last, form=Form(compress="gzip"))  # behind an empty primary one
    for path, first, late in ((three, 0, 3), (last, 1, 4)):
        with fits.open(path, checksum=True, disable_image_compression=True) as hdus:
            hdus.verify("exception")
            own = [(hdu.name, hdu.header["OF_HDU"]) for hdu in hdus if "OF_HDU" in hdu.header]
            assert own == [("SOLARDN", first), ("RESIDUAL", late), ("SOLARDN", late)]
            assert {hdu.verify_checksum() for hdu in hdus} == {1}


def test_a_last_block_that_is_not_filled_up_does_no_harm(tmp_path):
    mask = fits.ImageHDU(np.ones((30, 40), "u1"), name="MASK")
    fits.HDUList([fits.PrimaryHDU(IMAGE), mask]).writeto(tmp_path / "in.fits")
    whole = (tmp_path / "in.fits").read_bytes()
    (tmp_path / "in.fits").write_bytes(whole[: len(whole) - 2880 + 1200])
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits")
    with fits.open(tmp_path / "out.fits", checksum=True) as hdus:
        assert hdus[1].data.all()


def test_keywords_about_the_old_values_are_renewed_or_removed(tmp_path):
    header = fits.Header(
        {"DATAMIN": 1.0, "DATAMAX": 2.0, "DATAMEAN": 3.0, "DATAMEDN": 4.0, "DATAP10": 5.0, "BUNIT": "G"}
    )
    hdu = fits.PrimaryHDU(IMAGE, header)
    hdu.scale("int16", bscale=0.01, bzero=100)
    hdu.header["BLANK"] = -32768
    hdu.writeto(tmp_path / "in.fits", checksum=True)
    values = read(tmp_path / "in.fits")
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits")
    made = fits.getheader(tmp_path / "out.fits")
    assert (made["BITPIX"], made["BUNIT"]) == (-32, "G")
    assert not {"BSCALE", "BZERO", "BLANK", "DATAMEDN", "DATAP10"} & set(made)
    assert made["DATAMIN"] == pytest.approx(values.min())
    assert made["DATAMAX"] == pytest.approx(values.max())
    assert made["DATAMEAN"] == pytest.approx(values.mean())


def test_cards_that_are_not_standard_survive(tmp_path):
    fits.PrimaryHDU(IMAGE[0], fits.Header({"FLUX": 1.0, "LOWER": 2.0})).writeto(tmp_path / "in.fits")
    raw = (tmp_path / "in.fits").read_bytes()
    raw = raw.replace(b"FLUX    =                  1.0", b"FLUX    =              2.7e+22")
    (tmp_path / "in.fits").write_bytes(
        raw.replace(b"LOWER   =                  2.0", b"LOWER   =                  nan")
    )
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits")
    assert fits.getheader(tmp_path / "out.fits")["FLUX"] == 2.7e22


def test_cards_that_fits_does_not_allow_are_put_right_and_it_is_said(tmp_path):
    header = fits.Header({"R_VALUE": 1.0, "CRDER1": "nan", "DATE_S": "2012-09-05T09:06:43Z", "FILENAME": "in.fits"})
    fits.PrimaryHDU(IMAGE[0], header).writeto(tmp_path / "in.fits")
    raw = (tmp_path / "in.fits").read_bytes()
    (tmp_path / "in.fits").write_bytes(
        raw.replace(b"R_VALUE =                  1.0", b"R_VALUE =                  nan")
    )
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits")
    made = fits.getheader(tmp_path / "out.fits")
    assert made.cards["R_VALUE"].image.strip() == "R_VALUE ="
    assert "CRDER1" not in made
    assert (made["DATE_S"], made["FILENAME"]) == ("2012-09-05T09:06:43", "out.fits")
    said = " ".join(made["HISTORY"])
    assert all(key in said for key in ("R_VALUE: nan", "CRDER1: nan", "DATE_S: Z"))


@pytest.mark.parametrize(
    ("card", "made", "said"),
    [
        ("CAMERA  =                  inf / x", "CAMERA  = 'inf     '           / x", "CAMERA: in quotes"),
        ("CRVAL1  =                 -Inf", "", "CRVAL1: nan or inf"),
        ("CAMERA  =                  0,5", "CAMERA  = '0,5     '", "CAMERA: in quotes"),
        ("CAMERA  =                    t", "CAMERA  = 't       '", "CAMERA: in quotes"),
        ("HIERARCH ESO cam = inf", "HIERARCH ESO cam = 'inf     '", "ESO cam: in quotes"),
        ("CAMERA  = 'J\xf6rg'            / \xb5", "CAMERA  = 'J?rg'            / ?", "CAMERA: ? here"),
        ("COMMENT caf\xe9", "COMMENT caf?", "COMMENT: ? here"),
        ("CAMERA  =                  NaN / x", "CAMERA  =  / x", "CAMERA: nan in the input"),
        ("CAMERA  = 'it''s'              / a text", "CAMERA  = 'it''s'              / a text", ""),
        ("CAMERA  =                   +3", "CAMERA  =                   +3", ""),
        ("CAMERA  = ''", "CAMERA  = ''", ""),
    ],
)
def test_every_card_that_changes_is_named(tmp_path: Path, card: str, made: str, said: str) -> None:
    fits.PrimaryHDU(IMAGE, fits.Header({"PLACE": 1})).writeto(tmp_path / "in.fits")
    raw = (tmp_path / "in.fits").read_bytes()
    begin = raw.index(b"PLACE   ")
    (tmp_path / "in.fits").write_bytes(raw[:begin] + card.ljust(80).encode("latin-1") + raw[begin + 80 :])
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits")
    raw = (tmp_path / "out.fits").read_bytes()
    cards = [raw[place : place + 80].decode("latin-1").rstrip() for place in range(0, raw.index(b"END     "), 80)]
    assert [line for line in cards if line.startswith(card[:8].strip())] == ([made] if made else [])
    history = " ".join(line[8:] for line in cards if line.startswith("HISTORY"))
    assert said in history if said else "here" not in history


def test_cards_that_stay_or_are_made_anew_are_not_named(tmp_path: Path) -> None:
    header = fits.Header(
        [("TWICE", 1), ("TWICE", "two"), ("ODD", 1.0), ("ODD", "x"), ("DATAMIN", 1.0), ("DATAMEDN", 1.0)]
    )
    fits.PrimaryHDU(IMAGE, header).writeto(tmp_path / "in.fits")
    raw = (tmp_path / "in.fits").read_bytes()
    for key, value in (("ODD", "0,5"), ("DATAMIN", "nan"), ("DATAMEDN", "nan")):
        raw = raw.replace(f"{key:8}=                  1.0".encode(), f"{key:8}= {value:>20}".encode())
    (tmp_path / "in.fits").write_bytes(raw)
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits")
    made = fits.getheader(tmp_path / "out.fits")
    assert (made["TWICE", 0], made["TWICE", 1], made["ODD", 0], made["ODD", 1]) == (1, "two", "0,5", "x")
    assert made["DATAMIN"] == pytest.approx(IMAGE.min())
    assert [line for line in made["HISTORY"] if " here" in line] == [
        "solardn: ODD: in quotes here, as FITS knows no such value"
    ]


@pytest.mark.parametrize("compressed", [False, True])
def test_zero_bytes_and_tabs_of_a_header_become_blanks_and_it_is_said(tmp_path: Path, compressed: bool) -> None:
    header = fits.Header({"OBSERVER": "a.......", "TELESCOP": "b"})
    header["COMMENT"] = "no.printer"
    image = fits.CompImageHDU(IMAGE[0], header) if compressed else fits.ImageHDU(IMAGE[0], header)
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "in.fits")
    raw = (tmp_path / "in.fits").read_bytes()
    raw = raw.replace(b"a.......", b"a\0\0\0\0\0\0\0").replace(b"no.printer", b"no\tprinter")
    (tmp_path / "in.fits").write_bytes(raw)
    rewrite(tmp_path / "in.fits", tmp_path / "out.fits")
    made = fits.getheader(tmp_path / "out.fits", 1)
    assert (made["OBSERVER"], list(made["COMMENT"])) == ("a", ["no printer"])
    assert "OBSERVER, COMMENT: blanks here" in " ".join(made["HISTORY"])


@settings(deadline=None)
@given(st.binary(min_size=4, max_size=400).map(lambda data: data[: len(data) // 4 * 4]))
def test_the_checksum_is_astropys(data):
    total = checksum.folded(checksum.words_sum(data))
    hdu = fits.ImageHDU()
    assert total == int(hdu._compute_checksum(np.frombuffer(data, "u1")))
    assert checksum.encoded(total) == hdu._char_encode(~np.uint32(total))


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1"])
@pytest.mark.parametrize(("stored", "zero"), [("int16", 2**15), ("int32", 2**31), ("uint8", -128)])
def test_blank_pixels_of_compressed_integers_are_missing(tmp_path: Path, kind: str, stored: str, zero: int) -> None:
    low = int(np.iinfo(stored).min)
    raw = np.random.default_rng(0).integers(low + 1, low + 100, (24, 32)).astype(stored)
    raw[3, 4] = low
    hdu = fits.CompImageHDU(raw, compression_type=kind)
    hdu.header["BZERO"], hdu.header["BSCALE"], hdu.header["BLANK"] = zero, 1, low
    hdu.writeto(tmp_path / "a.fits")
    with closing(FitsSource(tmp_path / "a.fits")) as source:
        values = source.read((slice(None), slice(None)))
    assert np.flatnonzero(np.isnan(values)).tolist() == [3 * 32 + 4]
    np.testing.assert_array_equal(values[4:], raw[4:].astype(float) + zero)


@pytest.mark.parametrize("scale", [1e-5, 2e-4, 3e-3, 7e-6, 0.1])
def test_scaled_integers_are_rounded_once(tmp_path: Path, scale: float) -> None:
    raw = np.arange(-32767, 32768, dtype=np.int16).reshape(5, -1)
    hdu = fits.PrimaryHDU(raw)
    hdu.header["BSCALE"] = scale
    hdu.writeto(tmp_path / "a.fits")
    with closing(FitsSource(tmp_path / "a.fits")) as source:
        values = source.read((slice(None), slice(None)))
    np.testing.assert_array_equal(values, (raw * scale).astype(np.float32))


UNDEFINED = {
    "CRVAL3": None,
    "WCSAXES": None,
    "CTYPE2": None,
    "BUNIT": None,
    "CRVAL1": "nan",
}


@pytest.mark.parametrize("key", UNDEFINED)
def test_an_undefined_card_counts_as_absent(tmp_path: Path, key: str) -> None:
    header = fits.Header({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "STOKES", "CRVAL3": 1.0, "CRPIX3": 1.0, "CDELT3": 1.0,
                          "CRVAL1": 0.0, "BUNIT": "ct", "WCSAXES": 3})  # fmt: skip
    header[key] = UNDEFINED[key]
    fits.writeto(tmp_path / "a.fits", np.zeros((4, 8, 8), np.float32), header, output_verify="ignore")
    with closing(FitsSource(tmp_path / "a.fits")) as source:
        assert key not in source.header
        assert key in source.cards
        assert source.unit == ("" if key == "BUNIT" else "ct")


def test_a_scale_that_is_no_number_is_named(tmp_path: Path) -> None:
    hdu = fits.PrimaryHDU(np.zeros((8, 8), np.int16))
    hdu.writeto(tmp_path / "a.fits")
    data = (tmp_path / "a.fits").read_bytes()
    at = data.index(b"END" + b" " * 77)
    (tmp_path / "a.fits").write_bytes(
        data[:at] + b"BSCALE  = 'wide    '".ljust(80) + data[at : at + 80] + data[at + 160 :]
    )
    with pytest.raises(InputError, match=r"a\.fits: BSCALE is 'wide', which is no number"):
        FitsSource(tmp_path / "a.fits")


@pytest.mark.parametrize("old", [b"ZNAXIS2 =", b"ZNAXIS  =", b"ZCMPTYPE=", b"'COMPRESSED_DATA'", b"'1PB("])
def test_a_compressed_image_whose_table_is_damaged_is_named(tmp_path: Path, old: bytes) -> None:
    image = fits.CompImageHDU(IMAGE.astype(np.int16), compression_type="RICE_1")
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "in.fits")
    raw = (tmp_path / "in.fits").read_bytes()
    assert old in raw
    (tmp_path / "in.fits").write_bytes(raw.replace(old, old[:1] + b"?" + old[2:], 1))
    with pytest.raises(InputError, match=r"in\.fits"):
        read(tmp_path / "in.fits")
