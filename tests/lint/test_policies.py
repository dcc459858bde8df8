"""The permissions in the policies, as CloudFormation renders them."""

import json

import parliament
import pytest

from rendered import ARNS, ROOT, template

IN_REGION = {"StringEquals": {"ec2:Region": "us-east-1"}}
DESCRIBES = {
    "Effect": "Allow",
    "Action": ["ec2:DescribeByoipCidrs", "ec2:DescribeIpamByoasn"],
    "Resource": "*",
    "Condition": IN_REGION,
}


def policies(role, **parameters):
    return [policy["PolicyDocument"] for policy in template(**parameters)["Resources"][role]["Properties"]["Policies"]]


def ec2_statements(role, **parameters):
    """The statements about EC2, without their names."""
    return [
        {name: value for name, value in statement.items() if name != "Sid"}
        for policy in policies(role, **parameters)
        for statement in policy["Statement"]
        if "ec2:" in json.dumps(statement["Action"])
    ]


@pytest.mark.parametrize("ipam", ["*", "ipam-0123456789abcdef0"])
@pytest.mark.parametrize("workflow_may_disassociate", ["true", "false"])
def test_the_function_may_deprovision_from_the_ipam_and_describe(ipam, workflow_may_disassociate):
    assert ec2_statements("FunctionRole", IpamId=ipam, WorkflowMayDisassociate=workflow_may_disassociate) == [
        {
            "Effect": "Allow",
            "Action": "ec2:DeprovisionIpamByoasn",
            "Resource": f"arn:aws:ec2::123456789012:ipam/{ipam}",
        },
        DESCRIBES,
    ]


def test_the_workflow_has_no_ec2_permission_by_default():
    assert ec2_statements("WorkflowRole") == []


def test_the_workflow_may_disassociate_with_the_parameter():
    assert ec2_statements("WorkflowRole", WorkflowMayDisassociate="true") == [
        {"Effect": "Allow", "Action": "ec2:DisassociateIpamByoasn", "Resource": "*", "Condition": IN_REGION},
    ]


def test_the_workflow_may_invoke_only_this_function():
    assert [
        statement["Resource"]
        for policy in policies("WorkflowRole")
        for statement in policy["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    ] == [ARNS["Function"]]


@pytest.mark.parametrize("role", ["FunctionRole", "WorkflowRole"])
def test_roles_have_only_inline_policies(role):
    assert set(template()["Resources"][role]["Properties"]) == {"AssumeRolePolicyDocument", "Policies"}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_arns_work_in_every_partition(partition):
    resources = template(**{"AWS::Partition": partition})["Resources"]
    documents = [resources[role]["Properties"]["Policies"][0] for role in ("FunctionRole", "WorkflowRole")]

    assert f"arn:{partition}:ec2::123456789012:ipam/*" in json.dumps(documents)
    for name in ("template.yaml", "statemachine/retire-asn.asl.json"):
        assert "arn:aws" not in (ROOT / name).read_text()


@pytest.mark.parametrize("role", ["FunctionRole", "WorkflowRole"])
@pytest.mark.parametrize("workflow_may_disassociate", ["true", "false"])
def test_parliament_accepts_the_policies(role, workflow_may_disassociate):
    for policy in policies(role, WorkflowMayDisassociate=workflow_may_disassociate):
        assert [str(finding) for finding in parliament.analyze_policy_string(json.dumps(policy)).findings] == []


def queue_statements(policy):
    return template(EventSource="com.example.network")["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("queue", ["FailedInvocations", "UndeliveredEvents"])
def test_queues_require_tls(queue):
    assert {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": ARNS[queue],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    } in queue_statements(f"{queue}Policy")


def test_only_the_rule_may_send_undelivered_events():
    assert [statement for statement in queue_statements("UndeliveredEventsPolicy") if statement["Effect"] == "Allow"] == [
        {
            "Sid": "AllowEventRule",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": ARNS["UndeliveredEvents"],
            "Condition": {"ArnEquals": {"aws:SourceArn": ARNS["EventRule"]}},
        }
    ]


def test_only_the_rule_has_an_invoke_permission():
    permission = template(EventSource="com.example.network")["Resources"]["EventRulePermission"]["Properties"]

    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "<Function>",
        "Principal": "events.amazonaws.com",
        "SourceArn": ARNS["EventRule"],
    }
