"""The schemas in schema/ and the function agree on every sample event and on thousands of random events."""

import itertools
import json
import random

import pytest
from jsonschema import Draft202012Validator

from conftest import ROOT

EVENTS = 3_000
SAMPLES = sorted(ROOT.glob("events/**/*.json"))
# Samples that a schema accepts, because JSON parsers drop duplicate members.
REJECTED_ONLY_BY_THE_FUNCTION = {"dry-run-twice"}

ASNS = [
    *("64500", "AS64500", "as1", "1.10", "0.1", "65535.65534", "4294967294", "AS0.64500", "4294967295", "4294967300"),
    *("0", "0.0", "65535.65535", "65536.1", "1.65536", "064500", "01.1", "AS", "", " 1", "1 ", "1\n", "+1", "-1", "1.", ".1"),
    *(1, 64500, 4294967294, 4294967295, 0, -1, 1.5, 10**20, True, None, [64500], {"Asn": 1}, "٦", "ＡＳ1", "1.1.1", "1e3"),
]
IPAMS = [
    *("ipam-0123456789abcdef0", "ipam-0", "ipam-abc", "ipam-", "ipam-A", "ipam-pool-0a", "ipam-scope-0a", "IPAM-0a", "0a"),
    *("ipam-0a\n", " ipam-0a", "ipam-0a ", "ipam-res-disco-0a", "arn:aws:ec2::123456789012:ipam/ipam-0a", 1, None, []),
]
FLAGS = [True, False, True, False, "true", 0, 1, None, []]
BOOLEANS = ("DryRun", "DryRunFirst", "DescribeOnly")
UNKNOWN_MEMBERS = [
    *("dryRun", "Dryrun", "DRYRUN", "DryRunfirst", "describeOnly", "dry_run", "Describe Only", "ipamId", "asn", "Comment"),
    *("detail", "detail-type", ""),
]
# Beside `detail`: names that resemble a request member, and names that do not.
ENVELOPE_MEMBERS = [
    *("IpamId", "ipam_id", "Ipam Id", "IPAM-ID", "ASN", "asn", "A.S.N", "DryRun", "dryrun", "dry_run", "Dry Run", "DRY-RUN"),
    *("DryRunFirst", "Dry Run First", "dry_run_first", "DRY-RUN-FIRST", "DescribeOnly", "describeOnly", "describe_only"),
    *("Describe Only!", "_DryRun_", "\tdry\nrun", "\u2028DryRun", "Dry\u00a0Run", "\u200bDryRun", "DryRun\u0000"),
    *("id", "account", "time", "region", "resources", "version", "replay-name", "DryRuns", "dry_runs", "NotDryRun"),
    *("Describe", "Only", "IpamIds", "AsnAssociations", "", "_", "DryRun1", "1DryRun"),
]


def request(rng):
    """A random request, valid in most cases."""
    members = {
        "IpamId": IPAMS[0] if rng.random() < 0.7 else rng.choice(IPAMS),
        "Asn": asn(rng),
    }
    for name in BOOLEANS:
        if rng.random() < 0.3:
            members[name] = rng.choice(FLAGS)
    if rng.random() < 0.1:
        members[rng.choice(UNKNOWN_MEMBERS)] = rng.choice([True, "x", None, {}])
    if rng.random() < 0.1:
        del members[rng.choice(sorted(members))]
    return members


def asn(rng):
    number = rng.choice([rng.randrange(2**8), rng.randrange(2**16), rng.randrange(2**32), rng.randrange(2**33)])
    forms = [number, str(number), f"AS{number}", f"{number >> 16}.{number & 0xFFFF}", f"{number % 70_000}.{number % 66_000}"]
    return rng.choice(forms) if rng.random() < 0.5 else rng.choice(ASNS)


def event(rng):
    kind = rng.random()
    if kind < 0.65:
        return request(rng)
    if kind < 0.97:
        envelope = {"detail-type": "Deprovision IPAM BYOASN", "detail": request(rng), "source": "com.example.network"}
        if rng.random() < 0.3:
            envelope[rng.choice(ENVELOPE_MEMBERS)] = True
        if rng.random() < 0.1:
            del envelope[rng.choice(sorted(envelope))]
        return envelope
    return rng.choice([None, [], "64500", 64500, True, [{"IpamId": IPAMS[0], "Asn": 1}]])


def schema(name):
    document = json.loads((ROOT / "schema" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


@pytest.fixture(scope="module")
def schemas():
    return {name: schema(name) for name in ("request", "response", "error")}


def accepts(function, schemas, event):
    """Whether the function accepts the event. Also validates the response against its schema."""
    function.ec2.set_world(asns=[{"asn": "64500", "ipam_id": IPAMS[0]}])
    response = function.invoke(event)
    schemas["error" if "errorType" in response else "response"].validate(response)
    if response.get("errorType") != "InvalidEvent":
        assert function.ec2.calls(), event
        return True
    assert function.ec2.calls() == [], event
    return False


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_schema_and_function_agree_on_sample_events(emulated, schemas, sample):
    valid = schemas["request"].is_valid(json.loads(sample.read_text()))
    assert valid == (sample.parent.name != "invalid" or sample.stem in REJECTED_ONLY_BY_THE_FUNCTION)
    assert accepts(emulated, schemas, sample.read_bytes()) == (sample.parent.name != "invalid")


def test_schema_and_function_agree_on_random_events(emulated, schemas):
    rng = random.Random(64500)
    accepted_count = 0
    for _ in range(EVENTS):
        sample = event(rng)
        accepted = accepts(emulated, schemas, json.dumps(sample).encode())
        assert schemas["request"].is_valid(sample) == accepted, sample
        accepted_count += accepted
    # The comparison needs many accepted and many rejected events.
    assert EVENTS / 10 < accepted_count < EVENTS * 9 / 10


def test_schema_and_function_agree_on_names_beside_detail(emulated, schemas):
    accepted = set()
    for name in ENVELOPE_MEMBERS:
        sample = {"detail-type": "a", "detail": {"IpamId": IPAMS[0], "Asn": "64500"}, name: True}
        valid = schemas["request"].is_valid(sample)
        assert accepts(emulated, schemas, json.dumps(sample).encode()) == valid, name
        assert accepts(emulated, schemas, json.dumps(sample, ensure_ascii=False).encode()) == valid, name
        accepted |= {name} if valid else set()
    assert "dry_runs" in accepted
    assert not accepted & {"DryRun", "dry_run", "Dry Run First", "describeOnly", "IPAM-ID", "A.S.N"}


def test_schema_and_function_agree_on_combined_booleans(emulated, schemas):
    for values in itertools.product([None, False, True], repeat=len(BOOLEANS)):
        members = {name: value for name, value in zip(BOOLEANS, values) if value is not None}
        sample = {"IpamId": IPAMS[0], "Asn": "64500", **members}
        expected = values[2] is not True or True not in values[:2]
        assert schemas["request"].is_valid(sample) == expected, sample
        assert accepts(emulated, schemas, json.dumps(sample).encode()) == expected, sample


def test_integers_with_fraction_or_exponent_differ(emulated, schemas):
    for number in ("64500.0", "645e2"):
        text = f'{{"IpamId": "ipam-0a", "Asn": {number}}}'.encode()
        assert schemas["request"].is_valid(json.loads(text)), "an integer in JSON Schema"
        assert not accepts(emulated, schemas, text)
