"""The function under AWS's Runtime Interface Emulator, which enforces deadlines and writes Lambda's error JSON."""

import json
import os
import platform
import subprocess
import time
import urllib.request

import invoke
import pytest

from conftest import AWS, ROOT, running, StandIn

FUNCTION = ROOT / "target" / "debug" / "deprovision-ipam-byoasn"
REQUEST = {"IpamId": "ipam-0123456789abcdef0", "Asn": "64500"}
PENDING = {"Byoasn": {**REQUEST, "State": "pending-deprovision"}}
TIMEOUT = 4


def emulator():
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    [path] = (ROOT / ".venv" / "test").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}")
    return path


class Emulated:
    """The function under the emulator. Invocations must be sequential: concurrent ones crash the emulator."""

    def __init__(self, ec2, url, log):
        self.ec2 = ec2
        self.url = url
        self.log = log

    def invoke(self, event):
        event = event if isinstance(event, bytes) else json.dumps(event).encode()
        call = urllib.request.Request(
            f"{self.url}/2015-03-31/functions/function/invocations", event, method="POST"
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=60) as response:
            return json.load(response)


@pytest.fixture
def emulated(tmp_path):
    port, log = invoke.free_port(), tmp_path / "log"
    with running() as (_, endpoint), log.open("w") as output:
        command = [
            emulator(),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{invoke.free_port()}"),
            FUNCTION,
        ]
        environment = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT),
            "AWS_ENDPOINT_URL_EC2": endpoint,
        }
        with invoke.running(command, env=environment, stdout=output, stderr=output) as process:
            invoke.wait_until_listening(process, port)
            yield Emulated(StandIn(endpoint), f"http://127.0.0.1:{port}", log)


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
