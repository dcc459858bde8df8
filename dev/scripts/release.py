"""Writes a release to dist/: `python release.py CARGO-CYCLONEDX`.

For each architecture that this machine can compile: the zip, its SHA-256, its SBOM and a SAM template that deploys it.
"""

import pathlib
import re
import shutil
import subprocess
import sys

from package import PACKAGE, ROOT, TARGETS, has_target

DEFINITION = "statemachine/retire-asn.asl.json"
# The other files that the template names. The Serverless Application Repository shows license and readme.
TEMPLATE_FILES = [DEFINITION, "LICENSE", "README.md"]
VERSIONS = {
    "Cargo.toml": r'^version = "(.+)"$',
    "template.yaml": r"^ +SemanticVersion: (\S+)$",
    "CHANGELOG.md": r"^## \[(\d\S*)\]",
}


def version(root):
    """The version, if all files that state it agree. The newest release in the changelog is its first."""
    found = {name: re.search(pattern, (root / name).read_text(), re.MULTILINE)[1] for name, pattern in VERSIONS.items()}
    if len(set(found.values())) > 1:
        sys.exit("The versions differ: " + ", ".join(f"{name} {value}" for name, value in found.items()))
    return found["Cargo.toml"]


def replace(text, old, new):
    if text.count(old) != 1:
        sys.exit(f"template.yaml must contain {old!r} exactly once")
    return text.replace(old, new)


def release_template(template, architecture, zip_name):
    """The template of the stack with the function's zip in place of its source."""
    text = replace(template, "      CodeUri: .\n", f"      CodeUri: {zip_name}\n")
    text = replace(text, "    Default: x86_64\n", f"    Default: {architecture}\n")
    text = replace(text, "    AllowedValues: [x86_64, arm64]\n", f"    AllowedValues: [{architecture}]\n")
    return replace(text, f"      DefinitionUri: {DEFINITION}\n", f"      DefinitionUri: {pathlib.Path(DEFINITION).name}\n")


def main():
    [cargo_cyclonedx] = sys.argv[1:]
    name = f"{PACKAGE}-{version(ROOT)}"
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    for architecture, target in TARGETS.items():
        if not has_target(target):
            print(f"release: no files for {architecture}: rustup target add {target}", file=sys.stderr)
            continue
        subprocess.run(["make", "package", f"ARCHITECTURE={architecture}"], cwd=ROOT, check=True)
        subprocess.run([sys.executable, ROOT / "dev/scripts/sbom.py", cargo_cyclonedx, architecture], cwd=ROOT, check=True)
        template = release_template((ROOT / "template.yaml").read_text(), architecture, f"{name}-{architecture}.zip")
        (dist / f"{name}-{architecture}.yaml").write_text(template)
    for source in TEMPLATE_FILES:
        shutil.copy(ROOT / source, dist)
    print("\n".join(sorted(path.relative_to(ROOT).as_posix() for path in dist.iterdir())))


if __name__ == "__main__":
    main()
