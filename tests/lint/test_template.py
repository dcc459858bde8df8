"""What a person meets who deploys the template."""

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
def test_every_parameter_explains_itself_and_has_bounds_and_a_default(name):
    parameter = template()["Parameters"][name]

    assert {"Description", "Type", "Default"} <= set(parameter)
    assert {"AllowedValues", "AllowedPattern"} & set(parameter)


def test_the_console_shows_every_parameter_in_a_group():
    source = template()
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(source["Parameters"])


def test_what_is_destructive_is_off_by_default():
    defaults = {name: parameter["Default"] for name, parameter in template()["Parameters"].items()}

    assert defaults["EventSource"] == ""
    assert defaults["WorkflowMayDisassociate"] == "false"


def test_the_published_version_is_the_packages():
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
    application = template()["Metadata"]["AWS::ServerlessRepo::Application"]

    assert application["SemanticVersion"] == package["version"]
    assert application["SpdxLicenseId"] == package["license"]
    assert (ROOT / application["LicenseUrl"]).is_file()
    assert (ROOT / application["ReadmeUrl"]).is_file()


def test_alarms_notify_the_topic_that_is_given():
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


def test_alarms_notify_nobody_by_default():
    assert [alarm for alarm in alarms(EventSource="a").values() if "AlarmActions" in alarm] == []


def test_a_failed_invocation_and_an_undelivered_event_go_to_different_queues():
    resources = template(EventSource="a")["Resources"]
    failed = resources["Function"]["Properties"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
    undelivered = resources["EventRule"]["Properties"]["Targets"][0]["DeadLetterConfig"]["Arn"]

    assert (failed.rpartition("-")[2], undelivered.rpartition("-")[2]) == ("FailedInvocations", "UndeliveredEvents")


@pytest.mark.parametrize("queue", ["FailedInvocations", "UndeliveredEvents"])
def test_queues_are_encrypted(queue):
    assert template(EventSource="a")["Resources"][queue]["Properties"]["SqsManagedSseEnabled"] is True
