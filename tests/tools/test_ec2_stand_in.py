"""The EC2 stand-in, held against the clients that people use for the real EC2."""

import json
import signal
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

import botocore
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

IPAM = "ipam-0123456789abcdef0"
CIDR = "203.0.113.0/24"
DEPROVISION = {"IpamId": IPAM, "Asn": "64500"}
DISASSOCIATE = {"Asn": "64500", "Cidr": CIDR}
NAMESPACE = "{http://ec2.amazonaws.com/doc/2016-11-15/}"

# Every member that the API has is in here once.
FULL_WORLD = {
    "asns": [
        {
            "asn": "64500",
            "ipam_id": IPAM,
            "state": "failed-deprovision",
            "status_message": "R&D said <no> & 'left' \"this\" – 終",
        }
    ],
    "cidrs": [
        {
            "cidr": CIDR,
            "description": "a <range>",
            "associations": [
                {"asn": "64500", "state": "failed-disassociation", "status_message": "why & how"}
            ],
        }
    ],
}

ACTIONS = {
    "DeprovisionIpamByoasn": DEPROVISION,
    "DescribeIpamByoasn": {},
    "DescribeByoipCidrs": {"MaxResults": 10},
    "DisassociateIpamByoasn": DISASSOCIATE,
}

every_action = pytest.mark.parametrize("action", ACTIONS)


def call(client, action, **changes):
    method = botocore.xform_name(action)
    return getattr(client, method)(**{**ACTIONS[action], **changes})


