"""Every decision and every JSONata expression of the workflow, evaluated with the reference implementation.

tests/deploy runs the same workflow against the real function; its engine uses another implementation of JSONata.
"""

import json

import pytest

from rendered import state_machine
from states import Execution, Jsonata, StatesError, is_expression

IPAM = "ipam-0123456789abcdef0"
REQUEST = {"IpamId": IPAM, "Asn": "AS64500"}
PERMISSION = {"DryRun": True, "IpamId": IPAM, "Asn": "64500", "Message": 'Passed: "DryRun" \\ is set.'}
PROVISIONED = [{"State": "provisioned"}]
PENDING = [{"State": "pending-deprovision"}]
DEPROVISIONED = [{"State": "deprovisioned"}]
GONE = {"Asn": "64500", "IpamId": IPAM, "State": "deprovisioned"}
TWELVE = [f"198.51.100.{16 * number}/28" for number in range(12)]


def entry(**members):
    return {"Asn": "64500", "IpamId": IPAM, **members}


def association(cidr="203.0.113.0/24", **members):
    return {"Cidr": cidr, "State": "associated", "ByoipCidrState": "provisioned", **members}


class Fake:
    """The function and EC2: reports in turn, of which the last is repeated, and the error of a disassociation, if any."""

    def __init__(self, reports, refuse=lambda cidr, calls: None):
        self.reports = list(reports)
        self.refuse = refuse
        self.calls = []

    def __call__(self, resource, arguments):
        if resource.endswith(":aws-sdk:ec2:disassociateIpamByoasn"):
            self.calls.append(("disassociate", arguments["Cidr"]))
            assert arguments["Asn"] == "64500"
            if error := self.refuse(arguments["Cidr"], len(self.calls)):
                raise StatesError(*error)
            return {}
        assert resource.endswith(":lambda:invoke")
        payload = arguments["Payload"]
        if "DescribeOnly" in payload:
            assert payload == {"IpamId": IPAM, "Asn": "64500", "DescribeOnly": True}
            self.calls.append(("describe", None))
            byoasns, associations = self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]
            report = {"Byoasns": [entry(**members) for members in byoasns], "AsnAssociations": associations}
            return {"Payload": {"DescribeOnly": True, "IpamId": IPAM, "Asn": "64500", **report}}
        for name in ("DryRun", "DryRunFirst"):
            if not isinstance(payload.get(name, False), bool):
                raise StatesError("InvalidEvent", f"{name}: expected true or false")
        if payload.get("DryRun"):
            self.calls.append(("dry run", None))
            return {"Payload": PERMISSION}
        assert payload["Asn"] == "64500"
        self.calls.append(("deprovision", None))
        return {"Payload": {"Byoasn": entry(State="pending-deprovision")}}

    def count(self, kind):
        return [call for call, _ in self.calls].count(kind)

    def disassociated(self):
        return [cidr for call, cidr in self.calls if call == "disassociate"]


@pytest.fixture(scope="module")
def jsonata():
    engine = Jsonata()
    yield engine
    engine.stop()


@pytest.fixture
def run(jsonata):
    definition = state_machine()

    def execute(fake, **members):
        return Execution(jsonata, definition, REQUEST | members, fake)

    return execute


def end(execution):
    return execution.error or execution.entered[-1]


REMOVES = "deprovisions, and removes associations first if there are any"
NOTHING = "changes nothing, because EC2 has accepted or completed the deprovision"

