"""Writes the SBOM of the function (CycloneDX) to dist/: `python sbom.py CARGO-CYCLONEDX x86_64` or `arm64`.

It lists the crates that are linked into the function, without those of the build and of the tests.
"""

import json
import pathlib
import subprocess
import sys

from package import PACKAGE, ROOT, TARGETS

NAME = "sbom.cdx"


def generate(program, target):
    """cargo-cyclonedx writes an SBOM beside each manifest of the workspace; returns the function's."""
    options = ["--all", "--no-build-deps", "--target", target, "--format", "json", "--spec-version", "1.5"]
    # cargo-cyclonedx has no --locked and would renew an outdated Cargo.lock.
    metadata = ["cargo", "metadata", "--locked", "--format-version", "1"]
    workspace = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout)
    members = [package for package in workspace["packages"] if package["id"] in workspace["workspace_members"]]
    written = [pathlib.Path(package["manifest_path"]).with_name(f"{NAME}.json") for package in members]
    try:
        subprocess.run([program, "cyclonedx", *options, "--override-filename", NAME], cwd=ROOT, check=True)
        return (ROOT / f"{NAME}.json").read_text()
    finally:
        for path in written:
            path.unlink(missing_ok=True)


def linked_crates(target):
    """Name and version of each crate in the function. cargo-cyclonedx also lists macros and disabled optional crates."""
    command = ["cargo", "tree", "--locked", "--package", PACKAGE, "--edges", "normal,no-proc-macro", "--target", target]
    tree = subprocess.run([*command, "--prefix", "none", "--format", "{p}"], cwd=ROOT, check=True, capture_output=True, text=True)
    return {tuple(line.split()[:2]) for line in tree.stdout.splitlines()}


def keep_only(sbom, crates):
    kept = [component for component in sbom["components"] if (component["name"], f"v{component['version']}") in crates]
    references = {component["bom-ref"] for component in [sbom["metadata"]["component"], *kept]}
    dependencies = [dependency for dependency in sbom["dependencies"] if dependency["ref"] in references]
    for dependency in dependencies:
        dependency["dependsOn"] = [ref for ref in dependency.get("dependsOn", []) if ref in references]
    return sbom | {"components": kept, "dependencies": dependencies}


def reproducible(text):
    """Removes the paths of this machine, the time and the random number."""
    sbom = json.loads(text.replace(f"path+file://{ROOT}", "path+file://"))
    del sbom["serialNumber"], sbom["metadata"]["timestamp"]
    return sbom


def main():
    program, architecture = sys.argv[1:]
    target = TARGETS[architecture]
    sbom = keep_only(reproducible(generate(program, target)), linked_crates(target))
    version = sbom["metadata"]["component"]["version"]
    path = ROOT / "dist" / f"{PACKAGE}-{version}-{architecture}.cdx.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(sbom, indent=2) + "\n")
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
