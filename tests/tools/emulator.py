"""Runs the function under AWS's Runtime Interface Emulator."""

import contextlib
import json
import urllib.request

import invoke
from package import HOST_ARCHITECTURE, ROOT

FUNCTION = ROOT / "target" / "debug" / "deprovision-ipam-byoasn"
REQUEST = {"IpamId": "ipam-0123456789abcdef0", "Asn": "64500"}
PENDING = {"Byoasn": {**REQUEST, "State": "pending-deprovision"}}
TIMEOUT = 4


class Function:
    """The function under the emulator. Invocations must be sequential: concurrent ones crash the emulator."""

    def __init__(self, ec2, url, log):
        self.ec2 = ec2
        self.url = url
        self.log = log

    def invoke(self, event):
        event = event if isinstance(event, bytes) else json.dumps(event).encode()
        call = urllib.request.Request(
            f"{self.url}/2015-03-31/functions/function/invocations", event, method="POST"
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=60) as response:
            return json.load(response)


@contextlib.contextmanager
def running(endpoint, log, ec2=None, **environment):
    """Starts the emulator with the function, which calls `ec2` at `endpoint`."""
    samcli = "lib/python3*/site-packages/samcli"
    [program] = (ROOT / ".venv" / "test").glob(f"{samcli}/local/rapid/aws-lambda-rie-{HOST_ARCHITECTURE}")
    port = invoke.free_port()
    command = [
        program,
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{invoke.free_port()}"),
        FUNCTION,
    ]
    environment = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT),
        "AWS_ENDPOINT_URL_EC2": endpoint,
        **environment,
    }
    with log.open("w") as output, invoke.running(command, env=environment, stdout=output, stderr=output) as process:
        invoke.wait_until_listening(process, port)
        yield Function(ec2, f"http://127.0.0.1:{port}", log)
