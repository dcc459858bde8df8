"""Which events reach the function, by EventBridge's own rules of matching."""

import json

import pytest
from moto.events.models import EventPattern

from rendered import template

SOURCE = "com.example.network"
EVENT = {
    "version": "0",
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Deprovision IPAM BYOASN",
    "source": SOURCE,
    "account": "123456789012",
    "time": "2026-01-02T03:04:05Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {"IpamId": "ipam-0123456789abcdef0", "Asn": "64500"},
}


def matches(**members):
    pattern = template(EventSource=SOURCE)["Resources"]["EventRule"]["Properties"]["EventPattern"]
    return EventPattern.load(json.dumps(pattern)).matches_event(EVENT | members)


def test_an_event_of_the_source_and_type_matches():
    assert matches()


def test_the_detail_is_left_for_the_function_to_judge():
    assert matches(detail={"Dryrun": True})


@pytest.mark.parametrize("source", ["com.example", "com.example.network.test", "COM.EXAMPLE.NETWORK", "aws.ec2", ""])
def test_another_source_does_not_match(source):
    assert not matches(source=source)


@pytest.mark.parametrize(
    "detail_type",
    ["deprovision ipam byoasn", "Deprovision IPAM BYOASN ", "Deprovision IPAM", "Provision IPAM BYOASN", ""],
)
def test_another_type_does_not_match(detail_type):
    assert not matches(**{"detail-type": detail_type})


def test_without_a_source_there_is_no_rule_no_permission_and_no_queue_for_it():
    resources = template()["Resources"]

    assert not {"EventRule", "EventRulePermission", "UndeliveredEvents", "UndeliveredEventsAlarm"} & set(resources)
