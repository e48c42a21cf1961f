import errno
import os

import pytest

from solardn.errors import OutputError
from solardn.io.place import PartFile, check_place, writing
from solardn.io.room import check_space, size_words


@pytest.fixture
def given_file(tmp_path):
    path = tmp_path / "in.fits"
    path.write_bytes(b"data")
    return path


def test_a_new_name_in_a_folder_is_fine(tmp_path, given_file):
    assert check_place(tmp_path / "out.fits", [given_file], False) == (tmp_path / "out.fits").resolve()


@pytest.mark.parametrize("link", ["same", "symlink", "hardlink", "relative"])
def test_the_input_is_never_the_output_by_whatever_name(tmp_path, given_file, link, monkeypatch):
    other = tmp_path / "other.fits"
    if link == "same":
        other = given_file
    elif link == "symlink":
        other.symlink_to(given_file)
    elif link == "hardlink":
        os.link(given_file, other)
    else:
        (tmp_path / "sub").mkdir()
        other = tmp_path / "sub" / ".." / "in.fits"
    with pytest.raises(OutputError, match="is the input"):
        check_place(other, [given_file], True)


def test_a_file_that_exists_is_replaced_only_when_told(tmp_path, given_file):
    (tmp_path / "out.fits").touch()
    with pytest.raises(OutputError, match="--overwrite"):
        check_place(tmp_path / "out.fits", [given_file], False)
    check_place(tmp_path / "out.fits", [given_file], True)


@pytest.mark.parametrize(
    ("name", "words"), [("missing/out.fits", "does not exist"), (".", "is a folder"), ("pipe", "no ordinary file")]
)
def test_places_that_cannot_be_written_are_refused(tmp_path, name, words):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match=words):
        check_place(tmp_path / name, [], True)


def test_a_name_with_a_slash_at_its_end_is_that_of_a_folder(tmp_path):
    with pytest.raises(OutputError, match="new/ is a folder; give the name of a file"):
        check_place(f"{tmp_path}/new/", [], False)
    assert check_place(f"{tmp_path}/new/", [], False, folder=True) == (tmp_path / "new").resolve()


@pytest.mark.parametrize("length", [245, 265])
def test_a_name_too_long_for_the_file_or_for_those_beside_it_is_refused(tmp_path, given_file, length):
    with pytest.raises(OutputError, match=r"^cannot write .* \(File name too long\); give a shorter name$"):
        check_place(tmp_path / (length * "a"), [given_file], False)


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="not writable"):
        check_place(tmp_path / "out.fits", [], False)


def test_a_disk_too_small_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"needs 1e\+06 TB, and on its disk .* are left"):
        check_space(tmp_path / "out.fits", 10**18)


def test_nothing_of_the_name_exists_before_the_end(tmp_path):
    part = PartFile(tmp_path / "out.fits")
    part.write(b"whole")
    assert not (tmp_path / "out.fits").exists()
    part.commit()
    part.abort()
    assert (tmp_path / "out.fits").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["out.fits"]


def test_nothing_is_left_after_giving_up(tmp_path):
    part = PartFile(tmp_path / "out.fits")
    part.write(b"half")
    part.abort()
    assert not list(tmp_path.iterdir())


def test_two_runs_do_not_write_one_output(tmp_path):
    pytest.importorskip("fcntl")
    part = PartFile(tmp_path / "out.fits")
    with pytest.raises(OutputError, match="another run"):
        PartFile(tmp_path / "out.fits")
    part.abort()


def test_what_a_killed_run_left_is_no_obstacle(tmp_path):
    (tmp_path / ".out.fits.solardn-part").write_bytes(b"left over")
    part = PartFile(tmp_path / "out.fits")
    part.write(b"new")
    part.commit()
    assert (tmp_path / "out.fits").read_bytes() == b"new"


def test_a_full_disk_is_an_error_that_names_the_output(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    part = PartFile(tmp_path / "out.fits")
    with pytest.raises(OutputError, match=r"out\.fits \(No space left on device\)"):
        part.commit()
    part.abort()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        (errno.ENOSPC, "free space, or write elsewhere"),
        (errno.EACCES, "change the permissions, or write elsewhere"),
        (errno.ENAMETOOLONG, "give a shorter name"),
        (errno.EIO, "look at the disk, or write elsewhere"),
    ],
)
def test_each_error_of_the_system_has_its_way_out(tmp_path, code, way_out):
    with pytest.raises(OutputError, match=f"; {way_out}$"), writing(tmp_path / "out.fits"):
        raise OSError(code, os.strerror(code))


def test_sizes_are_told_in_a_unit_that_fits():
    sizes = (0, 512, 999.7, 16_500, 999_600, 2e9, 3.2e12)
    assert [*map(size_words, sizes)] == ["0 B", "512 B", "1 kB", "16.5 kB", "1 MB", "2 GB", "3.2 TB"]
