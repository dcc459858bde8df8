"""The function under AWS's Runtime Interface Emulator, which enforces deadlines and writes Lambda's error JSON."""

import json
import os
import subprocess
import time

from conftest import AWS, ROOT
from emulator import PENDING, REQUEST, TIMEOUT


def test_deprovision_repeat_and_invalid_event(emulated):
    assert emulated.invoke(REQUEST) == PENDING
    assert emulated.invoke(REQUEST) == PENDING
    error = emulated.invoke({**REQUEST, "dryRun": True})
    assert error["errorType"] == "InvalidEvent"
    assert "`DryRun`" in error["errorMessage"]
    assert [call["action"] for call in emulated.ec2.calls()] == [
        "DeprovisionIpamByoasn",
        "DeprovisionIpamByoasn",
        "DescribeIpamByoasn",
    ]


def test_hanging_ec2_call_is_ec2_timeout_before_the_deadline(emulated):
    emulated.ec2.queue_faults("DeprovisionIpamByoasn", {"kind": "hang", "after_effect": True})
    started = time.monotonic()
    error = emulated.invoke(REQUEST)
    assert time.monotonic() - started < TIMEOUT
    assert error["errorType"] == "Ec2Timeout"
    assert "outcome is unknown" in error["errorMessage"]
    assert emulated.invoke(REQUEST) == PENDING, "calling again works in the same process"
    assert "Task timed out" not in emulated.log.read_text()


def test_documented_aws_cli_command_works(emulated, tmp_path):
    reference = (ROOT / "docs/reference.md").read_text()
    command = "aws lambda invoke --function-name deprovision-ipam-byoasn"
    assert command in reference
    payload = next(line for line in reference.splitlines() if "--payload file://events/" in line).split("--payload ")[1]
    output = tmp_path / "response.json"
    done = subprocess.run(
        # The CLI on PyPI is version 1. It has no --cli-binary-format, and reads the file like version 2 with that option.
        [AWS, "lambda", "invoke", "--function-name", "function", "--payload", payload.split()[0]]
        + ["--endpoint-url", emulated.url, output],
        cwd=ROOT,
        env={
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PATH": os.defpath,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(output.read_text())["DryRun"] is True
