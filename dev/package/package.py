"""Makes the zip that Terraform, CDK and the console take: `python dev/package/package.py`, with cargo-lambda on the PATH.

Two builds of the same source with the same tools give the same bytes: the zip holds one file with a fixed time and mode.
"""

import hashlib
import json
import pathlib
import subprocess
import zipfile

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = "deprovision-ipam-byoasn"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can name


def build():
    """Compiles as `sam build` does, so that whichever comes second finds the work done."""
    subprocess.run(["cargo", "lambda", "build", "--release", "--bin", PACKAGE], cwd=ROOT, check=True)


def metadata():
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    found = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    [version] = [package["version"] for package in found["packages"] if package["name"] == PACKAGE]
    return pathlib.Path(found["target_directory"]), version


def write_zip(binary, path):
    """Writes the binary as `bootstrap`, and returns the zip's SHA-256."""
    entry = zipfile.ZipInfo("bootstrap", EARLIEST)
    entry.create_system = 3  # Unix, on whatever system: Lambda needs the executable bit
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, binary, compresslevel=9)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    build()
    target, version = metadata()
    path = ROOT / "dist" / f"{PACKAGE}-{version}-x86_64.zip"
    digest = write_zip((target / "lambda" / PACKAGE / "bootstrap").read_bytes(), path)
    path.with_name(path.name + ".sha256").write_text(f"{digest}  {path.name}\n")
    print(f"{digest}  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
