"""The EC2 stand-in: a world to set, faults to inject, calls to read."""

import json
import urllib.request

IPAM = "ipam-0123456789abcdef0"
NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
# A fault that delays a call by nothing: the place of a normal response in a list of faults.
NO_FAULT = {"kind": "slow", "seconds": 0}


def after(describes):
    """A pending state ends after it was listed in this many Describe responses."""
    return {"describes": describes}


def asn(number="64500", **members):
    return {"asn": number, "ipam_id": IPAM, "state": "provisioned", "status_message": None, **members}


def association(number="64500", **members):
    return {"asn": number, "state": "associated", **members}


def cidr(block="203.0.113.0/24", *associations, state="provisioned"):
    return {"cidr": block, "state": state, "associations": list(associations)}


def error(code, message, status=400):
    return {"kind": "error", "status": status, "code": code, "message": message}


def response(action, content):
    """A successful response with this XML in place of the world's."""
    body = f'<{action}Response xmlns="{NAMESPACE}"><requestId>1</requestId>{content}</{action}Response>'
    return {"kind": "raw", "status": 200, "headers": {"content-type": "text/xml"}, "body": body}


class StandIn:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def set_world(self, asns=(), cidrs=(), **members):
        """Replaces the world, and removes all faults and calls."""
        world = {
            "region": "us-east-1",
            "denied_access_keys": [],
            "denied_actions": [],
            "ipams": [IPAM],
            "asns": list(asns),
            "cidrs": list(cidrs),
            "page_size": 100,
            "dry_run_status": 412,
            "request_id_header": True,
            **members,
        }
        self._control("PUT", "world", world)

    def inject(self, action, *faults):
        """Each of the next calls of this action meets one of these faults. A string is a fault without parameters."""
        faults = [{"kind": fault} if isinstance(fault, str) else fault for fault in faults]
        self._control("POST", "faults", {"action": action, "faults": faults})

    def calls(self):
        return self._control("GET", "calls")

    def actions(self):
        return [call["action"] for call in self.calls()]

    def changes(self):
        """The calls that change something, each with the CIDR or the ASN that it names."""
        return [
            (call["action"], call["params"].get("Cidr", call["params"]["Asn"]))
            for call in self.calls()
            if call["action"] in ("DeprovisionIpamByoasn", "DisassociateIpamByoasn") and call["params"].get("DryRun") != "true"
        ]

    def _control(self, method, what, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{what}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as received:
            text = received.read()
        return json.loads(text) if text else None
