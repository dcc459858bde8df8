"""dev/scripts/release.py, and the commands of the release workflow."""

import os
import re
import subprocess

import pytest
import release
import yaml
from package import ROOT, TARGETS


@pytest.fixture
def root(tmp_path):
    """A folder with the files that state the version."""
    for name in release.VERSIONS:
        (tmp_path / name).write_text((ROOT / name).read_text())
    return tmp_path


def test_versions_of_this_project_agree(root):
    assert release.version(root)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("Cargo.toml", 'version = "', 'version = "9'),
        ("template.yaml", "SemanticVersion: ", "SemanticVersion: 9"),
        ("CHANGELOG.md", "## [Unreleased]", "## [9.0.0]"),
    ],
)
def test_version_that_differs_is_named(root, name, old, new):
    text = (root / name).read_text()
    (root / name).write_text(text.replace(old, new, 1))

    with pytest.raises(SystemExit, match=f"The versions differ: .*{name} 9"):
        release.version(root)


@pytest.mark.parametrize("architecture", TARGETS)
def test_release_template_deploys_the_zip(architecture):
    lines = release.release_template((ROOT / "template.yaml").read_text(), architecture, "function.zip").splitlines()

    assert "      CodeUri: function.zip" in lines
    assert f"    AllowedValues: [{architecture}]" in lines
    assert "      DefinitionUri: retire-asn.asl.json" in lines


def test_template_without_the_expected_line_is_an_error():
    with pytest.raises(SystemExit, match="CodeUri"):
        release.release_template("Resources: {}\n", "x86_64", "function.zip")


def test_every_local_file_of_the_template_is_part_of_a_release():
    template = release.release_template((ROOT / "template.yaml").read_text(), "x86_64", "function.zip")
    named = re.findall(r"^ *(?:DefinitionUri|LicenseUrl|ReadmeUrl): (.+)$", template, re.MULTILINE)

    assert set(named) == {path.rsplit("/", 1)[-1] for path in release.TEMPLATE_FILES}
    assert all((ROOT / path).is_file() for path in release.TEMPLATE_FILES)


def test_release_workflow_publishes_the_files_of_both_architectures(tmp_path):
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    [script] = [step["run"] for step in workflow["jobs"]["publish"]["steps"] if step.get("name") == "Create the release"]
    for runner, architecture in (("ubuntu-24.04", "x86_64"), ("ubuntu-24.04-arm", "arm64")):
        folder = tmp_path / "dist" / f"dist-{runner}"
        folder.mkdir(parents=True)
        for name in ("LICENSE", "README.md", "retire-asn.asl.json", f"function-{architecture}.zip"):
            (folder / name).write_text(name)
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    gh.chmod(0o755)

    environment = {"PATH": f"{tmp_path}:{os.defpath}", "GITHUB_REF_NAME": "v0.1.0"}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    names = ["LICENSE", "README.md", "function-arm64.zip", "function-x86_64.zip", "retire-asn.asl.json"]
    assert done.stdout.splitlines()[:3] == ["release", "create", "v0.1.0"]
    assert sorted(done.stdout.splitlines()[-len(names):]) == [f"release/{name}" for name in names]
