"""The resources of a deployment, from the first deployment to the deletion."""

import json
import re

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, SOURCE
from world import IPAM


def resource_types(client, name):
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    return sorted(
        resource["ResourceType"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] != "DELETE_COMPLETE"
    )


def attributes(client, url):
    return client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def decision(client, role_arn, action, ipam):
    """IAM's decision on an action of the role. MiniStack does not know ec2:Region: only for statements without a condition."""
    [result] = client("iam").simulate_principal_policy(
        PolicySourceArn=role_arn, ActionNames=[action], ResourceArns=[f"arn:aws:ec2::{ACCOUNT}:ipam/{ipam}"]
    )["EvaluationResults"]
    return result["EvalDecision"]


def allowed_actions(client, role_arn):
    iam = client("iam")
    role = role_arn.rpartition("/")[2]
    policies = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    actions = [statement["Action"] for policy in policies for statement in policy["Statement"]]
    return sorted(action for group in actions for action in ([group] if isinstance(group, str) else group))


class TestDeployedResources:
    def test_the_function_has_the_settings_of_the_template(self, client, stack):
        function = client("lambda").get_function_configuration(FunctionName=stack.FunctionName)

        assert function["Runtime"] == "provided.al2023"
        assert function["Architectures"] == ["x86_64"]
        assert function["MemorySize"] == 256
        assert function["Timeout"] == 30
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["Environment"] == {"Variables": {"DRY_RUN_FIRST": "false"}}
        assert function["LoggingConfig"] == {
            "LogFormat": "JSON",
            "ApplicationLogLevel": "INFO",
            "SystemLogLevel": "INFO",
            "LogGroup": stack.FunctionLogGroup,
        }

    def test_logs_are_kept_for_ninety_days(self, client, stack):
        for name in (stack.FunctionLogGroup, stack.WorkflowLogGroup):
            groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            assert [(group["logGroupName"], group["retentionInDays"]) for group in groups] == [(name, 90)]

    def test_asynchronous_invocations_are_retried_and_then_kept(self, client, stack):
        config = client("lambda").get_function_event_invoke_config(FunctionName=stack.FunctionName, Qualifier="$LATEST")

        assert config["MaximumRetryAttempts"] == 2
        assert config["MaximumEventAgeInSeconds"] == 3600
        assert config["DestinationConfig"]["OnFailure"] == {
            "Destination": attributes(client, stack.FailedInvocationsQueueUrl)["QueueArn"]
        }

    def test_only_the_rule_may_write_to_its_dead_letter_queue(self, client, stack):
        queue = attributes(client, stack.UndeliveredEventsQueueUrl)
        [target] = client("events").list_targets_by_rule(Rule=stack.EventRuleArn.rpartition("/")[2])["Targets"]

        assert target == {
            "Id": "Function",
            "Arn": stack.FunctionArn,
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185},
            "DeadLetterConfig": {"Arn": queue["QueueArn"]},
        }
        assert json.loads(queue["Policy"])["Statement"][0] == {
            "Sid": "AllowEventRule",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue["QueueArn"],
            "Condition": {"ArnEquals": {"aws:SourceArn": stack.EventRuleArn}},
        }

    def test_queues_are_encrypted_and_keep_messages_for_two_weeks(self, client, stack):
        for url in (stack.FailedInvocationsQueueUrl, stack.UndeliveredEventsQueueUrl):
            queue = attributes(client, url)
            assert (queue["SqsManagedSseEnabled"], queue["MessageRetentionPeriod"]) == ("true", "1209600")

    def test_the_workflow_calls_the_deployed_function(self, client, stack):
        # MiniStack does not store logging and tracing of a state machine. tests/lint asserts them on the template.
        machine = client("stepfunctions").describe_state_machine(stateMachineArn=stack.WorkflowArn)
        states = json.loads(machine["definition"])["States"]

        assert machine["type"] == "STANDARD"
        for state in ("CheckPermission", "Describe", "Deprovision"):
            assert states[state]["Resource"] == "arn:aws:states:::lambda:invoke"
            assert states[state]["Arguments"]["FunctionName"] == stack.FunctionArn

    def test_the_only_change_that_the_function_may_make(self, client, stack):
        assert [action for action in allowed_actions(client, stack.FunctionRoleArn) if action.startswith("ec2:")] == [
            "ec2:DeprovisionIpamByoasn",
            "ec2:DescribeByoipCidrs",
            "ec2:DescribeIpamByoasn",
        ]
        assert decision(client, stack.FunctionRoleArn, "ec2:DeprovisionIpamByoasn", IPAM) == "allowed"


