"""The workflow's definition: valid, limited in time, and retrying what may be retried."""

import json
import subprocess

import pytest

from rendered import ROOT, state_machine, template


def tasks():
    states = state_machine()["States"]
    inner = states["Disassociate"]["ItemProcessor"]["States"]
    return {name: state for name, state in (states | inner).items() if state["Type"] == "Task"}


def resource(state):
    return state["Resource"].removeprefix("arn:aws:states:::")


def test_asl_validator_finds_nothing(tmp_path):
    definition = tmp_path / "retire-asn.asl.json"
    definition.write_text(json.dumps(state_machine()))
    validator = ROOT / "dev" / "node_modules" / ".bin" / "asl-validator"

    done = subprocess.run([validator, "--json-path", definition], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_calls_what_it_needs_and_nothing_else():
    assert {name: resource(state) for name, state in tasks().items()} == {
        "Preflight": "lambda:invoke",
        "ListCidrs": "aws-sdk:ec2:describeByoipCidrs",
        "DisassociateCidr": "aws-sdk:ec2:disassociateIpamByoasn",
        "Deprovision": "lambda:invoke",
        "ListByoasns": "aws-sdk:ec2:describeIpamByoasn",
    }


def test_the_execution_and_every_task_have_a_time_limit():
    assert state_machine()["TimeoutSeconds"] == 21600
    assert {state["TimeoutSeconds"] for state in tasks().values()} == {60}


def test_pages_of_cidrs_are_two_seconds_apart():
    states = state_machine()["States"]

    assert states["PauseBetweenPages"]["Seconds"] == 2
    assert states["PauseBetweenPages"]["Next"] == "ListCidrs"
    assert {"Condition": "{% $token != '' %}", "Next": "PauseBetweenPages"} in states["IsAssociated"]["Choices"]


@pytest.mark.parametrize("name", sorted(tasks()))
def test_every_retry_backs_off_with_jitter_and_a_ceiling(name):
    [retrier] = tasks()[name]["Retry"]

    assert retrier["BackoffRate"] == 2
    assert retrier["JitterStrategy"] == "FULL"
    assert retrier["MaxDelaySeconds"] == 60
    assert 1 <= retrier["MaxAttempts"] <= 6


@pytest.mark.parametrize("name", sorted(tasks()))
def test_no_permanent_error_of_the_function_is_retried(name):
    permanent = {
        "InvalidEvent",
        "AsnStillAssociated",
        "DeprovisionFailed",
        "DryRunNotHonored",
        "CredentialsUnavailable",
        "FunctionPanicked",
        "UnauthorizedOperation",
        "InvalidIpamId.NotFound",
        "States.ALL",
        "States.TaskFailed",
    }
    [retrier] = tasks()[name]["Retry"]

    assert permanent.isdisjoint(retrier["ErrorEquals"])


@pytest.mark.parametrize("name", ["Preflight", "Deprovision"])
def test_lambdas_and_ec2s_transient_errors_are_retried(name):
    [retrier] = tasks()[name]["Retry"]

    assert {
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Ec2Timeout",
        "Ec2Unreachable",
    } <= set(retrier["ErrorEquals"])


@pytest.mark.parametrize("name, attempts", [("ListCidrs", 6), ("ListByoasns", 6), ("DisassociateCidr", 2)])
def test_ec2s_one_name_for_all_errors_is_retried_often_for_looks_and_seldom_for_the_write(name, attempts):
    [retrier] = tasks()[name]["Retry"]

    assert "Ec2.Ec2Exception" in retrier["ErrorEquals"]
    assert retrier["MaxAttempts"] == attempts


def test_it_is_logged_and_traced():
    workflow = template()["Resources"]["Workflow"]["Properties"]

    assert workflow["Tracing"] == {"Enabled": True}
    assert workflow["Logging"]["Level"] == "ALL"
    assert len(workflow["Logging"]["Destinations"]) == 1
