"""The schemas in schema/ and the function agree: on every sample, and on thousands of events that nobody wrote."""

import json
import random

import pytest
from jsonschema import Draft202012Validator

from conftest import ROOT
from test_runtime_interface_emulator import emulated  # noqa: F401, a fixture

EVENTS = 3_000
SAMPLES = sorted(ROOT.glob("events/**/*.json"))
# What a schema cannot see: which samples are refused for the way they are written.
ONLY_THE_FUNCTION = {"dry-run-twice"}

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
STRANGERS = ["dryRun", "Dryrun", "DRYRUN", "DryRunfirst", "ipamId", "asn", "Comment", "detail", "detail-type", ""]


def request(dice):
    """A request that is good more often than not."""
    made = {
        "IpamId": IPAMS[0] if dice.random() < 0.7 else dice.choice(IPAMS),
        "Asn": asn(dice),
    }
    for name in ("DryRun", "DryRunFirst"):
        if dice.random() < 0.4:
            made[name] = dice.choice(FLAGS)
    if dice.random() < 0.1:
        made[dice.choice(STRANGERS)] = dice.choice([True, "x", None, {}])
    if dice.random() < 0.1:
        del made[dice.choice(sorted(made))]
    return made


def asn(dice):
    number = dice.choice([dice.randrange(2**8), dice.randrange(2**16), dice.randrange(2**32), dice.randrange(2**33)])
    forms = [number, str(number), f"AS{number}", f"{number >> 16}.{number & 0xFFFF}", f"{number % 70_000}.{number % 66_000}"]
    return dice.choice(forms) if dice.random() < 0.5 else dice.choice(ASNS)


def event(dice):
    kind = dice.random()
    if kind < 0.65:
        return request(dice)
    if kind < 0.97:
        envelope = {"detail-type": "Deprovision IPAM BYOASN", "detail": request(dice), "source": "com.example.network"}
        if dice.random() < 0.3:
            envelope[dice.choice(["IpamId", "DryRun", "dryrun", "ASN", "DryRunFirst", "DryRuns", "replay-name"])] = True
        if dice.random() < 0.1:
            del envelope[dice.choice(sorted(envelope))]
        return envelope
    return dice.choice([None, [], "64500", 64500, True, [{"IpamId": IPAMS[0], "Asn": 1}]])


def schema(name):
    read = json.loads((ROOT / "schema" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(read)
    return Draft202012Validator(read)


@pytest.fixture(scope="module")
def schemas():
    return {name: schema(name) for name in ("request", "response", "error")}


def accepts(function, schemas, event):
    """Whether the function takes the event; and what it answers keeps to its schema."""
    function.ec2.set_world(asns=[{"asn": "64500", "ipam_id": IPAMS[0]}])
    answer = function.invoke(event)
    schemas["error" if "errorType" in answer else "response"].validate(answer)
    if answer.get("errorType") != "InvalidEvent":
        assert function.ec2.calls(), event
        return True
    assert function.ec2.calls() == [], event
    return False


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_valid_exactly_when_the_function_takes_it(emulated, schemas, sample):  # noqa: F811
    valid = schemas["request"].is_valid(json.loads(sample.read_text()))
    assert valid == (sample.parent.name != "invalid" or sample.stem in ONLY_THE_FUNCTION)
    assert accepts(emulated, schemas, sample.read_bytes()) == (sample.parent.name != "invalid")


def test_thousands_of_events_are_valid_exactly_when_the_function_takes_them(emulated, schemas):  # noqa: F811
    dice = random.Random(64500)
    taken = 0
    for _ in range(EVENTS):
        given = event(dice)
        accepted = accepts(emulated, schemas, json.dumps(given).encode())
        assert schemas["request"].is_valid(given) == accepted, given
        taken += accepted
    assert EVENTS / 10 < taken < EVENTS * 9 / 10, "the events are worth something only when both happen often"


def test_a_whole_number_with_a_fraction_or_exponent_is_the_one_value_on_which_they_differ(emulated, schemas):  # noqa: F811
    for number in ("64500.0", "645e2"):
        written = f'{{"IpamId": "ipam-0a", "Asn": {number}}}'.encode()
        assert schemas["request"].is_valid(json.loads(written)), "to JSON Schema it is an integer"
        assert not accepts(emulated, schemas, written)