# The states of the ASN's entries, and what happens without associations, with one, and with one and Disassociate.
STATES = [
    ([], "AsnNotProvisioned", "AsnNotProvisioned", "AsnNotProvisioned"),
    (["provisioned"], REMOVES, "AsnStillAssociated", REMOVES),
    (["failed-deprovision"], REMOVES, "AsnStillAssociated", REMOVES),
    (["pending-provision"], REMOVES, "AsnNotProvisioned", "AsnNotProvisioned"),
    (["failed-provision"], REMOVES, "AsnNotProvisioned", "AsnNotProvisioned"),
    (["deprovisioned"], NOTHING, NOTHING, NOTHING),
    (["pending-deprovision"], NOTHING, NOTHING, NOTHING),
    (["a-new-state"], REMOVES, "AsnNotProvisioned", "AsnNotProvisioned"),
    ([None], REMOVES, "AsnNotProvisioned", "AsnNotProvisioned"),
    (["failed-provision", "provisioned"], REMOVES, "AsnStillAssociated", REMOVES),
    (["deprovisioned", "provisioned"], REMOVES, "AsnStillAssociated", REMOVES),
    (["provisioned", "deprovisioned", "failed-provision"], REMOVES, "AsnStillAssociated", REMOVES),
    (["deprovisioned", "pending-provision"], REMOVES, "AsnNotProvisioned", "AsnNotProvisioned"),
    (["deprovisioned", "failed-provision"], NOTHING, NOTHING, NOTHING),
    (["pending-deprovision", "provisioned"], NOTHING, NOTHING, NOTHING),
]
CASES = [
    pytest.param(states, kind, expected, id=f"{'+'.join(map(str, states)) or 'none'}-{kind}")
    for states, *endings in STATES
    for kind, expected in zip(("alone", "associated", "disassociate"), endings)
]


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
@pytest.mark.parametrize("states, kind, expected", CASES)
def test_each_state_of_the_asn(run, states, kind, expected, dry_run):
    entries = [{} if state is None else {"State": state} for state in states]
    associations = [] if kind == "alone" else [association()]
    fake = Fake([(entries, associations), *([(entries, [])] if associations else []), (DEPROVISIONED, [])])

    execution = run(fake, Disassociate=kind == "disassociate", DryRun=dry_run)

    removed = associations if expected == REMOVES else []
    if expected not in (REMOVES, NOTHING):
        assert end(execution) == expected
    elif dry_run:
        byoasns = [entry(**members) for members in entries]
        assert end(execution) == "Report"
        assert execution.output == PERMISSION | {"Byoasns": byoasns, "AsnAssociations": removed}
    else:
        assert end(execution) == "Deprovisioned"
        assert execution.output == GONE
    assert fake.count("deprovision") == (expected == REMOVES and not dry_run)
    assert fake.disassociated() == ([] if dry_run else [each["Cidr"] for each in removed])


class TestAssociations:
    STATES = ["associated", "failed-association", "failed-disassociation", "advertised", "a-new-state"]

    @pytest.mark.parametrize("state", [*STATES, None])
    def test_each_state_is_removed_on_request(self, run, state):
        remaining = association(State=state)
        if state is None:
            del remaining["State"]
        fake = Fake([(PROVISIONED, [remaining]), (PROVISIONED, []), (DEPROVISIONED, [])])

        assert end(run(fake, Disassociate=True)) == "Deprovisioned"
        assert fake.disassociated() == ["203.0.113.0/24"]

    @pytest.mark.parametrize("state", ["pending-association", "pending-disassociation"])
    def test_pending_ones_are_waited_for(self, run, state):
        waiting = (PROVISIONED, [association(State=state)])
        fake = Fake([waiting] * 9 + [(PROVISIONED, [association()]), (PROVISIONED, []), (DEPROVISIONED, [])])

        assert end(run(fake, Disassociate=True)) == "Deprovisioned"
        assert fake.disassociated() == ["203.0.113.0/24"]

    @pytest.mark.parametrize("state", [*STATES, "pending-association", "pending-disassociation"])
    def test_each_state_stops_it_without_the_request(self, run, state):
        fake = Fake([(PROVISIONED, [association(State=state)])])

        execution = run(fake)

        assert end(execution) == "AsnStillAssociated"
        assert f"203.0.113.0/24 ({state})" in execution.cause
        assert ("advertise-byoip-cidr --asn AWS" in execution.cause) == (state == "advertised")

    def test_an_advertised_cidr_is_named_with_both_commands(self, run):
        remaining = [
            association(ByoipCidrState="advertised"),
            association("198.51.100.0/24"),
            association("192.0.2.0/24", State="advertised"),
        ]

        cause = run(Fake([(PROVISIONED, remaining)])).cause

        assert "Advertised: 203.0.113.0/24, 192.0.2.0/24." in cause
        assert "aws ec2 advertise-byoip-cidr --asn AWS --cidr CIDR" in cause
        assert "aws ec2 withdraw-byoip-cidr --cidr CIDR" in cause

    def test_twelve_are_removed_one_at_a_time(self, run):
        fake = Fake([(PROVISIONED, [association(cidr) for cidr in TWELVE]), (PROVISIONED, []), (DEPROVISIONED, [])])

        assert end(run(fake, Disassociate=True)) == "Deprovisioned"
        assert fake.disassociated() == TWELVE

    def test_only_those_without_a_change_in_progress_are_removed(self, run):
        remaining = [association(State="pending-disassociation"), association("198.51.100.0/24")]
        fake = Fake([(PROVISIONED, remaining), (PROVISIONED, []), (DEPROVISIONED, [])])

        assert end(run(fake, Disassociate=True)) == "Deprovisioned"
        assert fake.disassociated() == ["198.51.100.0/24"]

    def test_a_missing_cidr_is_a_refusal(self, run):
        fake = Fake([(PROVISIONED, [{"State": "associated"}])])

        assert end(run(fake, Disassociate=True)) == "AsnStillAssociated"

    def test_ownership_is_checked_before_every_round(self, run):
        fake = Fake([(PROVISIONED, [association()]), ([], [association()])])

        assert end(run(fake, Disassociate=True)) == "AsnNotProvisioned"
        assert fake.disassociated() == ["203.0.113.0/24"]
        assert fake.count("deprovision") == 0


