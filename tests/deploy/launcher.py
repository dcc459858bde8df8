"""A local AWS on 127.0.0.1: MiniStack, with the BYOASN actions that it lacks.

The four actions go to the project's EC2 stand-in, to which the deployed function talks as well: there is one
BYOASN world, whoever asks.

    GATEWAY_PORT=4566 BIND_HOST=127.0.0.1 AWS_ENDPOINT_URL_EC2=http://127.0.0.1:PORT python launcher.py
"""

import os
import urllib.error
import urllib.parse
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack import app
from ministack.core.responses import get_region
from ministack.services import ec2, stepfunctions

BYOASN_ACTIONS = [
    "DeprovisionIpamByoasn",
    "DescribeByoipCidrs",
    "DescribeIpamByoasn",
    "DisassociateIpamByoasn",
]
STAND_IN = os.environ["AWS_ENDPOINT_URL_EC2"]


def ask_stand_in(params):
    """Passes an EC2 call on, signed, and hands back status, headers and body as they came."""
    body = urllib.parse.urlencode({"Version": "2016-11-15", **params}, doseq=True).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    signed = AWSRequest("POST", STAND_IN + "/", headers=headers, data=body)
    SigV4Auth(Credentials("test", "test"), "ec2", get_region()).add_auth(signed)
    request = urllib.request.Request(signed.url, body, dict(signed.headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, dict(refusal.headers), refusal.read()


def name_ec2_errors_as_aws_does():
    """EC2 models no errors, so Step Functions calls each of them Ec2.Ec2Exception; MiniStack would say Ec2.<code>."""
    name = stepfunctions._prefix_sdk_error
    stepfunctions._prefix_sdk_error = lambda service, code: (
        "Ec2.Ec2Exception" if service == "ec2" else name(service, code)
    )


if __name__ == "__main__":
    for action in BYOASN_ACTIONS:
        ec2._ACTION_MAP[action] = ask_stand_in
    name_ec2_errors_as_aws_does()
    app.main()
