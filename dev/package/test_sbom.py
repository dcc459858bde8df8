"""The SBOM of `make sbom`, as it lies in dist/."""

import json
import pathlib
import re
import subprocess

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sbom():
    [path] = (ROOT / "dist").glob("*.cdx.json")
    return path.read_text()


def test_it_obeys_the_schema_of_cyclonedx(sbom):
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(sbom) is None


def test_it_lists_the_crates_of_the_function_and_no_others(sbom):
    command = ["cargo", "tree", "--locked", "--package", "deprovision-ipam-byoasn", "--edges", "normal,no-proc-macro"]
    command += ["--target", "x86_64-unknown-linux-gnu", "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    shipped = {re.match(r"(\S+) v(\S+)", line).groups() for line in tree.splitlines()}
    listed = json.loads(sbom)
    listed = [(each["name"], each["version"]) for each in [listed["metadata"]["component"], *listed["components"]]]

    assert sorted(listed) == sorted(shipped)


def test_it_lies_in_dist_and_nowhere_else():
    command = ["git", "ls-files", "--others", "--exclude-standard", "*.cdx.json"]
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout == ""


def test_each_dependency_that_it_names_is_listed(sbom):
    sbom = json.loads(sbom)
    listed = {each["bom-ref"] for each in [sbom["metadata"]["component"], *sbom["components"]]}

    assert {each["ref"] for each in sbom["dependencies"]} == listed
    assert {other for each in sbom["dependencies"] for other in each["dependsOn"]} <= listed


def test_it_names_nothing_of_the_machine_that_wrote_it(sbom):
    assert str(ROOT) not in sbom


def test_it_gives_each_crate_of_the_registry_with_hash_and_licence(sbom):
    for component in json.loads(sbom)["components"]:
        assert component["purl"].startswith("pkg:cargo/"), component
        assert component["hashes"] and component["licenses"], component
