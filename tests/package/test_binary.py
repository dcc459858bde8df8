"""The binaries in the zips that `make package` writes."""

import os
import pathlib
import re
import subprocess
import zipfile

import pytest
from package import PACKAGE, ROOT, metadata

LAMBDA_GLIBC = (2, 34)  # of Amazon Linux 2023
ZIPS = sorted((ROOT / "dist").glob(f"{PACKAGE}-{metadata()[1]}-*.zip"))


@pytest.fixture(scope="module", params=ZIPS, ids=[path.name for path in ZIPS])
def binary(request):
    with zipfile.ZipFile(request.param) as archive:
        return archive.read("bootstrap")


def test_there_is_a_zip():
    assert ZIPS


def test_binary_has_no_path_of_the_building_machine(binary):
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True).stdout.strip()
    cargo_home = os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo")
    for path in (ROOT, pathlib.Path.home(), cargo_home, sysroot):
        assert re.findall(re.escape(os.fsencode(path)) + rb"/[ -~]*", binary) == []


def test_binary_needs_no_newer_glibc_than_lambda_has(binary):
    needed = {tuple(map(int, version.split(b"."))) for version in re.findall(rb"GLIBC_([0-9.]+)\0", binary)}

    assert (2, 2, 5) in needed or (2, 17) in needed, "the oldest of x86_64 and of arm64"
    assert max(needed) <= LAMBDA_GLIBC
