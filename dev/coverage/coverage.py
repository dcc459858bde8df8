"""Which lines and branches of src/ the tests reach, in child processes too: `python dev/coverage/coverage.py`.

Wants LLVM 19 or later: `rustup component add llvm-tools`, or the package of the system.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
PROFILES = ROOT / "target/coverage"


def llvm(name):
    """The program of the Rust toolchain, or else the newest of the system."""
    libraries = subprocess.run(["rustc", "--print", "target-libdir"], check=True, capture_output=True, text=True).stdout
    beside = pathlib.Path(libraries.strip()).parent / "bin"
    names = [str(beside / name), *(f"{name}-{version}" for version in range(30, 18, -1))]
    found = next(filter(None, map(shutil.which, names)), None)
    return found or sys.exit(f"{name} is missing: rustup component add llvm-tools")


def programs(environment):
    """Builds the tests; every program that they are, or start."""
    command = ["cargo", "test", "--locked", "--package", "deprovision-ipam-byoasn", "--no-run", "--message-format", "json"]
    built = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = map(json.loads, built.splitlines())
    return [message["executable"] for message in messages if message.get("executable")]


def missed(lcov):
    """Prints each line that no instantiation reached."""
    source = None
    for record in lcov.splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            source = pathlib.Path(value).relative_to(ROOT)
        elif kind == "DA" and value.endswith(",0"):
            print(f"not reached: {source}:{value.split(',')[0]}")


def main():
    profdata, cov = llvm("llvm-profdata"), llvm("llvm-cov")
    shutil.rmtree(PROFILES, ignore_errors=True)
    PROFILES.mkdir(parents=True)
    environment = os.environ | {
        "RUSTC_WORKSPACE_WRAPPER": str(ROOT / "dev/coverage/rustc"),
        "LLVM_PROFILE_FILE": str(PROFILES / "%m-%p-%c.profraw"),
    }
    executables = programs(environment)
    for test in [each for each in executables if pathlib.Path(each).parent.name == "deps"]:
        subprocess.run([test, "--quiet", "--test-threads", "16"], cwd=ROOT, env=environment, check=True)
    merged = PROFILES / "all.profdata"
    subprocess.run([profdata, "merge", "--sparse", "-o", merged, *PROFILES.glob("*.profraw")], check=True)
    first, *others = executables
    shared = [first, *(f"--object={each}" for each in others), f"--instr-profile={merged}", "--sources"]
    sources = sorted(ROOT.glob("src/*.rs"))
    subprocess.run([cov, "report", "--show-branch-summary", *shared, *sources], check=True)
    exported = [cov, "export", "--format=lcov", *shared, *sources]
    missed(subprocess.run(exported, check=True, capture_output=True, text=True).stdout)
    html = [cov, "show", "--format", "html", "--show-branches", "count", "--output-dir", PROFILES / "html"]
    subprocess.run([*html, *shared, *sources], check=True, stdout=subprocess.DEVNULL)
    print(f"line by line: {(PROFILES / 'html/index.html').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
