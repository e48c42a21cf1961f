import json

import pytest
from astropy.io import fits

from solardn.provenance import NOT_INSPECTED, Step, next_number, parameters, record


def step(**changes):
    values = {
        "procedure": "solardn denoise",
        "mode": "stokes",
        "parameters": {"network": "stokes", "noise_sigma": 1e-3, "sha256": "0" * 64},
        "references": ("Someone 2026 — ünïcode",),
        "libraries": (("onnxruntime", "1.2"), ("numpy", "2.0")),
        "environment": "Python on a machine",
        "history": ("noise σ of 1e-3",),
        "parent": "in.fits",
        "date": "2026-11-22",
    }
    return Step(**(values | changes))


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({}, 1),
        ({"PRSTEP1": "A", "PRPROC2": "B"}, 3),
        ({"PRSTEP9": "A"}, 10),
        ({"PRSTEP1A": "A"}, 2),
        ({"PRSTEPX": "A"}, 1),
    ],
)
def test_the_numbering_of_the_file_goes_on(given, number):
    header = fits.Header(given)
    assert next_number(header) == number
    record(header, step())
    assert header[f"PRSTEP{number}"] == "NOISE-FILTERING"
    assert header[f"PRLIB{number}A"] == "onnxruntime"
    assert next_number(header) == number + 1


def test_parameters_are_json_that_survives_a_file(tmp_path):
    header = fits.Header()
    record(header, step())
    fits.PrimaryHDU(header=header).writeto(tmp_path / "h.fits")
    read = fits.getheader(tmp_path / "h.fits")
    assert parameters(read, 1) == step().parameters
    assert json.loads(read["PRPARA1"]) == {"network": "stokes", "noise_sigma": 0.001, "sha256": "PRHSH1C"}
    assert read["PRHSH1C"] == "0" * 64
    assert "Someone 2026" in read["PRREF1A"]
    assert read["HISTORY"][0] == "noise sigma of 1e-3"


def test_lines_of_history_are_broken_between_words():
    header = fits.Header()
    record(header, step(history=("solardn: " + "maps of Stokes Q and U; " * 6, NOT_INSPECTED)))
    lines = list(header["HISTORY"])
    assert all(set(line.split()) <= {"solardn:", "maps", "of", "Stokes", "Q", "and", "U;"} for line in lines[:-1])
    assert lines[-1] == NOT_INSPECTED


def test_beyond_step_99_no_keyword_grows_too_long():
    header = fits.Header({"PRSTEP99": "A"})
    record(header, step())
    assert all(len(key) <= 8 for key in header)
    assert header["CREATOR"] == "solardn"


@pytest.mark.parametrize("given", [{}, {"PRSTEP9": "A"}, {"PRSTEP99": "A"}])
def test_the_parameters_are_read_back_whatever_the_number(given):
    header = fits.Header(given)
    n = next_number(header)
    many = {"sha256": "1" * 64, **{f"parameter{k}": [k / 7, "text"] for k in range(12)}}
    record(header, step(parameters=many))
    assert n > 99 or parameters(header, n) == many


@pytest.mark.parametrize("last", [0, 10, 98])
def test_no_text_needs_a_second_card(last):
    """The validator of SOLARNET takes texts that go on in CONTINUE cards for errors."""
    header = fits.Header({f"PRSTEP{last}": "A"} if last else {})
    many = {"sha256": "1" * 64, **{f"parameter{k}": k / 7 for k in range(12)}}
    record(header, step(parameters=many, references=("Someone, Another & Third (2026), " * 3,)))
    assert all(len(card.image) == 80 for card in header.cards)
    assert all(json.loads(header[key]) for key in header["PRPAR*"])
    assert len(header["PRPAR*"]) > 3