class TestRefusals:
    DENIED = ("Ec2.Ec2Exception", 'You are not "authorized": \\ {% $x %}')

    def test_one_refusal_neither_ends_nor_stops_the_others(self, run):
        three = [association(cidr) for cidr in TWELVE[:3]]
        fake = Fake(
            [(PROVISIONED, three), (PROVISIONED, three[1:2]), (PROVISIONED, []), (DEPROVISIONED, [])],
            lambda cidr, calls: self.DENIED if cidr == TWELVE[1] and calls <= 5 else None,
        )

        assert end(run(fake, Disassociate=True)) == "Deprovisioned"
        assert fake.disassociated() == [TWELVE[0], *[TWELVE[1]] * 3, TWELVE[2], TWELVE[1]]

    def test_five_refused_rounds_end_it_with_the_last_refusal(self, run):
        fake = Fake([(PROVISIONED, [association()])], lambda cidr, calls: (*self.DENIED[:1], f"refusal {calls}"))

        execution = run(fake, Disassociate=True)

        assert end(execution) == "AsnStillAssociated"
        assert execution.entered.count("DisassociateAll") == 5
        assert "203.0.113.0/24 (associated) after 5 rounds" in execution.cause
        assert "Last refusal, for 203.0.113.0/24: Ec2.Ec2Exception: refusal 21." in execution.cause

    def test_the_last_refusal_is_kept_through_later_rounds(self, run):
        failing = (PROVISIONED, [association(State="failed-disassociation")])
        fake = Fake([failing], lambda cidr, calls: self.DENIED if calls <= 5 else None)

        cause = run(fake, Disassociate=True).cause

        assert f"Last refusal, for 203.0.113.0/24: {self.DENIED[0]}: {self.DENIED[1]}." in cause

    @pytest.mark.parametrize("count, kept", [(1, 2000), (25, 2000), (500, 100)])
    def test_refusals_of_a_round_fit_into_256_kib(self, run, count, kept):
        associations = [association(f"2001:db8:{number:x}::/48") for number in range(count)]
        fake = Fake([(PROVISIONED, associations)], lambda cidr, calls: ("Ec2.Ec2Exception", "x" * 3000))

        execution = run(fake, Disassociate=True)

        assert end(execution) == "AsnStillAssociated"
        assert f"Ec2.Ec2Exception: {'x' * kept}." in execution.cause

    def test_no_refusal_is_reported_if_there_was_none(self, run):
        execution = run(Fake([(PROVISIONED, [association(State="failed-disassociation")])]), Disassociate=True)

        assert end(execution) == "AsnStillAssociated"
        assert "refusal" not in execution.cause

    def test_removals_of_the_fifth_round_are_waited_for(self, run):
        pending = (PROVISIONED, [association(State="pending-disassociation")])
        fake = Fake([(PROVISIONED, [association()])] * 5 + [pending] * 3 + [(PROVISIONED, []), (DEPROVISIONED, [])])

        assert end(run(fake, Disassociate=True)) == "Deprovisioned"


