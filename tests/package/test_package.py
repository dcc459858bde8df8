"""dev/scripts/package.py."""

import hashlib
import os
import zipfile

from package import write_zip

BINARY = b"\x7fELF and more" * 1000


def test_same_binary_gives_the_same_zip(tmp_path, monkeypatch):
    first = write_zip(BINARY, tmp_path / "first" / "a.zip")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    umask = os.umask(0o077)
    try:
        second = write_zip(BINARY, tmp_path / "second" / "b.zip")
    finally:
        os.umask(umask)

    assert (tmp_path / "first" / "a.zip").read_bytes() == (tmp_path / "second" / "b.zip").read_bytes()
    assert first == second == hashlib.sha256((tmp_path / "first" / "a.zip").read_bytes()).hexdigest()


def test_another_binary_gives_another_zip(tmp_path):
    assert write_zip(BINARY, tmp_path / "a.zip") != write_zip(BINARY + b"!", tmp_path / "b.zip")


def test_zip_holds_only_an_executable_bootstrap(tmp_path):
    write_zip(BINARY, tmp_path / "a.zip")

    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        [entry] = archive.infolist()
        assert archive.read(entry) == BINARY
    assert entry.filename == "bootstrap"
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert entry.external_attr >> 16 == 0o100755