def refused(function, *arguments, **parameters):
    """The HTTP status and the code of the error that this ends in."""
    with pytest.raises(ClientError) as caught:
        function(*arguments, **parameters)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def send(ec2, params, service="ec2", region="us-east-1", method="POST"):
    """Sends what no SDK would send, but signed. Status and root element of the answer."""
    query = urllib.parse.urlencode(params)
    url = f"{ec2.endpoint}/?{query}" if method == "GET" else f"{ec2.endpoint}/"
    data = None if method == "GET" else query
    request = AWSRequest(method, url, data=data)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    SigV4Auth(Credentials("AKIDEXAMPLE", "secret"), service, region).add_auth(request)
    prepared = request.prepare()
    plain = urllib.request.Request(
        prepared.url,
        data=prepared.body.encode() if isinstance(prepared.body, str) else prepared.body,
        headers=dict(prepared.headers.items()),
        method=method,
    )
    try:
        with urllib.request.urlopen(plain, timeout=10) as answer:
            return answer.status, ET.fromstring(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, ET.fromstring(error.read())


def code(root):
    return root.findtext("Errors/Error/Code")


# Answers


def assert_fits(shape, element):
    """Every element is a member of the model's shape under its wire name, and of its type."""
    if shape.type_name == "structure":
        members = {
            member.serialization.get("name", name): member
            for name, member in shape.members.items()
        }
        names = [child.tag.removeprefix(NAMESPACE) for child in element]
        assert len(names) == len(set(names)), f"{element.tag} has a member twice"
        assert not (element.text or "").strip()
        for child, name in zip(element, names):
            assert name in members, f"the model has no {name} in {element.tag}"
            assert_fits(members[name], child)
        return set(names)
    if shape.type_name == "list":
        for child in element:
            assert child.tag == f"{NAMESPACE}{shape.member.serialization.get('name', 'item')}"
            assert_fits(shape.member, child)
    else:
        assert shape.type_name == "string"
        assert len(element) == 0
        if shape.enum:
            assert element.text in shape.enum
    return None


@every_action
def test_every_answer_has_the_members_of_the_api_model_and_no_others(ec2, action):
    in_the_way = FULL_WORLD["cidrs"] if action != "DeprovisionIpamByoasn" else []
    ec2.set_world(**{**FULL_WORLD, "cidrs": in_the_way})
    client = ec2.client()
    bodies = []
    client.meta.events.register(
        f"before-parse.ec2.{action}",
        lambda response_dict, **_: bodies.append(response_dict["body"]),
    )

    call(client, action)

    root = ET.fromstring(bodies[0])
    assert root.tag == f"{NAMESPACE}{action}Response"
    request_id = root.find(f"{NAMESPACE}requestId")
    assert request_id.text
    root.remove(request_id)
    assert_fits(client.meta.service_model.operation_model(action).output_shape, root)


def test_a_deprovision_is_parsed_whole(ec2):
    answer = ec2.client().deprovision_ipam_byoasn(**DEPROVISION)
    assert answer["Byoasn"] == {
        "Asn": "64500",
        "IpamId": IPAM,
        "State": "pending-deprovision",
    }
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert answer["ResponseMetadata"]["RequestId"] == headers["x-amzn-requestid"]


def test_a_list_of_asns_is_parsed_whole_and_text_survives_xml(ec2):
    ec2.set_world(**FULL_WORLD)
    answer = ec2.client().describe_ipam_byoasn()
    assert answer["Byoasns"] == [
        {
            "Asn": "64500",
            "IpamId": IPAM,
            "State": "failed-deprovision",
            "StatusMessage": FULL_WORLD["asns"][0]["status_message"],
        }
    ]
    assert "NextToken" not in answer


def test_a_list_of_cidrs_is_parsed_whole(ec2):
    ec2.set_world(**FULL_WORLD)
    answer = ec2.client().describe_byoip_cidrs(MaxResults=10)
    assert answer["ByoipCidrs"] == [
        {
            "Cidr": CIDR,
            "Description": "a <range>",
            "State": "advertised",
            "AsnAssociations": [
                {
                    "Asn": "64500",
                    "Cidr": CIDR,
                    "State": "failed-disassociation",
                    "StatusMessage": "why & how",
                }
            ],
        }
    ]


def test_a_disassociation_is_parsed_whole(ec2):
    ec2.set_world(cidrs=[{"cidr": CIDR, "associations": [{"asn": "64500"}]}])
    answer = ec2.client().disassociate_ipam_byoasn(**DISASSOCIATE)
    assert answer["AsnAssociation"] == {
        "Asn": "64500",
        "Cidr": CIDR,
        "State": "pending-disassociation",
    }


def test_the_aws_cli_goes_the_whole_way(ec2):
    ec2.set_world(cidrs=[{"cidr": CIDR, "associations": [{"asn": "64500"}]}])
    deprovision = ["deprovision-ipam-byoasn", "--ipam-id", IPAM, "--asn", "64500"]

    def refusal(*arguments):
        done = ec2.aws(*arguments)
        assert done.returncode != 0, done
        return done.stderr.split("(", 1)[1].split(")", 1)[0]

    def answer(*arguments):
        done = ec2.aws(*arguments)
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    assert refusal(*deprovision, "--dry-run") == "DryRunOperation"
    assert refusal(*deprovision) == "DependencyViolation"
    dissolved = answer("disassociate-ipam-byoasn", "--asn", "64500", "--cidr", CIDR)
    assert dissolved["AsnAssociation"]["State"] == "pending-disassociation"
    cidrs = answer("describe-byoip-cidrs", "--max-results", "5")["ByoipCidrs"]
    assert cidrs[0]["AsnAssociations"][0]["State"] == "pending-disassociation"
    assert answer(*deprovision) == {
        "Byoasn": {"Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision"}
    }
    assert answer("describe-ipam-byoasn") == {
        "Byoasns": [{"Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision"}]
    }
    assert refusal(*deprovision) == "IncorrectState"


# Pages


def test_the_paginator_of_boto3_sees_every_cidr_once(ec2):
    cidrs = [f"10.{number}.0.0/16" for number in range(7)]
    ec2.set_world(cidrs=[{"cidr": cidr} for cidr in cidrs], page_size=3)
    pages = list(ec2.client().get_paginator("describe_byoip_cidrs").paginate(MaxResults=100))
    assert [len(page["ByoipCidrs"]) for page in pages] == [3, 3, 1]
    assert [cidr["Cidr"] for page in pages for cidr in page["ByoipCidrs"]] == cidrs


def test_tokens_lead_to_every_asn_once(ec2):
    asns = [str(number) for number in range(64500, 64505)]
    ec2.set_world(asns=[{"asn": asn, "ipam_id": IPAM} for asn in asns])
    client = ec2.client()
    page = client.describe_ipam_byoasn(MaxResults=2)
    seen = page["Byoasns"]
    while token := page.get("NextToken"):
        page = client.describe_ipam_byoasn(MaxResults=2, NextToken=token)
        seen += page["Byoasns"]
    assert [entry["Asn"] for entry in seen] == asns
    assert len(ec2.calls()) == 3


@pytest.mark.parametrize("action", ["DescribeIpamByoasn", "DescribeByoipCidrs"])
@pytest.mark.parametrize("changes", [{"NextToken": "mine"}, {"MaxResults": 0}, {"MaxResults": 101}])
def test_a_bad_token_or_page_size_is_refused(ec2, action, changes):
    client = ec2.client(parameter_validation=False)
    assert refused(call, client, action, **changes) == (400, "InvalidParameterValue")


# State


def test_an_asn_goes_from_provisioned_to_deprovisioned(ec2):
    client = ec2.client()
    client.deprovision_ipam_byoasn(**DEPROVISION)
    states = [client.describe_ipam_byoasn()["Byoasns"][0]["State"] for _ in range(3)]
    assert states == ["pending-deprovision", "pending-deprovision", "deprovisioned"]


def test_a_repeat_is_refused(ec2):
    client = ec2.client()
    client.deprovision_ipam_byoasn(**DEPROVISION)
    assert refused(client.deprovision_ipam_byoasn, **DEPROVISION) == (400, "IncorrectState")


def test_remaining_associations_are_refused(ec2):
    ec2.set_world(cidrs=[{"cidr": CIDR, "associations": [{"asn": "64500"}]}])
    assert refused(ec2.client().deprovision_ipam_byoasn, **DEPROVISION) == (
        400,
        "DependencyViolation",
    )


def test_what_does_not_exist_is_not_found(ec2):
    client = ec2.client()
    for function, parameters, wanted in [
        (
            client.deprovision_ipam_byoasn,
            {"IpamId": "ipam-0a", "Asn": "64500"},
            "InvalidIpamId.NotFound",
        ),
        (
            client.deprovision_ipam_byoasn,
            {"IpamId": IPAM, "Asn": "64501"},
            "InvalidByoasn.NotFound",
        ),
        (client.disassociate_ipam_byoasn, DISASSOCIATE, "InvalidAsnAssociation.NotFound"),
    ]:
        assert refused(function, **parameters) == (400, wanted)


# Requests


@every_action
def test_a_dry_run_is_refused_in_its_own_way_and_changes_nothing(ec2, action):
    client = ec2.client()
    with pytest.raises(ClientError) as caught:
        call(client, action, DryRun=True)
    assert caught.value.response["Error"] == {
        "Code": "DryRunOperation",
        "Message": "Request would have succeeded, but DryRun flag is set.",
    }
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert client.describe_ipam_byoasn()["Byoasns"][0]["State"] == "provisioned"


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("DeprovisionIpamByoasn", "IpamId"),
        ("DeprovisionIpamByoasn", "Asn"),
        ("DescribeByoipCidrs", "MaxResults"),
        ("DisassociateIpamByoasn", "Asn"),
        ("DisassociateIpamByoasn", "Cidr"),
    ],
)
def test_a_missing_parameter_is_named(ec2, action, name):
    client = ec2.client(parameter_validation=False)
    parameters = {key: value for key, value in ACTIONS[action].items() if key != name}
    with pytest.raises(ClientError, match=f"must contain the parameter {name}") as caught:
        getattr(client, botocore.xform_name(action))(**parameters)
    assert caught.value.response["Error"]["Code"] == "MissingParameter"