class TestAfterAcceptance:
    def test_five_reports_without_an_entry_are_success(self, run):
        fake = Fake([(PROVISIONED, []), ([], [])])

        execution = run(fake)

        assert end(execution) == "NoLongerListed"
        assert execution.output == {"Asn": "64500", "IpamId": IPAM}
        assert fake.count("describe") == 6

    def test_a_stale_entry_that_remains_does_not_count(self, run):
        stale = {"State": "failed-provision"}

        assert end(run(Fake([([stale, *PROVISIONED], []), ([stale], [])]))) == "NoLongerListed"

    def test_a_failed_provision_entry_that_remains_is_no_success(self, run):
        assert end(run(Fake([([{"State": "failed-provision"}], [])]))) == "DeprovisionUnconfirmed"

    def test_five_reports_of_another_state_are_no_success(self, run):
        fake = Fake([(PROVISIONED, [])])

        execution = run(fake)

        assert end(execution) == "DeprovisionUnconfirmed"
        assert "EC2 lists it as provisioned." in execution.cause
        assert fake.count("describe") == 6
        assert fake.count("deprovision") == 1

    def test_only_consecutive_reports_count(self, run):
        nothing, other, pending = ([], []), (PROVISIONED, []), (PENDING, [])
        unclear = [*[nothing] * 4, *[other] * 4, *[nothing] * 4, pending, *[nothing] * 4, pending, *[other] * 4, pending]

        assert end(run(Fake([(PROVISIONED, []), *unclear, (DEPROVISIONED, [])]))) == "Deprovisioned"

    def test_a_later_failure_is_reported_with_its_message(self, run):
        failed = {"State": "failed-deprovision", "StatusMessage": 'in "use"'}

        execution = run(Fake([(PROVISIONED, []), (PENDING, []), ([failed], [])]))

        assert end(execution) == "DeprovisionFailed"
        assert execution.cause == f'AS64500 in {IPAM} could not be deprovisioned: in "use"'

    def test_a_later_failure_without_a_message_is_reported(self, run):
        cause = run(Fake([(PROVISIONED, []), ([{"State": "failed-deprovision"}], [])])).cause

        assert cause.endswith("EC2 gives no reason")

    def test_a_deprovision_of_an_earlier_execution_is_waited_for(self, run):
        fake = Fake([(PENDING, [association()])] * 3 + [([], [])])

        assert end(run(fake, Disassociate=True)) == "NoLongerListed"
        assert fake.count("deprovision") == 0
        assert fake.disassociated() == []


class TestLimits:
    """200 reports, which take six hours."""

    @pytest.mark.parametrize(
        "report, error, text",
        [
            ((PENDING, []), "DeprovisionUnconfirmed", "start again to continue the wait"),
            ((PROVISIONED, [association(State="pending-association")]), "AsnStillAssociated", "after 0 rounds"),
        ],
    )
    def test_waiting_ends_under_its_own_name(self, run, report, error, text):
        fake = Fake([report])

        execution = run(fake, Disassociate=True)

        assert end(execution) == error
        assert text in execution.cause
        assert fake.count("describe") == 200
        assert 6 * 3600 < execution.waited < 6.5 * 3600

    def test_reports_that_alternate_come_to_an_end(self, run):
        execution = run(Fake([(PROVISIONED, []), *[([], []), (PROVISIONED, [])] * 100]))

        assert end(execution) == "DeprovisionUnconfirmed"

    def test_the_history_stays_below_25000_events(self):
        states = state_machine()["States"]
        loop = ["Describe", "CheckAsn", "CheckAssociations", "WaitForDisassociation"]
        entered_and_left = 2 * len(loop)
        attempts = 3 * (1 + states["Describe"]["Retry"][0]["MaxAttempts"])

        assert states["CheckInput"]["Assign"]["reportLimit"] * (entered_and_left + attempts) < 25_000

    def test_causes_stay_below_the_limit_of_32768_characters(self, run):
        many = [association(f"2001:db8:{number:x}::/48", ByoipCidrState="advertised") for number in range(2_000)]

        execution = run(Fake([(PROVISIONED, many)], lambda cidr, calls: ("Ec2.Ec2Exception", "x" * 40_000)), DryRun=True)

        assert end(execution) == "AsnStillAssociated"
        assert len(execution.cause) < 32_768


