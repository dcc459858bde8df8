"""dev/check-advisories.sh, with programs in place of cargo-deny."""

import pathlib
import subprocess

SCRIPT = pathlib.Path(__file__).parents[2] / "dev/check-advisories.sh"


def run(folder, fetch, check):
    """Runs it with a cargo-deny whose two commands end with these exit codes."""
    program = folder / "cargo-deny"
    program.write_text(f'#!/bin/sh\necho "$@"\n[ "$1" = fetch ] && exit {fetch}\nexit {check}\n')
    program.chmod(0o755)
    return subprocess.run([SCRIPT, program], capture_output=True, text=True)


def test_an_unreachable_database_is_a_warning(tmp_path):
    done = run(tmp_path, fetch=1, check=1)

    assert done.returncode == 0
    assert "ADVISORIES WERE NOT CHECKED" in done.stderr
    assert "check" not in done.stdout


def test_an_advisory_fails_the_check(tmp_path):
    done = run(tmp_path, fetch=0, check=1)

    assert done.returncode == 1
    assert "check --disable-fetch advisories" in done.stdout


def test_without_findings_there_is_no_output(tmp_path):
    done = run(tmp_path, fetch=0, check=0)

    assert (done.returncode, done.stderr) == (0, "")
