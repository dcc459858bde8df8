"""The template's parameters, alarms and queues."""

import re
import tomllib

import pytest

from rendered import ROOT, template

TOPIC = "arn:aws:sns:us-east-1:123456789012:network-alarms"


def alarms(**parameters):
    return {
        name: resource["Properties"]
        for name, resource in template(**parameters)["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


@pytest.mark.parametrize("name", sorted(template()["Parameters"]))
def test_every_parameter_has_a_description_and_limits(name):
    parameter = template()["Parameters"][name]

    assert {"Description", "Type"} <= set(parameter)
    assert {"AllowedValues", "AllowedPattern"} & set(parameter)


def test_only_the_ipam_must_be_named():
    assert [name for name, parameter in template()["Parameters"].items() if "Default" not in parameter] == ["IpamId"]


@pytest.mark.parametrize("ipam", ["*", "ipam-0123456789abcdef0"])
def test_the_ipam_is_an_id_or_an_asterisk(ipam):
    pattern = template()["Parameters"]["IpamId"]["AllowedPattern"]

    assert re.search(pattern, ipam)


@pytest.mark.parametrize("ipam", ["", "ipam-", "ipam-*", "ipam-pool-0a", "ipam-0A", "**", "ipam-0a/ipam-0b"])
def test_other_ipam_ids_are_rejected(ipam):
    pattern = template()["Parameters"]["IpamId"]["AllowedPattern"]

    assert not re.search(pattern, ipam)


def test_the_console_shows_every_parameter_in_a_group():
    source = template()
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(source["Parameters"])


def test_events_and_disassociation_are_off_by_default():
    defaults = {name: parameter.get("Default") for name, parameter in template()["Parameters"].items()}

    assert defaults["EventSource"] == ""
    assert defaults["WorkflowMayDisassociate"] == "false"


def test_the_published_version_is_that_of_the_package():
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    application = template()["Metadata"]["AWS::ServerlessRepo::Application"]

    assert application["SemanticVersion"] == package["version"]
    assert application["SpdxLicenseId"] == package["license"]
    assert (ROOT / application["LicenseUrl"]).is_file()
    assert (ROOT / application["ReadmeUrl"]).is_file()


def test_alarms_notify_the_given_topic():
    assert {name: alarm["AlarmActions"] for name, alarm in alarms(EventSource="a", AlarmTopicArn=TOPIC).items()} == {
        name: [TOPIC]
        for name in (
            "ExecutionsAbortedAlarm",
            "ExecutionsFailedAlarm",
            "ExecutionsTimedOutAlarm",
            "FailedInvocationsAlarm",
            "FunctionErrorsAlarm",
            "UndeliveredEventsAlarm",
        )
    }


def test_alarms_have_no_action_by_default():
    assert [alarm for alarm in alarms(EventSource="a").values() if "AlarmActions" in alarm] == []


def test_failed_invocations_and_undelivered_events_are_separate():
    resources = template(EventSource="a")["Resources"]
    failed = resources["Function"]["Properties"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
    undelivered = resources["EventRule"]["Properties"]["Targets"][0]["DeadLetterConfig"]["Arn"]

    assert (failed.rpartition("-")[2], undelivered.rpartition("-")[2]) == ("FailedInvocations", "UndeliveredEvents")


@pytest.mark.parametrize("queue", ["FailedInvocations", "UndeliveredEvents"])
def test_queues_are_encrypted(queue):
    assert template(EventSource="a")["Resources"][queue]["Properties"]["SqsManagedSseEnabled"] is True


def test_the_alarm_on_errors_names_the_errors_of_every_day():
    description = alarms()["FunctionErrorsAlarm"]["AlarmDescription"]

    for word in ("InvalidEvent", "AsnStillAssociated", "DescribeOnly"):
        assert word in description


def test_sam_package_has_no_default_bucket():
    assert "package" not in tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
