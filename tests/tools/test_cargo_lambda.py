"""`make invoke`, and every sample event under `cargo lambda watch` and `cargo lambda invoke`."""

import json
import os
import subprocess
import sys

import invoke
import pytest

from conftest import ROOT

SAMPLES = sorted(path.relative_to(ROOT) for path in (ROOT / "events").rglob("*.json"))
PENDING = {"IpamId": "ipam-0123456789abcdef0", "State": "pending-deprovision"}


def run(*command):
    return subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=300)


def test_make_invoke_prints_only_the_response():
    done = run(sys.executable, "dev/scripts/invoke.py", "events/direct.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"Byoasn": {"Asn": "64500", **PENDING}}


def test_make_invoke_fails_with_error_and_log():
    done = run(sys.executable, "dev/scripts/invoke.py", "events/invalid/misspelt-dry-run.json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "InvalidEvent" in done.stderr and '"error_type":"InvalidEvent"' in done.stderr


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_sample_events_work_under_cargo_lambda(sample, tmp_path):
    with open(tmp_path / "log", "w") as log, invoke.function(log) as address:
        done = run("cargo", "lambda", "invoke", *address, "deprovision-ipam-byoasn", "--data-file", str(sample))
    if sample.parent.name == "invalid":
        assert done.returncode != 0 and "InvalidEvent" in done.stderr, done
        return
    assert done.returncode == 0, done.stderr
    response = json.loads(done.stdout)
    if sample.stem == "dry-run":
        assert response["DryRun"] is True and response["Asn"] == "64500"
    elif sample.stem == "describe-only":
        assert response["DescribeOnly"] is True
        assert response["Byoasns"] == [{"Asn": "64501", "IpamId": PENDING["IpamId"], "State": "provisioned"}]
        assert response["AsnAssociations"] == [
            {"Cidr": "203.0.113.0/24", "State": "associated", "ByoipCidrState": "advertised"}
        ]
    else:
        asn = "65546" if sample.stem == "asdot-asn" else "64500"
        assert response == {"Byoasn": {"Asn": asn, **PENDING}}
