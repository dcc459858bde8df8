"""The EventBridge rule of the deployed stack.

MiniStack hands a matching event to the function once: AWS retries as EventInvokeConfig says and then uses the on-failure
destination, as after any asynchronous invocation (test_function.py has that). Nor does MiniStack deliver to the rule's
dead-letter queue; that the deployed rule has one is asserted in test_stack.py.
"""

import json

from conftest import SOURCE
from processes import wait_until
from world import IPAM, asn

DETAIL_TYPE = "Deprovision IPAM BYOASN"


def put(client, source, detail_type, number):
    answer = client("events").put_events(
        Entries=[{"Source": source, "DetailType": detail_type, "Detail": json.dumps({"IpamId": IPAM, "Asn": number})}]
    )
    assert answer["FailedEntryCount"] == 0


def test_an_event_of_the_source_deprovisions(ec2, client, stack):
    ec2.is_world(asns=[asn()])

    put(client, SOURCE, DETAIL_TYPE, "64500")

    wait_until(ec2.actions, "the function's call")
    assert ec2.actions() == ["DeprovisionIpamByoasn"]


def test_events_of_another_source_or_type_reach_nobody(ec2, client, stack):
    ec2.is_world(asns=[asn("64500"), asn("64501"), asn("64502")])

    put(client, "com.example.other", DETAIL_TYPE, "64500")
    put(client, SOURCE, "deprovision ipam byoasn", "64501")
    put(client, SOURCE, DETAIL_TYPE, "64502")

    # The last one shows that the first two had their time.
    wait_until(ec2.actions, "the function's call")
    assert [call["params"]["Asn"] for call in ec2.calls()] == ["64502"]
