"""The README's commands and its state machine snippet, run as they stand against the deployed stack."""

import json
import os
import re
import subprocess

import pytest

from conftest import ACCOUNT, ROOT
from processes import wait_until
from world import IPAM, asn

README = (ROOT / "README.md").read_text()
PENDING = {"Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision"}


def block(language, marker):
    """The one block of code that has the marker in it."""
    [found] = [code for code in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if marker in code]
    return found


@pytest.fixture
def shell(local_aws, stack, tmp_path):
    def run(commands, **variables):
        # The CLI of PyPI is version 1, which reads files without being told how.
        commands = commands.replace("--cli-binary-format raw-in-base64-out", "")
        commands = commands.replace("deprovision-ipam-byoasn", stack.name).replace("response.json", f"{tmp_path}/response.json")
        path = f"{ROOT}/.venv/test/bin:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euc", commands], cwd=ROOT, env={**local_aws, **variables, "PATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_three_ways_to_call_it_by_hand_in_aws(ec2, shell, tmp_path):
    ec2.is_world(asns=[asn()])

    shown = shell(block("sh", "--remote"))

    dry_run = {"Asn": "64500", "DryRun": True, "IpamId": IPAM, "Message": "Request would have succeeded, but DryRun flag is set."}
    assert shown.count('"DryRun"') == 2, "cargo lambda and sam print the answer"
    assert json.loads((tmp_path / "response.json").read_text()) == dry_run
    assert [call["params"]["DryRun"] for call in ec2.calls()] == ["true"] * 3


def test_the_event_that_is_put_on_the_bus(ec2, shell):
    ec2.is_world(asns=[asn()])

    shell(block("sh", "put-events"))

    wait_until(ec2.actions, "the function's call")
    assert ec2.actions() == ["DeprovisionIpamByoasn"]


def test_the_execution_that_is_started(ec2, shell, stack, client):
    ec2.is_world(asns=[asn()])

    started = json.loads(shell(block("sh", "start-execution"), WORKFLOW_ARN=stack.WorkflowArn))

    states = client("stepfunctions")
    wait_until(lambda: states.describe_execution(executionArn=started["executionArn"])["status"] == "SUCCEEDED", "success")


@pytest.fixture
def own_workflow(client, stack):
    """A state machine around the README's task."""
    task = json.loads(block("json", '"Retry"'))
    task["Arguments"]["FunctionName"] = stack.FunctionName
    definition = {
        "StartAt": "Deprovision",
        "States": {"Deprovision": task, "Done": {"Type": "Succeed"}, "Disassociate first": {"Type": "Fail", "Error": "Caught"}},
    }
    states = client("stepfunctions")
    arn = states.create_state_machine(
        name="own", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/own"
    )["stateMachineArn"]

    def execute(request):
        execution = states.start_execution(stateMachineArn=arn, input=json.dumps(request))["executionArn"]
        described = lambda: states.describe_execution(executionArn=execution)  # noqa: E731
        return wait_until(lambda: (ended := described())["status"] != "RUNNING" and ended, "the execution's end")

    yield execute
    states.delete_state_machine(stateMachineArn=arn)


def test_the_task_for_ones_own_state_machine_retries_and_catches(ec2, own_workflow):
    request = {"IpamId": IPAM, "Asn": "64500"}

    ec2.is_world(asns=[asn()])
    # Three throttles use up the function's own attempts; what follows is the task's Retry.
    ec2.fails("DeprovisionIpamByoasn", *["throttle"] * 3)
    ended = own_workflow(request)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == PENDING
    assert len(ec2.actions()) == 4

    ec2.is_world(asns=[asn()], cidrs=[{"cidr": "203.0.113.0/24", "associations": [{"asn": "64500"}]}])
    assert own_workflow(request)["error"] == "Caught"