@every_action
def test_the_required_parameters_are_those_of_the_api_model(ec2, action):
    model = ec2.client().meta.service_model.operation_model(action).input_shape
    assert set(model.required_members) == set(ACTIONS[action])


@every_action
def test_every_parameter_of_the_api_model_is_known_and_no_other(ec2, action):
    client = ec2.client()
    known = {"DryRun", *ACTIONS[action]}
    known |= {"MaxResults", "NextToken"} if action.startswith("Describe") else set()
    assert set(client.meta.service_model.operation_model(action).input_shape.members) == known

    client.meta.events.register(
        f"before-call.ec2.{action}", lambda params, **_: params["body"].update(Bogus="1")
    )
    with pytest.raises(ClientError, match="The parameter Bogus is not recognized") as caught:
        call(client, action)
    assert caught.value.response["Error"]["Code"] == "UnknownParameter"


def test_another_action_is_invalid(ec2):
    assert refused(ec2.client().describe_ipams) == (400, "InvalidAction")


@pytest.mark.parametrize(
    ("version", "wanted"),
    [({}, "MissingParameter"), ({"Version": "2015-12-01"}, "NoSuchVersion")],
)
def test_another_version_is_refused(ec2, version, wanted):
    status, root = send(ec2, {"Action": "DescribeIpamByoasn", **version})
    assert (status, code(root)) == (400, wanted)


def test_a_get_request_is_as_good(ec2):
    params = {"Action": "DescribeIpamByoasn", "Version": "2016-11-15"}
    status, root = send(ec2, params, method="GET")
    assert (status, root.tag) == (200, f"{NAMESPACE}DescribeIpamByoasnResponse")


def test_calls_are_recorded_as_sent(ec2):
    ec2.client().deprovision_ipam_byoasn(**DEPROVISION, DryRun=False)
    assert ec2.calls() == [
        {
            "action": "DeprovisionIpamByoasn",
            "params": {**DEPROVISION, "DryRun": "false"},
            "access_key_id": "AKIDEXAMPLE",
            "region": "us-east-1",
        }
    ]


