"""The authors' SST network: what is fetched is checked; nothing of it is run."""

from __future__ import annotations

import io
import tarfile

import pytest

from solardn.errors import InputError


def _sdist(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_another_file_is_refused(tmp_path):
    from export.authors import extract

    with pytest.raises(InputError, match="does not exist"):
        extract(tmp_path / "none.tar.gz", tmp_path)
    with pytest.raises(InputError, match="is not the source distribution"):
        extract(_sdist(tmp_path / "other.tar.gz", {"a": b"b"}), tmp_path)


@pytest.mark.slow
def test_pip_fetches_without_running_the_setup(tmp_path, monkeypatch):
    import hashlib

    from export import authors

    index = tmp_path / "index"
    index.mkdir()
    setup = f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch(); raise SystemExit('setup.py was run')"
    members = {f"ISPy-solar-{authors.VERSION}/setup.py": setup.encode(), authors.MEMBER: b"weights"}
    sdist = _sdist(index / f"ISPy-solar-{authors.VERSION}.tar.gz", members)
    monkeypatch.setattr(authors, "SDIST_SHA256", hashlib.sha256(sdist.read_bytes()).hexdigest())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    work = tmp_path / "work"
    work.mkdir()
    assert authors.extract(authors.fetch(work), work).read_bytes() == b"weights"
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_what_pip_says_is_passed_on(tmp_path, monkeypatch):
    from export import authors

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    with pytest.raises(
        InputError, match=r"pip could not fetch ISPy-solar 0\.2\.3 \(.+\); check the network, or .* --sdist"
    ):
        authors.fetch(tmp_path)
