"""The EC2 stand-in as tests see it: a world to set, faults to inject, calls to read."""

import json
import urllib.request

IPAM = "ipam-0123456789abcdef0"


def asn(number="64500", **members):
    return {"asn": number, "ipam_id": IPAM, "state": "provisioned", "status_message": None, **members}


def association(number="64500", **members):
    return {"asn": number, "state": "associated", **members}


def cidr(block="203.0.113.0/24", *associations):
    return {"cidr": block, "state": "advertised", "associations": list(associations)}


class StandIn:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def is_world(self, asns=(), cidrs=(), **members):
        """Starts over with this world, without faults and calls."""
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

    def fails(self, action, *kinds):
        """The next calls of this action meet these faults, one each."""
        self._control("POST", "faults", {"action": action, "faults": [{"kind": kind} for kind in kinds]})

    def calls(self):
        return self._control("GET", "calls")

    def actions(self):
        return [call["action"] for call in self.calls()]

    def _control(self, method, what, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{what}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None
