"""The workflow's definition: it is valid, limited in time, and retries transient errors only."""

import json
import subprocess

import pytest

from rendered import ROOT, state_machine, template

FUNCTION_TASKS = ["CheckPermission", "Deprovision", "Describe"]


def states():
    outer = state_machine()["States"]
    return outer | outer["DisassociateAll"]["ItemProcessor"]["States"]


def tasks():
    return {name: state for name, state in states().items() if state["Type"] == "Task"}


def test_asl_validator_accepts_it(tmp_path):
    definition = tmp_path / "retire-asn.asl.json"
    definition.write_text(json.dumps(state_machine()))
    validator = ROOT / "dev" / "node_modules" / ".bin" / "asl-validator"

    done = subprocess.run([validator, "--json-path", definition], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_only_ec2_call_is_the_disassociation():
    assert {name: state["Resource"].removeprefix("arn:aws:states:::") for name, state in tasks().items()} == {
        "CheckPermission": "lambda:invoke",
        "Describe": "lambda:invoke",
        "Deprovision": "lambda:invoke",
        "DisassociateCidr": "aws-sdk:ec2:disassociateIpamByoasn",
    }


def test_every_task_has_a_time_limit():
    assert {state["TimeoutSeconds"] for state in tasks().values()} == {60}


def test_the_time_limit_of_an_execution_is_longer_than_all_polls():
    describe = states()["Describe"]
    [retrier] = describe["Retry"]
    pauses = sum(min(2 * 2**attempt, retrier["MaxDelaySeconds"]) for attempt in range(retrier["MaxAttempts"]))
    longest_wait = 120
    longest = describe["TimeoutSeconds"] * (retrier["MaxAttempts"] + 1) + pauses + longest_wait

    assert state_machine()["TimeoutSeconds"] > states()["CheckInput"]["Assign"]["reportLimit"] * longest


def test_no_ending_has_a_name_of_step_functions():
    errors = {state["Error"] for state in states().values() if state["Type"] == "Fail"}

    assert errors == {
        "AsnNotProvisioned",
        "AsnStillAssociated",
        "DeprovisionFailed",
        "DeprovisionUnconfirmed",
        "Ec2Timeout",
        "InvalidEvent",
        "ReportTooLarge",
    }


@pytest.mark.parametrize("name", FUNCTION_TASKS)
def test_no_error_of_the_function_is_renamed(name):
    caught = [error for catcher in states()[name]["Catch"] for error in catcher["ErrorEquals"]]

    assert set(caught) <= {"States.Timeout", "States.DataLimitExceeded"}
    assert "States.Timeout" in caught


@pytest.mark.parametrize("name", sorted(tasks()))
def test_every_retry_backs_off_with_jitter_and_a_ceiling(name):
    [retrier] = tasks()[name]["Retry"]

    assert retrier["BackoffRate"] == 2
    assert retrier["JitterStrategy"] == "FULL"
    assert retrier["MaxDelaySeconds"] == 60
    assert 1 <= retrier["MaxAttempts"] <= 6


@pytest.mark.parametrize("name", FUNCTION_TASKS)
def test_no_permanent_error_of_the_function_is_retried(name):
    permanent = {
        "InvalidEvent",
        "AsnStillAssociated",
        "DeprovisionFailed",
        "DryRunNotHonored",
        "CredentialsUnavailable",
        "UnauthorizedOperation",
        "InvalidIpamId.NotFound",
        "States.ALL",
        "States.TaskFailed",
    }
    [retrier] = tasks()[name]["Retry"]

    assert permanent.isdisjoint(retrier["ErrorEquals"])


@pytest.mark.parametrize("name", FUNCTION_TASKS)
def test_transient_errors_of_lambda_and_ec2_are_retried(name):
    [retrier] = tasks()[name]["Retry"]

    assert {
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "Runtime.ExitError",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Ec2Timeout",
        "Ec2Unreachable",
    } <= set(retrier["ErrorEquals"])


def test_retries_of_the_disassociation_name_no_ec2_error():
    [retrier] = tasks()["DisassociateCidr"]["Retry"]

    assert retrier["ErrorEquals"] == ["States.TaskFailed", "States.Timeout"]
    assert retrier["MaxAttempts"] == 2
    assert "Ec2." not in json.dumps(state_machine())


def test_it_is_logged_and_traced():
    workflow = template()["Resources"]["Workflow"]["Properties"]

    assert workflow["Tracing"] == {"Enabled": True}
    assert workflow["Logging"]["Level"] == "ALL"
    assert len(workflow["Logging"]["Destinations"]) == 1
