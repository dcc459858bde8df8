"""Which events match the rule, by the matching rules of EventBridge as moto implements them."""

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


def test_an_event_of_the_account_source_and_type_matches():
    assert matches()


def test_the_rule_does_not_examine_the_detail():
    assert matches(detail={"Dryrun": True})


@pytest.mark.parametrize("account", ["210987654321", "", "12345678901"])
def test_an_event_of_another_account_does_not_match(account):
    assert not matches(account=account)


@pytest.mark.parametrize("source", ["com.example", "com.example.network.test", "COM.EXAMPLE.NETWORK", "aws.ec2", ""])
def test_another_source_does_not_match(source):
    assert not matches(source=source)


@pytest.mark.parametrize(
    "detail_type",
    ["deprovision ipam byoasn", "Deprovision IPAM BYOASN ", "Deprovision IPAM", "Provision IPAM BYOASN", ""],
)
def test_another_type_does_not_match(detail_type):
    assert not matches(**{"detail-type": detail_type})


def test_without_a_source_there_is_no_rule_and_no_queue():
    resources = template()["Resources"]

    assert not {"EventRule", "EventRulePermission", "UndeliveredEvents", "UndeliveredEventsAlarm"} & set(resources)
