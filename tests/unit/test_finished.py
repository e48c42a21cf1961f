"""The notes of which files are done, which several jobs may keep at once."""

from pathlib import Path

import pytest

from solardn.finished import NAME, Finished


@pytest.fixture
def places(tmp_path):
    """Return two inputs that are there and outputs that are not."""
    for name in "ab":
        (tmp_path / f"{name}.fits").write_bytes(b"input " + name.encode())
    (tmp_path / "out").mkdir()
    return [(tmp_path / f"{name}.fits", tmp_path / "out" / f"{name}.fits") for name in "ab"]


def job(places, resume=True):
    return Finished(places[0][1].parent, ["*.fits"], "denoise", resume)


def do(finished, place):
    finished.begin([place])
    place[1].write_bytes(b"result")
    finished.add([place])


def test_what_one_job_withdraws_takes_no_note_of_another_away(places):
    one, other = job(places), job(places)
    one.begin([places[0]])
    do(other, places[1])
    one.withdraw()
    assert job(places).has(*places[1])
    places[0][1].write_bytes(b"of something else")
    assert not job(places).has(*places[0])


def test_what_is_withdrawn_can_be_done_later(places):
    first = job(places)
    first.begin([places[0]])
    first.withdraw()
    do(job(places), places[0])
    assert job(places).has(*places[0])


def test_nothing_is_left_where_everything_was_withdrawn(places):
    finished = job(places)
    finished.begin([places[0]])
    finished.withdraw()
    assert not list(places[0][1].parent.glob(f"{NAME}-*"))


def test_notes_that_another_job_removes_meanwhile_say_nothing(places, monkeypatch):
    """Between the look into the folder and into the file."""
    do(job(places), places[0])
    gone = places[0][1].parent / f"{NAME}-gone"
    true = Path.glob
    monkeypatch.setattr(Path, "glob", lambda *words: [*true(*words), gone])
    assert job(places).has(*places[0])
