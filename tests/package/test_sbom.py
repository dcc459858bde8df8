"""The SBOMs that `make sbom` writes to dist/."""

import json
import re
import subprocess

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from package import PACKAGE, ROOT, TARGETS


@pytest.fixture(scope="module", params=TARGETS)
def architecture(request):
    return request.param


@pytest.fixture(scope="module")
def text(architecture):
    [path] = (ROOT / "dist").glob(f"*-{architecture}.cdx.json")
    return path.read_text()


@pytest.fixture
def sbom(text):
    return json.loads(text)


def test_sbom_obeys_the_cyclonedx_schema(text):
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None


def test_sbom_lists_exactly_the_crates_of_the_function(sbom, architecture):
    command = ["cargo", "tree", "--locked", "--package", PACKAGE, "--edges", "normal,no-proc-macro"]
    command += ["--target", TARGETS[architecture], "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    linked = {re.match(r"(\S+) v(\S+)", line).groups() for line in tree.splitlines()}
    listed = [(crate["name"], crate["version"]) for crate in [sbom["metadata"]["component"], *sbom["components"]]]

    assert sorted(listed) == sorted(linked)


def test_no_sbom_is_left_outside_dist():
    command = ["git", "ls-files", "--others", "--exclude-standard", "*.cdx.json"]
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout == ""


def test_each_dependency_is_listed(sbom):
    listed = {crate["bom-ref"] for crate in [sbom["metadata"]["component"], *sbom["components"]]}

    assert {dependency["ref"] for dependency in sbom["dependencies"]} == listed
    assert {ref for dependency in sbom["dependencies"] for ref in dependency["dependsOn"]} <= listed


def test_sbom_has_no_path_of_the_building_machine(text):
    assert str(ROOT) not in text


def test_each_crate_has_a_hash_and_a_license(sbom):
    for component in sbom["components"]:
        assert component["purl"].startswith("pkg:cargo/"), component
        assert component["hashes"] and component["licenses"], component
