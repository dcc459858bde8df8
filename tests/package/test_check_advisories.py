"""dev/scripts/check-advisories.sh, with a script in place of cargo-deny."""

import pathlib
import subprocess

SCRIPT = pathlib.Path(__file__).parents[2] / "dev/scripts/check-advisories.sh"


def run(folder, fetch, check):
    """Runs the script with a cargo-deny whose `fetch` and `check` end with these exit codes."""
    program = folder / "cargo-deny"
    program.write_text(f'#!/bin/sh\necho "$@"\n[ "$1" = fetch ] && exit {fetch}\nexit {check}\n')
    program.chmod(0o755)
    return subprocess.run([SCRIPT, program], capture_output=True, text=True)


def test_unreachable_database_is_a_warning(tmp_path):
    done = run(tmp_path, fetch=1, check=1)

    assert done.returncode == 0
    assert "ADVISORIES WERE NOT CHECKED" in done.stderr
    assert "check" not in done.stdout


def test_advisory_fails(tmp_path):
    done = run(tmp_path, fetch=0, check=1)

    assert done.returncode == 1
    assert "check --disable-fetch advisories" in done.stdout


def test_no_advisory_passes_without_output(tmp_path):
    done = run(tmp_path, fetch=0, check=0)

    assert (done.returncode, done.stderr) == (0, "")
