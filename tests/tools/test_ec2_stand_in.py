"""The EC2 stand-in with boto3 and the AWS CLI, the clients of the real EC2."""

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

# Has a value for every member of the API's responses.
FULL_WORLD = {
    "asns": [
        {
            "asn": "64500",
            "ipam_id": IPAM,
            "state": "failed-deprovision",
            "status_message": "R&D: <no> & 'left' \"this\" – 終",
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


def error_of(function, *arguments, **parameters):
    """Calls the function, which must fail. Returns the HTTP status and the error code."""
    with pytest.raises(ClientError) as caught:
        function(*arguments, **parameters)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def send(ec2, params, service="ec2", region="us-east-1", method="POST"):
    """Sends a signed request that no SDK sends. Returns the status and the root element of the response."""
    query = urllib.parse.urlencode(params)
    url = f"{ec2.endpoint}/?{query}" if method == "GET" else f"{ec2.endpoint}/"
    data = None if method == "GET" else query
    request = AWSRequest(method, url, data=data)
    request.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    SigV4Auth(Credentials("AKIDEXAMPLE", "secret"), service, region).add_auth(request)
    prepared = request.prepare()
    http_request = urllib.request.Request(
        prepared.url,
        data=prepared.body.encode() if isinstance(prepared.body, str) else prepared.body,
        headers=dict(prepared.headers.items()),
        method=method,
    )
    try:
        with urllib.request.urlopen(http_request, timeout=10) as response:
            return response.status, ET.fromstring(response.read())
    except urllib.error.HTTPError as error:
        return error.code, ET.fromstring(error.read())


def code(root):
    return root.findtext("Errors/Error/Code")


# Responses


def assert_fits(shape, element):
    """Asserts that every element has the name and the type of a member of the model's shape."""
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
def test_responses_match_the_api_model(ec2, action):
    cidrs = FULL_WORLD["cidrs"] if action != "DeprovisionIpamByoasn" else []
    ec2.set_world(**{**FULL_WORLD, "cidrs": cidrs})
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


def test_deprovision_is_parsed_completely(ec2):
    response = ec2.client().deprovision_ipam_byoasn(**DEPROVISION)
    assert response["Byoasn"] == {
        "Asn": "64500",
        "IpamId": IPAM,
        "State": "pending-deprovision",
    }
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert response["ResponseMetadata"]["RequestId"] == headers["x-amzn-requestid"]


def test_asn_list_is_parsed_completely(ec2):
    ec2.set_world(**FULL_WORLD)
    response = ec2.client().describe_ipam_byoasn()
    assert response["Byoasns"] == [
        {
            "Asn": "64500",
            "IpamId": IPAM,
            "State": "failed-deprovision",
            "StatusMessage": FULL_WORLD["asns"][0]["status_message"],
        }
    ]
    assert "NextToken" not in response


def test_cidr_list_is_parsed_completely(ec2):
    ec2.set_world(**FULL_WORLD)
    response = ec2.client().describe_byoip_cidrs(MaxResults=10)
    assert response["ByoipCidrs"] == [
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


def test_disassociation_is_parsed_completely(ec2):
    ec2.set_world(cidrs=[{"cidr": CIDR, "associations": [{"asn": "64500"}]}])
    response = ec2.client().disassociate_ipam_byoasn(**DISASSOCIATE)
    assert response["AsnAssociation"] == {
        "Asn": "64500",
        "Cidr": CIDR,
        "State": "pending-disassociation",
    }


def test_aws_cli_can_retire_an_asn(ec2):
    ec2.set_world(cidrs=[{"cidr": CIDR, "associations": [{"asn": "64500"}]}])
    deprovision = ["deprovision-ipam-byoasn", "--ipam-id", IPAM, "--asn", "64500"]

    def error(*arguments):
        done = ec2.aws(*arguments)
        assert done.returncode != 0, done
        return done.stderr.split("(", 1)[1].split(")", 1)[0]

    def output(*arguments):
        done = ec2.aws(*arguments)
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    assert error(*deprovision, "--dry-run") == "DryRunOperation"
    assert error(*deprovision) == "DependencyViolation"
    disassociated = output("disassociate-ipam-byoasn", "--asn", "64500", "--cidr", CIDR)
    assert disassociated["AsnAssociation"]["State"] == "pending-disassociation"
    cidrs = output("describe-byoip-cidrs", "--max-results", "5")["ByoipCidrs"]
    assert cidrs[0]["AsnAssociations"][0]["State"] == "pending-disassociation"
    assert output(*deprovision) == {
        "Byoasn": {"Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision"}
    }
    assert output("describe-ipam-byoasn") == {
        "Byoasns": [{"Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision"}]
    }
    assert error(*deprovision) == "IncorrectState"


# Pages


def test_boto3_paginator_lists_every_cidr_once(ec2):
    cidrs = [f"10.{number}.0.0/16" for number in range(7)]
    ec2.set_world(cidrs=[{"cidr": cidr} for cidr in cidrs], page_size=3)
    pages = list(ec2.client().get_paginator("describe_byoip_cidrs").paginate(MaxResults=100))
    assert [len(page["ByoipCidrs"]) for page in pages] == [3, 3, 1]
    assert [cidr["Cidr"] for page in pages for cidr in page["ByoipCidrs"]] == cidrs


def test_page_tokens_list_every_asn_once(ec2):
    asns = [str(number) for number in range(64500, 64505)]
    ec2.set_world(asns=[{"asn": asn, "ipam_id": IPAM} for asn in asns])
    client = ec2.client()
    page = client.describe_ipam_byoasn(MaxResults=2)
    entries = page["Byoasns"]
    while token := page.get("NextToken"):
        page = client.describe_ipam_byoasn(MaxResults=2, NextToken=token)
        entries += page["Byoasns"]
    assert [entry["Asn"] for entry in entries] == asns
    assert len(ec2.calls()) == 3


@pytest.mark.parametrize("action", ["DescribeIpamByoasn", "DescribeByoipCidrs"])
@pytest.mark.parametrize("changes", [{"NextToken": "mine"}, {"MaxResults": 0}, {"MaxResults": 101}])
def test_invalid_token_or_page_size_is_rejected(ec2, action, changes):
    client = ec2.client(parameter_validation=False)
    assert error_of(call, client, action, **changes) == (400, "InvalidParameterValue")


# State


def test_deprovisioned_asn_is_pending_first(ec2):
    client = ec2.client()
    client.deprovision_ipam_byoasn(**DEPROVISION)
    states = [client.describe_ipam_byoasn()["Byoasns"][0]["State"] for _ in range(3)]
    assert states == ["pending-deprovision", "pending-deprovision", "deprovisioned"]


def test_repeated_deprovision_is_rejected(ec2):
    client = ec2.client()
    client.deprovision_ipam_byoasn(**DEPROVISION)
    assert error_of(client.deprovision_ipam_byoasn, **DEPROVISION) == (400, "IncorrectState")


def test_deprovision_with_associations_is_rejected(ec2):
    ec2.set_world(cidrs=[{"cidr": CIDR, "associations": [{"asn": "64500"}]}])
    assert error_of(ec2.client().deprovision_ipam_byoasn, **DEPROVISION) == (
        400,
        "DependencyViolation",
    )


def test_unknown_resources_are_not_found(ec2):
    client = ec2.client()
    for function, parameters, expected in [
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
        assert error_of(function, **parameters) == (400, expected)


# Requests


@every_action
def test_dry_run_is_412_and_changes_nothing(ec2, action):
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
def test_missing_parameter_is_named(ec2, action, name):
    client = ec2.client(parameter_validation=False)
    parameters = {key: value for key, value in ACTIONS[action].items() if key != name}
    with pytest.raises(ClientError, match=f"must contain the parameter {name}") as caught:
        getattr(client, botocore.xform_name(action))(**parameters)
    assert caught.value.response["Error"]["Code"] == "MissingParameter"


@every_action
def test_required_parameters_match_the_api_model(ec2, action):
    model = ec2.client().meta.service_model.operation_model(action).input_shape
    assert set(model.required_members) == set(ACTIONS[action])


@every_action
def test_known_parameters_match_the_api_model(ec2, action):
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


def test_unsupported_action_is_invalid(ec2):
    assert error_of(ec2.client().describe_ipams) == (400, "InvalidAction")


@pytest.mark.parametrize(
    ("version", "expected"),
    [({}, "MissingParameter"), ({"Version": "2015-12-01"}, "NoSuchVersion")],
)
def test_other_api_versions_are_rejected(ec2, version, expected):
    status, root = send(ec2, {"Action": "DescribeIpamByoasn", **version})
    assert (status, code(root)) == (400, expected)


def test_get_requests_are_supported(ec2):
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
def test_denied_access_key_fails_on_every_action(ec2, action):
    ec2.set_world(denied_access_keys=["AKIDDENIED"])
    client = ec2.client(key="AKIDDENIED")
    denied = (403, "UnauthorizedOperation")
    assert error_of(call, client, action) == denied
    assert error_of(call, client, action, DryRun=True) == denied


def test_denied_action_does_not_affect_others(ec2):
    ec2.set_world(denied_actions=["DescribeByoipCidrs"])
    client = ec2.client()
    assert error_of(call, client, "DescribeByoipCidrs") == (403, "UnauthorizedOperation")
    call(client, "DeprovisionIpamByoasn")


@every_action
def test_unsigned_requests_are_rejected(ec2, action):
    client = ec2.client(signature_version=botocore.UNSIGNED)
    assert error_of(call, client, action) == (400, "MissingParameter")


def test_signature_for_another_region_is_rejected(ec2):
    client = ec2.client(region="eu-west-1")
    assert error_of(client.describe_ipam_byoasn) == (401, "AuthFailure")


def test_signature_for_another_service_is_rejected(ec2):
    params = {"Action": "DescribeIpamByoasn", "Version": "2016-11-15"}
    status, root = send(ec2, params, service="sts")
    assert (status, code(root)) == (401, "AuthFailure")


# Faults


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_boto3_retries_a_throttle(ec2, mode):
    ec2.queue_faults("DeprovisionIpamByoasn", {"kind": "throttle"})
    client = ec2.client(retries={"total_max_attempts": 3, "mode": mode})
    response = client.deprovision_ipam_byoasn(**DEPROVISION)
    assert response["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(ec2.calls()) == 2


def test_throttle_is_503(ec2):
    ec2.queue_faults("DescribeIpamByoasn", {"kind": "throttle"})
    assert error_of(ec2.client().describe_ipam_byoasn) == (503, "RequestLimitExceeded")


def test_errors_have_a_request_id(ec2):
    error = {"kind": "error", "status": 500, "code": "InternalError", "message": "a < b & c"}
    ec2.queue_faults("DescribeIpamByoasn", error)
    with pytest.raises(ClientError) as caught:
        ec2.client().describe_ipam_byoasn()
    response = caught.value.response
    assert response["Error"] == {"Code": "InternalError", "Message": "a < b & c"}
    metadata = response["ResponseMetadata"]
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]


def test_request_id_can_be_in_the_body_only(ec2):
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
def test_response_can_be_lost_with_and_without_effect(ec2, kind, error, after_effect):
    ec2.queue_faults("DeprovisionIpamByoasn", {"kind": kind, "after_effect": after_effect})
    client = ec2.client(read_timeout=1)
    with pytest.raises(error):
        client.deprovision_ipam_byoasn(**DEPROVISION)
    expected = "pending-deprovision" if after_effect else "provisioned"
    assert client.describe_ipam_byoasn()["Byoasns"][0]["State"] == expected


def test_truncated_xml_is_a_parser_error(ec2):
    ec2.queue_faults("DescribeIpamByoasn", {"kind": "truncated-xml", "status": 200})
    with pytest.raises(ResponseParserError):
        ec2.client().describe_ipam_byoasn()


def test_success_can_lack_byoasn(ec2):
    ec2.queue_faults("DeprovisionIpamByoasn", {"kind": "no-byoasn"})
    assert "Byoasn" not in ec2.client().deprovision_ipam_byoasn(**DEPROVISION)


# The program


def test_https_works_with_the_ca(tls_ec2):
    response = tls_ec2.client().describe_ipam_byoasn()
    assert response["Byoasns"][0]["Asn"] == "64500"
    assert tls_ec2.aws("describe-ipam-byoasn").returncode == 0
    with pytest.raises(SSLError):
        tls_ec2.client(verify=True).describe_ipam_byoasn()


def test_world_can_be_read_from_a_file(ec2_from_file):
    response = ec2_from_file.client().describe_ipam_byoasn()
    assert [entry["Asn"] for entry in response["Byoasns"]] == ["1"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_program(program, number):
    program.send_signal(number)
    assert program.wait(timeout=10) == -number
