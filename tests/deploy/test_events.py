"""The EventBridge rule of the deployed stack.

MiniStack invokes the function once per matching event. AWS retries as in EventInvokeConfig and then uses the on-failure
destination, as for any asynchronous invocation (see test_function.py). MiniStack does not use the dead-letter queue of a
rule; test_stack.py asserts that the deployed rule has one.
"""

import json

from conftest import SOURCE
from processes import wait_until
from world import IPAM, asn

DETAIL_TYPE = "Deprovision IPAM BYOASN"


def put(client, source, detail_type, number):
    response = client("events").put_events(
        Entries=[{"Source": source, "DetailType": detail_type, "Detail": json.dumps({"IpamId": IPAM, "Asn": number})}]
    )
    assert response["FailedEntryCount"] == 0


def test_an_event_of_the_source_deprovisions(ec2, client, stack):
    ec2.set_world(asns=[asn()])

    put(client, SOURCE, DETAIL_TYPE, "64500")

    wait_until(ec2.actions, "the function's call")
    assert ec2.actions() == ["DeprovisionIpamByoasn"]


def test_events_of_another_source_or_type_are_ignored(ec2, client, stack):
    ec2.set_world(asns=[asn("64500"), asn("64501"), asn("64502")])

    put(client, "com.example.other", DETAIL_TYPE, "64500")
    put(client, SOURCE, "deprovision ipam byoasn", "64501")
    put(client, SOURCE, DETAIL_TYPE, "64502")

    # The third event shows that the first two were processed.
    wait_until(ec2.actions, "the function's call")
    assert [call["params"]["Asn"] for call in ec2.calls()] == ["64502"]
