"""An observation and its result, compared file by file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

from benchmarks.scenes import make_noise, make_truth
from solardn.cli import main
from solardn.errors import InputError
from solardn.inspect import inspect_files
from solardn.layers import OF
from solardn.page import write_report

SHAPE = (192, 192)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return an observation (time, Stokes, y, x) in FITS, a good result, and one that took away a third of Q and U as well."""
    truth, noise = np.zeros((3, 3, *SHAPE)), np.zeros((3, 3, *SHAPE))
    for t in range(3):
        for s, kind in enumerate(("granules", "plage", "sunspot")):
            truth[t, s] = 1e-2 * make_truth(kind, SHAPE, t)
            noise[t, s] = 2e-3 * make_noise("band 0.3 soft", SHAPE, 10 * t + s)
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"], header["CTYPE3"], header["CTYPE4"] = "HPLN-TAN", "HPLT-TAN", "STOKES", "UTC"
    header["CRVAL3"], header["CRPIX3"], header["CDELT3"] = 1.0, 1.0, 1.0
    header["BUNIT"], header["DATE-OBS"] = "Ic", "2026-01-01T00:00:00"
    worse = truth.copy()
    worse[:, 1:] *= 0.66
    paths = tuple(tmp_path / name for name in ("observation.fits", "good.fits", "worse.fits"))
    for path, data in zip(paths, (truth + noise, truth, worse), strict=True):
        fits.writeto(path, data.astype(np.float32), header)
    return paths[0], paths[1], paths[2]


def test_good_result_is_flat(files: tuple[Path, Path, Path]) -> None:
    found = inspect_files(files[0], files[1])
    assert found.flat
    assert found.verdict.startswith("flat")
    assert [line.stokes for line in found.lines] == ["Q", "U"]
    assert found.unit == "Ic"
    for line in found.lines:
        assert line.maps == 3
        assert line.figures.sigma == pytest.approx(2e-3, rel=0.1)
        assert line.figures.correlation_intensity is not None
        assert line.drift is not None
        assert abs(line.drift) < 0.1


def test_command(files: tuple[Path, Path, Path]) -> None:
    observation, good, worse = map(str, files)
    run = CliRunner().invoke
    assert run(main, ["inspect", observation, good, "--strict"]).exit_code == 0
    bad = run(main, ["inspect", observation, worse])
    assert bad.exit_code == 0
    assert "structure left" in bad.output
    strict = run(main, ["inspect", observation, worse, "--strict", "--json"])
    assert strict.exit_code == 1
    figures = json.loads(strict.output)
    assert figures["flat"] is False
    assert {line["verdict"][:14] for line in figures["lines"]} == {"structure left"}
    assert figures["lines"][0]["bands"][0]["ratio"] > 1


def test_given_noise_level(files: tuple[Path, Path, Path]) -> None:
    assert "over-estimated" in inspect_files(files[0], files[1], noise_sigma=4e-3).verdict
    assert "under-estimated" in inspect_files(files[0], files[1], noise_sigma=1e-3).verdict


