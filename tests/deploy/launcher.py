"""A local AWS on 127.0.0.1: MiniStack, with the one BYOASN action that the workflow calls itself.

The action is forwarded to the project's EC2 stand-in, which the deployed function calls too.

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

STAND_IN = os.environ["AWS_ENDPOINT_URL_EC2"]


def forward_to_stand_in(params):
    """Signs an EC2 call, forwards it, and returns status, headers and body of the response."""
    body = urllib.parse.urlencode({"Version": "2016-11-15", **params}, doseq=True).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    signed = AWSRequest("POST", STAND_IN + "/", headers=headers, data=body)
    SigV4Auth(Credentials("test", "test"), "ec2", get_region()).add_auth(signed)
    request = urllib.request.Request(signed.url, body, dict(signed.headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def use_one_name_for_ec2_errors():
    """Names every EC2 error Ec2.Ec2Exception, as Step Functions is known to do. MiniStack names them Ec2.<code>.

    AWS documents neither, and the workflow must not depend on it.
    """
    name = stepfunctions._prefix_sdk_error
    stepfunctions._prefix_sdk_error = lambda service, code: (
        "Ec2.Ec2Exception" if service == "ec2" else name(service, code)
    )


if __name__ == "__main__":
    ec2._ACTION_MAP["DisassociateIpamByoasn"] = forward_to_stand_in
    use_one_name_for_ec2_errors()
    app.main()
