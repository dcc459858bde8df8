"""Runs the EC2 stand-in as a program, with boto3 and the AWS CLI as clients."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import emulator
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("EC2_STAND_IN", ROOT / "target" / "debug" / "ec2-stand-in"))
# pip installs it next to the interpreter. Do not resolve links: that would leave the virtual environment.
AWS = Path(sys.executable).with_name("aws")
FIRST_LINE_PREFIX = "EC2 stand-in on "

# Ignores the machine's proxy settings.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StandIn:
    """A running stand-in and its clients."""

    def __init__(self, endpoint, ca_bundle=None):
        self.endpoint = endpoint
        self.ca_bundle = ca_bundle

    def client(self, key="AKIDEXAMPLE", region="us-east-1", retries=None, verify=None, **config):
        """A boto3 client. Without `retries` it makes one attempt."""
        return boto3.session.Session(key, "secret", region_name=region).client(
            "ec2",
            endpoint_url=self.endpoint,
            verify=verify or self.ca_bundle,
            config=Config(
                retries=retries or {"total_max_attempts": 1, "mode": "standard"},
                proxies={},
                **config,
            ),
        )

    def aws(self, *arguments, key="AKIDEXAMPLE"):
        """Runs `aws ec2 …` without the caller's environment."""
        environment = {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_EC2": self.endpoint,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PATH": os.defpath,
        }
        if self.ca_bundle:
            environment["AWS_CA_BUNDLE"] = self.ca_bundle
        return subprocess.run(
            [sys.executable, AWS, "ec2", *arguments, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self):
        return json.loads(self._control("GET", "calls"))

    def set_world(self, **world):
        self._control("PUT", "world", world)

    def queue_faults(self, action, *faults):
        self._control("POST", "faults", {"action": action, "faults": faults})

    def _control(self, method, resource, body=None):
        request = urllib.request.Request(
            f"{self.endpoint}/_control/{resource}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with _opener.open(request, timeout=10) as response:
            return response.read()


@contextlib.contextmanager
def running(*arguments):
    """Runs the program. Yields its process and its endpoint."""
    if not PROGRAM.exists():
        pytest.exit(f"{PROGRAM} is missing: cargo build -p stand-ins", returncode=2)
    with subprocess.Popen(
        [PROGRAM, *arguments],
        env={},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Background processes of a shell ignore SIGINT, and their children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            first_line = process.stdout.readline().strip()
            assert first_line.startswith(FIRST_LINE_PREFIX), first_line
            yield process, first_line.removeprefix(FIRST_LINE_PREFIX)
        finally:
            process.terminate()


@pytest.fixture(scope="session", autouse=True)
def without_aws_configuration():
    """Hides the machine's AWS configuration and proxies from boto3, which runs in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def http_stand_in():
    with running() as (_, endpoint):
        yield StandIn(endpoint)


@pytest.fixture
def ec2(http_stand_in):
    """The stand-in over HTTP, with the default world."""
    http_stand_in.set_world()
    return http_stand_in


@pytest.fixture
def tls_ec2(tmp_path):
    """A stand-in over HTTPS."""
    with running("--tls", str(tmp_path)) as (_, endpoint):
        yield StandIn(endpoint, ca_bundle=str(tmp_path / "ca.pem"))


@pytest.fixture
def ec2_from_file(tmp_path):
    """A stand-in with a world from a file."""
    world = tmp_path / "world.json"
    world.write_text(json.dumps({"asns": [{"asn": "1", "ipam_id": "ipam-0a"}]}))
    with running("--world", str(world)) as (_, endpoint):
        yield StandIn(endpoint)


@pytest.fixture
def program():
    """The process of a stand-in that no other test uses."""
    with running() as (process, _):
        yield process


@pytest.fixture
def emulated(tmp_path):
    """The function under AWS's emulator, with a stand-in that no other test uses."""
    with running() as (_, endpoint), emulator.running(endpoint, tmp_path / "log", StandIn(endpoint)) as function:
        yield function