def test_files_that_do_not_belong_together(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.fits"
    data, header = fits.getdata(files[1], header=True)
    fits.writeto(other, data[:2], header)
    with pytest.raises(InputError, match=r"no result of .* shapes"):
        inspect_files(files[0], other)
    header["DATE-OBS"] = "2025-01-01T00:00:00"
    fits.writeto(other, data, header, overwrite=True)
    with pytest.raises(InputError, match="DATE-OBS is '2025"):
        inspect_files(files[0], other)


@pytest.mark.parametrize("ending", ["fits", "h5", "zarr"])
def test_values_in_another_unit_do_not_belong_together(tmp_path: Path, ending: str) -> None:
    noise = make_noise("white", (64, 64), 0).astype(np.float32)
    for name, unit in (("a", "G"), ("b", "kG")):
        path = tmp_path / f"{name}.{ending}"
        if ending == "fits":
            fits.writeto(path, noise, fits.Header({"BUNIT": unit}))
        elif ending == "h5":
            with pytest.importorskip("h5py").File(path, "w") as file:
                file.create_dataset("map", data=noise).attrs["units"] = unit
        else:
            group = pytest.importorskip("zarr").create_group(str(path))
            group.create_array("map", data=noise, chunks=(64, 64)).attrs["units"] = unit
    with pytest.raises(InputError, match="the unit is 'kG' there and 'G' here"):
        inspect_files(tmp_path / f"a.{ending}", tmp_path / f"b.{ending}")


def test_no_value_in_common(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", make_noise("white", (64, 64), 0))
    np.save(tmp_path / "b.npy", np.full((64, 64), np.nan))
    with pytest.raises(InputError, match="no value in common"):
        inspect_files(tmp_path / "a.npy", tmp_path / "b.npy")


def test_a_map_too_small_is_left_out_with_its_reason_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", make_noise("white", (9, 9), 0))
    np.save(tmp_path / "b.npy", np.zeros((9, 9)))
    for sigma in (None, 1.0):
        with pytest.raises(InputError, match=r"too small .* \(16×16 are needed\); give other files$"):
            inspect_files(tmp_path / "a.npy", tmp_path / "b.npy", noise_sigma=sigma)


def test_the_level_of_maps_among_empty_ones_is_that_of_maps_that_show_noise(tmp_path: Path) -> None:
    noise = 1e-3 * np.random.default_rng(0).normal(size=(20, 11, 48, 48))
    noise[:, ::2] = 0  # all six that would be looked at of each wavelength; of the last nothing is left at all
    noise[-1] = 0
    np.save(tmp_path / "a.npy", noise)
    np.save(tmp_path / "b.npy", 0 * noise)
    found = inspect_files(tmp_path / "a.npy", tmp_path / "b.npy", axes="wavelength=0,time=1")
    assert [line.wavelength for line in found.lines] == [*range(19)]
    assert [line.figures.sigma for line in found.lines] == pytest.approx([1e-3] * 19, rel=0.1)


def test_drift_along_time_and_wavelength_is_told(tmp_path: Path) -> None:
    noise = np.stack([[make_noise("white", (64, 64), 10 * t + w) for w in range(3)] for t in range(4)])
    noise *= np.array([1, 1.2, 1.4, 1.6])[:, None, None, None] * np.array([1, 2, 3])[:, None, None]
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"], header["CTYPE3"], header["CTYPE4"] = "HPLN-TAN", "HPLT-TAN", "WAVE", "UTC"
    for name, data in (("a.fits", noise), ("b.fits", 0 * noise)):
        fits.writeto(tmp_path / name, data.astype(np.float32), header)
    found = inspect_files(tmp_path / "a.fits", tmp_path / "b.fits")
    assert [line.drift for line in found.lines] == pytest.approx([0.46] * 3, abs=0.05)
    assert "+4" in found.lines[0].words
    assert found.across[""] == pytest.approx(0, abs=0.1)
    given = inspect_files(tmp_path / "a.fits", tmp_path / "b.fits", noise_sigma=2.6)
    assert given.across[""] == pytest.approx(1, abs=0.1)


def test_noise_that_passes_explains_the_correlation_of_the_authors_result(shared: Path) -> None:
    found = inspect_files(shared / "reference" / "example_sst.npy", shared / "reference" / "prediction_sst.npy")
    figures = found.lines[0].figures
    assert 0.05 < figures.correlation < figures.limit
    assert figures.flat


def with_record(result: Path, path: Path, sigmas: list[float], of: int | None = None, **cards: str) -> Path:
    """Write a result with a table of the noise of each of its maps (time 3, Stokes 3: I, Q, U), and return its path."""
    with fits.open(result) as hdus:
        places = np.indices((3, 3)).reshape(2, -1).astype(np.int32)
        columns = [fits.Column("I_TIME0", "J", array=places[0]), fits.Column("I_STOKES1", "J", array=places[1])]
        columns.append(fits.Column("STOKES", "1A", array=["I", "Q", "U"] * 3))
        table = fits.BinTableHDU.from_columns([*columns, fits.Column("NOISE", "D", array=np.repeat(sigmas, 3))])
        table.name = "SOLARDN"
        table.header.update(cards)
        if of is not None:
            table.header[OF] = of
        hdus.append(table)
        hdus.writeto(path)
    return path


def test_levels_that_the_result_records_map_by_map_are_taken(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    result = with_record(files[1], tmp_path / "recorded.fits", [4e-3, 4.1e-3, 4.2e-3])
    found = inspect_files(files[0], result)
    assert found.sigma_from == "taken by the run"
    assert [line.figures.sigma for line in found.lines] == [4.1e-3, 4.1e-3]
    assert "over-estimated" in found.verdict
    assert inspect_files(files[0], result, noise_sigma=2e-3).flat


def test_of_several_runs_the_levels_of_the_last_are_taken(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    first = with_record(files[1], tmp_path / "first.fits", [9e-3] * 3)
    second = with_record(first, tmp_path / "second.fits", [4e-3] * 3)
    assert [line.figures.sigma for line in inspect_files(files[0], second).lines] == [4e-3, 4e-3]


def test_levels_recorded_for_another_image_of_the_file_are_not(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    result = with_record(files[1], tmp_path / "other.fits", [4e-3] * 3, of=2)
    found = inspect_files(files[0], result)
    assert found.sigma_from == "found in the observation"
    assert found.flat


UNUSED = {
    "times cut off": (np.s_[1:], {}, "its 9 rows are not those of this image's maps (6)"),
    "Stokes parameters cut off": (np.s_[:, 1:], {"CRVAL3": 2}, "its 9 rows are not those of this image's maps (6)"),
    "one map left": (np.s_[1, 1], {"CTYPE3": "", "CTYPE4": ""}, "its 9 rows are not those of this image's maps (1)"),
    "one time left, without its axis": (np.s_[1], {"CTYPE4": ""}, "it has no rows for maps counted over axes [0]"),
    "other Stokes parameters": (np.s_[:], {"CRVAL3": 2}, "it is of Stokes I, Q, U, and this image of Q, U, V"),
    "another image": (np.s_[:], {"EXTNAME": "V"}, "it belongs to an image without a name, and this is 'V'"),
}


@pytest.fixture
def noise(tmp_path: Path) -> tuple[Path, Path]:
    """Return white noise (time, Stokes, y, x) in FITS, and a result that holds none of it, with a table of other levels."""
    header = fits.Header({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CTYPE3": "STOKES", "CTYPE4": "UTC"})
    header.update({"CRVAL3": 1.0, "CRPIX3": 1.0})
    data = 2e-3 * np.random.default_rng(0).normal(size=(3, 3, 64, 64)).astype(np.float32)
    for name, values in (("a.fits", data), ("b.fits", 0 * data)):
        fits.writeto(tmp_path / name, values, header)
    return tmp_path / "a.fits", with_record(tmp_path / "b.fits", tmp_path / "c.fits", [9e-3] * 3, OF_NAME="")


@pytest.mark.parametrize("what", UNUSED)
def test_levels_of_a_table_that_does_not_fit_are_not_taken(noise: tuple[Path, Path], what: str) -> None:
    assert inspect_files(*noise).sigma_from == "taken by the run"
    places, cards, why = UNUSED[what]
    for path in noise:
        with fits.open(path, mode="update") as hdus:
            hdus[0].data = hdus[0].data[places].copy()
            hdus[0].header.update(cards)
    found = inspect_files(*noise)
    assert found.sigma_from == "found in the observation"
    assert [line.figures.sigma for line in found.lines] == pytest.approx([2e-3] * len(found.lines), rel=0.1)
    assert found.as_recorded == (f"the table of maps of {found.result} is not used: {why}",)


def test_a_report_shows_no_table_that_does_not_fit(noise: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for path in noise:
        fits.setval(path, "EXTNAME", value="V")
    write_report(*noise, tmp_path / "page.html", noise_sigma=2e-3, maps=1)
    page = (tmp_path / "page.html").read_text()
    assert "<td>0.009</td>" not in page
    assert "is not used: it belongs to an image without a name" in page