class TestPackage:
    BUCKET = "artifacts-of-a-team"

    def test_sam_package_uploads_to_the_given_bucket(self, build, client, sam, tmp_path):
        client("s3").create_bucket(Bucket=self.BUCKET)
        packaged = tmp_path / "packaged.yaml"

        sam("package", "--s3-bucket", self.BUCKET, "--output-template-file", str(packaged), "--region", REGION)

        template = packaged.read_text()
        keys = re.findall(rf"s3://{self.BUCKET}/(\S+)", template)
        uploaded = [item["Key"] for item in client("s3").list_objects_v2(Bucket=self.BUCKET)["Contents"]]
        for property in ("CodeUri", "LicenseUrl", "ReadmeUrl"):
            assert f"{property}: s3://{self.BUCKET}/" in template
        assert keys and set(keys) <= set(uploaded)


class TestLifecycle:
    """A second stack: created with the defaults, updated, deleted."""

    NAME = "defaults"

    def test_a_stack_is_updated_and_leaves_nothing(self, client, deploy, sam):
        outputs = deploy(self.NAME, IpamId="*")
        types = resource_types(client, self.NAME)
        assert "AWS::Events::Rule" not in types
        assert types.count("AWS::SQS::Queue") == 1
        assert types.count("AWS::CloudWatch::Alarm") == 5
        assert "UndeliveredEventsQueueUrl" not in outputs
        assert not self.may_disassociate(client, outputs)

        updated = deploy(
            self.NAME, EventSource=SOURCE, WorkflowMayDisassociate="true", IpamId=IPAM, DryRunFirst="true", LogLevel="DEBUG"
        )
        types = resource_types(client, self.NAME)
        assert "AWS::Events::Rule" in types
        assert types.count("AWS::SQS::Queue") == 2
        assert types.count("AWS::CloudWatch::Alarm") == 6
        assert updated["FunctionArn"] == outputs["FunctionArn"]
        assert self.may_disassociate(client, updated)
        function = client("lambda").get_function_configuration(FunctionName=updated["FunctionName"])
        assert function["Environment"] == {"Variables": {"DRY_RUN_FIRST": "true"}}
        assert function["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
        role = updated["FunctionRoleArn"]
        assert decision(client, role, "ec2:DeprovisionIpamByoasn", IPAM) == "allowed"
        assert decision(client, role, "ec2:DeprovisionIpamByoasn", "ipam-0123456789abcdef1") == "implicitDeny"

        sam("delete", "--stack-name", self.NAME, "--no-prompts", "--region", REGION)
        with pytest.raises(ClientError, match="does not exist"):
            client("cloudformation").describe_stacks(StackName=self.NAME)
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            client("lambda").get_function(FunctionName=outputs["FunctionName"])
        with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
            client("stepfunctions").describe_state_machine(stateMachineArn=outputs["WorkflowArn"])
        with pytest.raises(ClientError, match="NonExistentQueue"):
            client("sqs").get_queue_attributes(QueueUrl=outputs["FailedInvocationsQueueUrl"])

    def may_disassociate(self, client, outputs):
        machine = client("stepfunctions").describe_state_machine(stateMachineArn=outputs["WorkflowArn"])
        return "ec2:DisassociateIpamByoasn" in allowed_actions(client, machine["roleArn"])
