"""Builds the stack and deploys it with sam onto a local AWS, once per test run."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import types

import boto3
import pytest
from package import HOST_ARCHITECTURE

from processes import free_port, running, wait_until
from world import StandIn

ROOT = pathlib.Path(__file__).parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"
SOURCE = "com.example.network"
TOOLS = ("PATH", "HOME", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTUP_HOME")


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    """A folder for everything that the servers write. It is removed at the end of the run."""
    folder = tmp_path_factory.mktemp("local-aws")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def clean_env(scratch):
    """The variables that the tools need. No profile, proxy or endpoint of the user reaches them."""
    return {name: os.environ[name] for name in TOOLS if name in os.environ} | {
        "TMPDIR": str(scratch),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
    }


@pytest.fixture(scope="session")
def ec2_server(scratch, clean_env):
    program = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "ec2-stand-in"
    port = free_port()
    with running([program, "--port", str(port)], port, scratch / "ec2.log", clean_env):
        yield StandIn(port)


@pytest.fixture
def ec2(ec2_server):
    ec2_server.set_world()
    return ec2_server


@pytest.fixture(scope="session")
def local_aws(scratch, clean_env, ec2_server):
    """The environment of AWS clients that talk to MiniStack."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    env = clean_env | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "STATE_DIR": str(scratch / "state"),
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1",
        "SFN_WAIT_SCALE": "0",
        # The deployed function inherits this: MiniStack cannot set the EC2 endpoint of a single function.
        "AWS_ENDPOINT_URL_EC2": ec2_server.url,
    }
    launcher = pathlib.Path(__file__).with_name("launcher.py")
    with running([sys.executable, launcher], port, scratch / "ministack.log", env):
        yield clean_env | {"AWS_ENDPOINT_URL": endpoint}


@pytest.fixture(scope="session")
def client(local_aws):
    def create(service):
        return boto3.client(
            service,
            endpoint_url=local_aws["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    return create


@pytest.fixture(scope="session")
def sam(local_aws):
    def run(*arguments):
        done = subprocess.run(["sam", *arguments], cwd=ROOT, env=local_aws, capture_output=True, text=True)
        assert done.returncode == 0, f"sam {arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def build(sam):
    # The local AWS runs the function on this machine.
    sam("build", "--parameter-overrides", f"Architecture={HOST_ARCHITECTURE}")


@pytest.fixture(scope="session")
def deploy(build, sam, client):
    """Deploys the build under a name with parameters, and returns the stack's outputs."""

    def run(name, **parameters):
        overrides = [f"{key}={value}" for key, value in parameters.items()]
        sam("deploy", "--stack-name", name, "--no-confirm-changeset", "--region", REGION, "--parameter-overrides", *overrides)
        stack = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    return run


@pytest.fixture(scope="session")
def stack(deploy, sam):
    """The stack with the event trigger and with the permission to disassociate."""
    name = "everything"
    outputs = deploy(name, IpamId="*", EventSource=SOURCE, WorkflowMayDisassociate="true")
    yield types.SimpleNamespace(name=name, **outputs)
    sam("delete", "--stack-name", name, "--no-prompts", "--region", REGION)


@pytest.fixture(scope="session")
def invoke(client, stack):
    """Invokes the function, and returns its payload and Lambda's FunctionError."""

    def call(event):
        response = client("lambda").invoke(FunctionName=stack.FunctionName, Payload=json.dumps(event))
        return json.load(response["Payload"]), response.get("FunctionError")

    return call


@pytest.fixture(scope="session")
def retire(client, stack):
    """Runs the workflow to its end."""
    states = client("stepfunctions")

    def execute(request):
        arn = states.start_execution(stateMachineArn=stack.WorkflowArn, input=json.dumps(request))["executionArn"]

        def ended():
            execution = states.describe_execution(executionArn=arn)
            return execution["status"] != "RUNNING" and execution

        return Execution(wait_until(ended, "the execution's end"))

    return execute


class Execution:
    def __init__(self, description):
        self.arn = description["executionArn"]
        self.status = description["status"]
        self.output = json.loads(description.get("output", "null"))
        self.error = description.get("error")
        self.cause = description.get("cause")
