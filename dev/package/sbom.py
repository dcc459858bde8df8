"""Writes the CycloneDX list of what the shipped function is made of to dist/: `python dev/package/sbom.py CARGO-CYCLONEDX`.

Crates that only run while compiling, and those of the tests, are not in the function and not in the list.
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = "deprovision-ipam-byoasn"
TARGET = "x86_64-unknown-linux-gnu"
NAME = "sbom.cdx"


def generate(program):
    """One list beside each manifest of the workspace is what the program writes; the function's is kept."""
    options = ["--all", "--no-build-deps", "--target", TARGET, "--format", "json", "--spec-version", "1.5"]
    command = [program, "cyclonedx", *options, "--override-filename", NAME]
    # It has no --locked of its own, and would write an outdated Cargo.lock anew.
    metadata = ["cargo", "metadata", "--locked", "--format-version", "1"]
    workspace = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout)
    members = [each for each in workspace["packages"] if each["id"] in workspace["workspace_members"]]
    written = [pathlib.Path(each["manifest_path"]).with_name(f"{NAME}.json") for each in members]
    try:
        subprocess.run(command, cwd=ROOT, check=True)
        return (ROOT / f"{NAME}.json").read_text()
    finally:
        for path in written:
            path.unlink(missing_ok=True)


def shipped():
    """Name and version of each crate in the function. cargo-cyclonedx lists macros too, and optional crates that are off."""
    command = ["cargo", "tree", "--locked", "--package", PACKAGE, "--edges", "normal,no-proc-macro", "--target", TARGET]
    tree = subprocess.run([*command, "--prefix", "none", "--format", "{p}"], cwd=ROOT, check=True, capture_output=True, text=True)
    return {tuple(line.split()[:2]) for line in tree.stdout.splitlines()}


def without_others(sbom, crates):
    kept = [each for each in sbom["components"] if (each["name"], f"v{each['version']}") in crates]
    references = {each["bom-ref"] for each in [sbom["metadata"]["component"], *kept]}
    dependencies = [each for each in sbom["dependencies"] if each["ref"] in references]
    for each in dependencies:
        each["dependsOn"] = [other for other in each.get("dependsOn", []) if other in references]
    return sbom | {"components": kept, "dependencies": dependencies}


def portable(text):
    """The SBOM without what differs between two runs on the same source: this machine's paths, a time, a random number."""
    sbom = json.loads(text.replace(f"path+file://{ROOT}", "path+file://"))
    del sbom["serialNumber"], sbom["metadata"]["timestamp"]
    return sbom


def main():
    [program] = sys.argv[1:]
    sbom = without_others(portable(generate(program)), shipped())
    version = sbom["metadata"]["component"]["version"]
    path = ROOT / "dist" / f"{PACKAGE}-{version}-x86_64.cdx.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(sbom, indent=2) + "\n")
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