# Permission


@every_action
def test_a_denied_key_may_do_nothing_not_even_dry(ec2, action):
    ec2.set_world(denied_access_keys=["AKIDDENIED"])
    client = ec2.client(key="AKIDDENIED")
    denied = (403, "UnauthorizedOperation")
    assert refused(call, client, action) == denied
    assert refused(call, client, action, DryRun=True) == denied


def test_a_denied_action_does_not_deny_the_others(ec2):
    ec2.set_world(denied_actions=["DescribeByoipCidrs"])
    client = ec2.client()
    assert refused(call, client, "DescribeByoipCidrs") == (403, "UnauthorizedOperation")
    call(client, "DeprovisionIpamByoasn")


@every_action
def test_an_unsigned_request_is_refused(ec2, action):
    client = ec2.client(signature_version=botocore.UNSIGNED)
    assert refused(call, client, action) == (400, "MissingParameter")


def test_a_signature_for_another_region_is_refused(ec2):
    client = ec2.client(region="eu-west-1")
    assert refused(client.describe_ipam_byoasn) == (401, "AuthFailure")


def test_a_signature_for_another_service_is_refused(ec2):
    params = {"Action": "DescribeIpamByoasn", "Version": "2016-11-15"}
    status, root = send(ec2, params, service="sts")
    assert (status, code(root)) == (401, "AuthFailure")


# Faults


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_boto3_retries_a_throttle(ec2, mode):
    ec2.fault("DeprovisionIpamByoasn", {"kind": "throttle"})
    client = ec2.client(retries={"total_max_attempts": 3, "mode": mode})
    answer = client.deprovision_ipam_byoasn(**DEPROVISION)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(ec2.calls()) == 2


def test_a_throttle_is_503(ec2):
    ec2.fault("DescribeIpamByoasn", {"kind": "throttle"})
    assert refused(ec2.client().describe_ipam_byoasn) == (503, "RequestLimitExceeded")


def test_an_error_carries_its_request_id(ec2):
    error = {"kind": "error", "status": 500, "code": "InternalError", "message": "a < b & c"}
    ec2.fault("DescribeIpamByoasn", error)
    with pytest.raises(ClientError) as caught:
        ec2.client().describe_ipam_byoasn()
    response = caught.value.response
    assert response["Error"] == {"Code": "InternalError", "Message": "a < b & c"}
    metadata = response["ResponseMetadata"]
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]


def test_the_request_id_may_be_in_the_body_alone(ec2):
    ec2.set_world(request_id_header=False)
    metadata = ec2.client().describe_ipam_byoasn()["ResponseMetadata"]
    assert metadata["RequestId"]
    assert "x-amzn-requestid" not in metadata["HTTPHeaders"]


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", ConnectionClosedError),
        ("close", ConnectionClosedError),
        ("hang", ReadTimeoutError),
    ],
)
def test_a_call_may_be_lost_before_or_after_its_effect(ec2, kind, error, after_effect):
    ec2.fault("DeprovisionIpamByoasn", {"kind": kind, "after_effect": after_effect})
    client = ec2.client(read_timeout=1)
    with pytest.raises(error):
        client.deprovision_ipam_byoasn(**DEPROVISION)
    wanted = "pending-deprovision" if after_effect else "provisioned"
    assert client.describe_ipam_byoasn()["Byoasns"][0]["State"] == wanted


def test_xml_that_ends_in_the_middle_cannot_be_parsed(ec2):
    ec2.fault("DescribeIpamByoasn", {"kind": "truncated-xml", "status": 200})
    with pytest.raises(ResponseParserError):
        ec2.client().describe_ipam_byoasn()


def test_a_success_may_lack_the_byoasn(ec2):
    ec2.fault("DeprovisionIpamByoasn", {"kind": "no-byoasn"})
    assert "Byoasn" not in ec2.client().deprovision_ipam_byoasn(**DEPROVISION)


# The program


def test_https_works_for_who_trusts_the_ca(tls_ec2):
    answer = tls_ec2.client().describe_ipam_byoasn()
    assert answer["Byoasns"][0]["Asn"] == "64500"
    assert tls_ec2.aws("describe-ipam-byoasn").returncode == 0
    with pytest.raises(SSLError):
        tls_ec2.client(verify=True).describe_ipam_byoasn()


def test_the_world_may_come_from_a_file(ec2_of_file):
    answer = ec2_of_file.client().describe_ipam_byoasn()
    assert [entry["Asn"] for entry in answer["Byoasns"]] == ["1"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(program, number):
    program.send_signal(number)
    assert program.wait(timeout=10) == -number
