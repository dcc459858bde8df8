"""The deployed function, invoked directly."""

import json

from processes import wait_until
from world import IPAM, asn, association, cidr


def test_it_deprovisions(ec2, invoke):
    ec2.set_world(asns=[asn()])

    payload, error = invoke({"IpamId": IPAM, "Asn": "AS64500"})

    assert error is None
    assert payload == {"Byoasn": {"Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision"}}
    assert ec2.actions() == ["DeprovisionIpamByoasn"]


def test_a_dry_run_changes_nothing(ec2, invoke):
    ec2.set_world(asns=[asn()])

    payload, error = invoke({"IpamId": IPAM, "Asn": "AS64500", "DryRun": True})

    assert error is None
    assert payload == {
        "DryRun": True,
        "IpamId": IPAM,
        "Asn": "64500",
        "Message": "Request would have succeeded, but DryRun flag is set.",
    }
    assert [call["action"] for call in ec2.calls()] == ["DeprovisionIpamByoasn"]


def test_describe_only_reports_and_changes_nothing(ec2, invoke):
    ec2.set_world(asns=[asn()], cidrs=[cidr("203.0.113.0/24", association(), state="advertised")])

    payload, error = invoke({"IpamId": IPAM, "Asn": "AS64500", "DescribeOnly": True})

    assert error is None
    assert payload == {
        "DescribeOnly": True,
        "IpamId": IPAM,
        "Asn": "64500",
        "Byoasns": [{"Asn": "64500", "IpamId": IPAM, "State": "provisioned"}],
        "AsnAssociations": [{"Cidr": "203.0.113.0/24", "State": "associated", "ByoipCidrState": "advertised"}],
    }
    assert sorted(ec2.actions()) == ["DescribeByoipCidrs", "DescribeIpamByoasn"]


def test_an_invalid_event_never_reaches_ec2(ec2, invoke):
    payload, error = invoke({"IpamId": IPAM, "Asn": "64500", "Dryrun": True})

    assert error == "Unhandled"
    assert payload["errorType"] == "InvalidEvent"
    assert "Dryrun" in payload["errorMessage"]
    assert ec2.calls() == []


def test_sam_remote_invoke_shows_the_response(ec2, sam, stack):
    ec2.set_world(asns=[asn()])

    shown = sam(
        "remote", "invoke", "Function", "--stack-name", stack.name, "--event", json.dumps({"IpamId": IPAM, "Asn": 64500})
    )

    assert json.loads(shown) == {"Byoasn": {"Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision"}}


def test_an_asynchronous_failure_ends_in_the_queue(ec2, client, stack):
    ec2.set_world(denied_actions=["DeprovisionIpamByoasn"])
    event = {"IpamId": IPAM, "Asn": "64500"}
    sqs = client("sqs")

    client("lambda").invoke(FunctionName=stack.FunctionName, InvocationType="Event", Payload=json.dumps(event))

    received = wait_until(
        lambda: sqs.receive_message(QueueUrl=stack.FailedInvocationsQueueUrl).get("Messages"), "a failed invocation"
    )
    sqs.delete_message(QueueUrl=stack.FailedInvocationsQueueUrl, ReceiptHandle=received[0]["ReceiptHandle"])
    record = json.loads(received[0]["Body"])
    assert record["requestPayload"] == event
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responsePayload"]["errorType"] == "UnauthorizedOperation"
    # One attempt and the two retries of EventInvokeConfig.
    assert ec2.actions() == ["DeprovisionIpamByoasn"] * 3
