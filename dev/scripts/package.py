"""Writes the zip that Lambda takes to dist/: `python package.py x86_64` or `arm64`, with cargo-lambda on the PATH.

The zip holds one file with a fixed time and mode, so that the same binary always gives the same bytes.
"""

import hashlib
import json
import pathlib
import platform
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = "deprovision-ipam-byoasn"
TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
HOST_ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can name


def metadata():
    """The target folder and the version of the function."""
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    output = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    [version] = [package["version"] for package in output["packages"] if package["name"] == PACKAGE]
    return pathlib.Path(output["target_directory"]), version


def has_target(target):
    """Whether the Rust toolchain has the standard library of the target."""
    command = ["rustc", "--print", "target-libdir", "--target", target]
    return pathlib.Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()).exists()


def build(architecture):
    """Compiles as `sam build` does, so that the second of the two has nothing to compile."""
    target = TARGETS[architecture]
    if not has_target(target):
        sys.exit(f"The Rust toolchain cannot compile for {architecture}: rustup target add {target}")
    arm64 = ["--arm64"] if architecture == "arm64" else []
    subprocess.run(["cargo", "lambda", "build", "--release", "--bin", PACKAGE, *arm64], cwd=ROOT, check=True)


def write_zip(binary, path):
    """Writes the binary as `bootstrap` and returns the SHA-256 of the zip."""
    entry = zipfile.ZipInfo("bootstrap", EARLIEST)
    entry.create_system = 3  # Unix on every system: Lambda needs the executable bit
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, binary, compresslevel=9)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main():
    [architecture] = sys.argv[1:]
    build(architecture)
    target, version = metadata()
    path = ROOT / "dist" / f"{PACKAGE}-{version}-{architecture}.zip"
    digest = write_zip((target / "lambda" / PACKAGE / "bootstrap").read_bytes(), path)
    path.with_name(path.name + ".sha256").write_text(f"{digest}  {path.name}\n")
    print(f"{digest}  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