class TestTimeoutsAndSizes:
    def failing(self, kind, error):
        def call(resource, arguments):
            payload = arguments["Payload"]
            if kind in payload or (kind == "Deprovision" and not {"DryRun", "DescribeOnly"} & set(payload)):
                raise StatesError(error)
            return fake(resource, arguments)

        fake = Fake([(PROVISIONED, [])])
        return call

    @pytest.mark.parametrize("kind", ["DryRun", "DescribeOnly", "Deprovision"])
    def test_a_silent_function_ends_as_ec2_timeout(self, run, kind):
        execution = run(self.failing(kind, "States.Timeout"))

        assert end(execution) == "Ec2Timeout"
        assert "60 seconds" in execution.cause

    def test_a_report_that_is_too_large_has_its_own_name(self, run):
        assert end(run(self.failing("DescribeOnly", "States.DataLimitExceeded"))) == "ReportTooLarge"

    @pytest.mark.parametrize("error", ["States.Timeout", "States.TaskFailed", "Ec2.RequestLimitExceeded"])
    def test_no_error_of_a_disassociation_ends_the_execution(self, run, error):
        fake = Fake([(PROVISIONED, [association()])], lambda cidr, calls: (error, "no"))

        execution = run(fake, Disassociate=True)

        assert end(execution) == "AsnStillAssociated"
        assert f"{error}: no" in execution.cause


class TestInput:
    @pytest.mark.parametrize("given", [[], [REQUEST], "AS64500", 64500, None, True], ids=repr)
    def test_an_input_that_is_no_object_is_rejected(self, jsonata, given):
        fake = Fake([])

        assert end(Execution(jsonata, state_machine(), given, fake)) == "InvalidEvent"
        assert fake.calls == []

    def test_a_huge_input_is_rejected(self, run):
        fake = Fake([])

        assert end(run(fake, Asn="1" * 1000)) == "InvalidEvent"
        assert fake.calls == []

    @pytest.mark.parametrize("name", ["Dryrun", "DescribeOnly", "detail", "detail-type", "disassociate", ""])
    def test_an_unknown_member_is_rejected(self, run, name):
        fake = Fake([])

        assert end(run(fake, **{name: True})) == "InvalidEvent"
        assert fake.calls == []

    @pytest.mark.parametrize("value", ["true", 1, None, [], [True], {}], ids=repr)
    def test_disassociate_is_a_boolean(self, run, value):
        fake = Fake([])

        assert end(run(fake, Disassociate=value)) == "InvalidEvent"
        assert fake.calls == []

    @pytest.mark.parametrize("name", ["DryRun", "DryRunFirst"])
    @pytest.mark.parametrize("value", ["true", 1, None, [True], {}], ids=repr)
    def test_other_values_reach_the_function_unchanged(self, run, name, value):
        fake = Fake([(PROVISIONED, [])])

        assert run(fake, **{name: value}).cause == f"{name}: expected true or false"
        assert fake.calls == []

    @pytest.mark.parametrize("given", [{}, {"Asn": [64500]}, REQUEST | {"Asn": None}], ids=json.dumps)
    def test_the_request_reaches_the_function_unchanged(self, jsonata, given):
        payloads = []

        def call(resource, arguments):
            payloads.append(arguments["Payload"])
            raise StatesError("InvalidEvent")

        assert end(Execution(jsonata, state_machine(), given, call)) == "InvalidEvent"
        assert payloads == [given | {"DryRun": True}]

    def test_dry_run_first_reaches_the_deprovision(self, jsonata):
        payloads = []
        fake = Fake([(PROVISIONED, []), (DEPROVISIONED, [])])

        def call(resource, arguments):
            payloads.append(arguments["Payload"])
            return fake(resource, arguments)

        execution = Execution(jsonata, state_machine(), REQUEST | {"DryRunFirst": True, "Disassociate": False}, call)

        assert end(execution) == "Deprovisioned"
        assert payloads[2] == {"IpamId": IPAM, "Asn": "64500", "DryRunFirst": True}


def expressions(node):
    if isinstance(node, dict):
        return set().union(*map(expressions, node.values())) if node else set()
    if isinstance(node, list):
        return set().union(*map(expressions, node)) if node else set()
    return {node} if is_expression(node) else set()


def test_every_expression_is_evaluated_by_the_tests_above(jsonata):
    assert expressions(state_machine()) - jsonata.evaluated == set()
