"""The EC2 stand-in as a program, and the real clients that are held against it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("EC2_STAND_IN", ROOT / "target" / "debug" / "ec2-stand-in"))
# Beside the interpreter, where pip puts it; resolving links would leave the virtual environment.
AWS = Path(sys.executable).with_name("aws")
# For `invoke`, which starts and stops programs for `make invoke` as well.
sys.path.insert(0, str(ROOT / "dev"))
GREETING = "EC2 stand-in on "

# A proxy of the machine must not come between.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StandIn:
    """A running stand-in, and how to reach it."""

    def __init__(self, endpoint, ca_bundle=None):
        self.endpoint = endpoint
        self.ca_bundle = ca_bundle

    def client(self, key="AKIDEXAMPLE", region="us-east-1", retries=None, verify=None, **config):
        """A boto3 client that tries once, unless `retries` says otherwise."""
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
        """Runs `aws ec2 …`, and nothing of the caller's environment takes part."""
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

    def fault(self, action, *faults):
        self._control("POST", "faults", {"action": action, "faults": faults})

    def _control(self, method, resource, body=None):
        request = urllib.request.Request(
            f"{self.endpoint}/_control/{resource}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with _opener.open(request, timeout=10) as answer:
            return answer.read()


@contextlib.contextmanager
def running(*arguments):
    """The program, from its first line on. Its process and its endpoint."""
    if not PROGRAM.exists():
        pytest.exit(f"{PROGRAM} is missing: cargo build -p stand-ins", returncode=2)
    with subprocess.Popen(
        [PROGRAM, *arguments],
        env={},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # What a shell starts in the background ignores SIGINT, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            greeting = process.stdout.readline().strip()
            assert greeting.startswith(GREETING), greeting
            yield process, greeting.removeprefix(GREETING)
        finally:
            process.terminate()


@pytest.fixture(scope="session", autouse=True)
def no_configuration_of_the_machine():
    """boto3 runs in this process: nothing of the machine's AWS setup may reach it."""
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
def ec2_of_file(tmp_path):
    """A stand-in whose world comes from a file."""
    world = tmp_path / "world.json"
    world.write_text(json.dumps({"asns": [{"asn": "1", "ipam_id": "ipam-0a"}]}))
    with running("--world", str(world)) as (_, endpoint):
        yield StandIn(endpoint)


@pytest.fixture
def program():
    """The process of a stand-in that nothing else uses."""
    with running() as (process, _):
        yield process
