"""Every decision and every ending of the workflow in the deployed stack, with the calls that EC2 received.

The engine skips waits and pauses between retries (SFN_WAIT_SCALE=0). Every case that decides whether something may be
changed also runs with DryRun, which takes the same decisions and changes nothing.
"""

import json

import pytest

from world import IPAM, NO_FAULT, after, asn, association, cidr, error, response

REQUEST = {"IpamId": IPAM, "Asn": "AS64500"}
DEPROVISIONED = {"Asn": "64500", "IpamId": IPAM, "State": "deprovisioned"}
PERMISSION = {
    "DryRun": True,
    "IpamId": IPAM,
    "Asn": "64500",
    "Message": "Request would have succeeded, but DryRun flag is set.",
}
OTHER_IPAM = "ipam-0fedcba9876543210"
CIDR = "203.0.113.0/24"
DEPROVISION = ("DeprovisionIpamByoasn", "64500")
REMOVAL = ("DisassociateIpamByoasn", CIDR)
TWELVE = [f"198.51.100.{16 * number}/28" for number in range(12)]

# EC2 has accepted or completed the deprovision, and nothing is changed.
NOTHING = "nothing"
# The associations are removed if there are any, and the ASN is deprovisioned.
EVERYTHING = "everything"


def byoasn(state):
    return {"Asn": "64500", "IpamId": IPAM, "State": state}


def succeeded(execution):
    assert (execution.status, execution.error, execution.cause) == ("SUCCEEDED", None, None)
    return execution.output


def failed(execution, error):
    assert (execution.status, execution.error) == ("FAILED", error)
    return execution.cause


@pytest.fixture(params=[False, True], ids=["real", "dry-run"])
def dry_run(request):
    return request.param


@pytest.fixture
def retire_associated(retire, dry_run):
    """Runs the workflow with Disassociate, and with DryRun in one of two runs of a test."""
    return lambda **members: retire(REQUEST | {"Disassociate": True, "DryRun": dry_run} | members)


class TestDeprovision:
    def test_it_checks_describes_deprovisions_and_waits(self, ec2, retire):
        ec2.set_world(asns=[asn(after=after(2))])

        assert succeeded(retire(REQUEST)) == DEPROVISIONED
        calls = [(call["action"], call["params"].get("DryRun")) for call in ec2.calls()]
        deprovisions = [call for call in calls if call[0] == "DeprovisionIpamByoasn"]
        assert calls[0] == ("DeprovisionIpamByoasn", "true")
        assert deprovisions == [("DeprovisionIpamByoasn", "true"), ("DeprovisionIpamByoasn", None)]
        assert calls.index(deprovisions[1]) == 3
        # One report before the deprovision, two that show it as pending, and one that shows the end.
        assert ec2.actions().count("DescribeIpamByoasn") == ec2.actions().count("DescribeByoipCidrs") == 4

    def test_other_asns_and_ended_associations_do_not_matter(self, ec2, retire):
        ec2.set_world(
            asns=[asn("64501", state="failed-deprovision"), asn(after=after(1))],
            cidrs=[cidr(CIDR, association("64501"), association(state="disassociated")), cidr("198.51.100.0/24")],
        )

        assert succeeded(retire(REQUEST)) == DEPROVISIONED
        assert ec2.changes() == [DEPROVISION]

    def test_the_same_asn_in_another_ipam_does_not_matter(self, ec2, retire):
        ec2.set_world(
            ipams=[IPAM, OTHER_IPAM],
            asns=[asn(ipam_id=OTHER_IPAM, state="failed-deprovision"), asn(after=after(1))],
        )

        assert succeeded(retire(REQUEST)) == DEPROVISIONED

    def test_a_second_execution_succeeds_without_a_change(self, ec2, retire):
        ec2.set_world(asns=[asn(after=after(1))])

        assert succeeded(retire(REQUEST)) == DEPROVISIONED
        assert succeeded(retire(REQUEST)) == DEPROVISIONED
        assert ec2.changes() == [DEPROVISION]

    def test_dry_run_first_applies_to_the_deprovision(self, ec2, retire):
        ec2.set_world(asns=[asn(after=after(1))])

        assert succeeded(retire(REQUEST | {"DryRunFirst": True})) == DEPROVISIONED
        assert ec2.changes() == [DEPROVISION]
        assert ec2.actions().count("DeprovisionIpamByoasn") == 3


class TestOwnership:
    """No association is removed unless the ASN is provisioned or failed-deprovision in this IPAM."""

    WORLDS = {
        "other-ipam": {"ipams": [IPAM, OTHER_IPAM], "asns": [asn(ipam_id=OTHER_IPAM)]},
        "other-asn": {"asns": [asn("64501")]},
        "nothing-listed": {"asns": []},
        "pending-provision": {"asns": [asn(state="pending-provision")]},
        "failed-provision": {"asns": [asn(state="failed-provision")]},
        "unknown-state": {"asns": [asn(state="a-new-state")]},
        "ended-and-pending": {"asns": [asn(state="deprovisioned"), asn(state="pending-provision")]},
        "other-ipam-and-ended": {
            "ipams": [IPAM, OTHER_IPAM],
            "asns": [asn(ipam_id=OTHER_IPAM), asn(state="failed-provision")],
        },
    }

    @pytest.mark.parametrize("world", WORLDS)
    def test_nothing_is_changed_for_an_asn_that_is_not_provisioned(self, ec2, retire_associated, world):
        ec2.set_world(**self.WORLDS[world], cidrs=[cidr(CIDR, association())])

        cause = failed(retire_associated(), "AsnNotProvisioned")

        assert cause.startswith(f"AS64500 is not provisioned in {IPAM}: EC2 lists ")
        assert ec2.changes() == []

    @pytest.mark.parametrize("world", ["other-ipam", "other-asn", "nothing-listed"])
    def test_an_asn_that_is_not_listed_is_not_deprovisioned(self, ec2, retire_associated, world):
        ec2.set_world(**self.WORLDS[world])

        assert "no entry for it there" in failed(retire_associated(), "AsnNotProvisioned")
        assert ec2.changes() == []

    def test_a_typing_error_changes_nothing(self, ec2, retire_associated):
        ec2.set_world(asns=[asn()], cidrs=[cidr(CIDR, association("65500"), association())])

        failed(retire_associated(Asn="65500"), "AsnNotProvisioned")
        assert ec2.changes() == []

    def test_ownership_is_checked_before_every_round(self, ec2, retire):
        item = f"<item><asn>64500</asn><ipamId>{IPAM}</ipamId><state>provisioned</state></item>"
        ec2.set_world(cidrs=[cidr(CIDR, association(ends_in="failed-disassociation", after=after(0)))])
        ec2.inject("DescribeIpamByoasn", response("DescribeIpamByoasn", f"<byoasnSet>{item}</byoasnSet>"))

        failed(retire(REQUEST | {"Disassociate": True}), "AsnNotProvisioned")
        assert ec2.changes() == [REMOVAL]


class TestEntries:
    """The states of the entries of one ASN, and what happens without and with an association that may be removed."""

    STATES = [
        (["provisioned"], EVERYTHING, EVERYTHING),
        (["failed-deprovision"], EVERYTHING, EVERYTHING),
        (["failed-provision"], EVERYTHING, "AsnNotProvisioned"),
        (["pending-deprovision"], NOTHING, NOTHING),
        (["deprovisioned"], NOTHING, NOTHING),
        (["failed-provision", "provisioned"], EVERYTHING, EVERYTHING),
        (["deprovisioned", "provisioned"], EVERYTHING, EVERYTHING),
        (["deprovisioned", "failed-provision"], NOTHING, NOTHING),
        (["deprovisioned", "pending-deprovision"], NOTHING, NOTHING),
    ]

    @pytest.mark.parametrize("associated", [False, True], ids=["alone", "associated"])
    @pytest.mark.parametrize("states, alone, with_association", STATES, ids=["+".join(case[0]) for case in STATES])
    def test_each_state(self, ec2, retire_associated, dry_run, states, alone, with_association, associated):
        expected = with_association if associated else alone
        # The stand-in deprovisions the last entry. The order of entries in a report is covered in tests/lint.
        ec2.set_world(
            asns=[asn(state=state, after=after(1)) for state in states],
            cidrs=[cidr(CIDR, association())] if associated else [],
        )

        execution = retire_associated()

        removed = associated and expected == EVERYTHING
        if expected not in (NOTHING, EVERYTHING):
            failed(execution, expected)
        elif dry_run:
            assert succeeded(execution) == PERMISSION | {
                "Byoasns": [byoasn(state) for state in states],
                "AsnAssociations": [{"Cidr": CIDR, "State": "associated", "ByoipCidrState": "provisioned"}] if removed else [],
            }
        else:
            assert succeeded(execution) == DEPROVISIONED
        real = expected == EVERYTHING and not dry_run
        assert ec2.changes() == [REMOVAL] * (real and removed) + [DEPROVISION] * real

    def test_an_ended_entry_does_not_end_the_wait(self, ec2, retire):
        for asns in ([asn(state="deprovisioned"), asn(after=after(2))], [asn(after=after(2)), asn(state="deprovisioned")]):
            ec2.set_world(asns=asns, page_size=1)

            assert succeeded(retire(REQUEST)) == DEPROVISIONED
            # Two pages in each of four reports.
            assert ec2.actions().count("DescribeIpamByoasn") == 8


class TestAssociations:
    REMOVABLE = ["associated", "failed-association", "failed-disassociation", "advertised", "a-new-state"]
    PENDING = ["pending-association", "pending-disassociation"]

    @pytest.mark.parametrize("state", REMOVABLE + PENDING)
    def test_without_the_request_each_state_stops_it(self, ec2, retire, dry_run, state):
        ec2.set_world(asns=[asn()], cidrs=[cidr(CIDR, association(state=state, after=after(99)))])

        cause = failed(retire(REQUEST | {"DryRun": dry_run}), "AsnStillAssociated")

        assert cause.startswith(f"AS64500 is still associated with {CIDR} ({state}). Start again with Disassociate: true")
        assert ("advertise-byoip-cidr" in cause) == (state == "advertised")
        assert ec2.changes() == []

    @pytest.mark.parametrize("state", REMOVABLE)
    def test_with_the_request_each_state_is_removed(self, ec2, retire_associated, dry_run, state):
        ec2.set_world(asns=[asn(after=after(1))], cidrs=[cidr(CIDR, association(state=state))])

        output = succeeded(retire_associated())

        if dry_run:
            assert output["AsnAssociations"] == [{"Cidr": CIDR, "State": state, "ByoipCidrState": "provisioned"}]
        else:
            assert output == DEPROVISIONED
        assert ec2.changes() == ([] if dry_run else [REMOVAL, DEPROVISION])

    def test_a_pending_association_is_waited_for_and_removed(self, ec2, retire_associated, dry_run):
        pending = f"<item><asn>64500</asn><cidr>{CIDR}</cidr><state>pending-association</state></item>"
        item = f"<item><cidr>{CIDR}</cidr><asnAssociationSet>{pending}</asnAssociationSet><state>provisioned</state></item>"
        ec2.set_world(asns=[asn(after=after(1))], cidrs=[cidr(CIDR, association())])
        ec2.inject("DescribeByoipCidrs", *[response("DescribeByoipCidrs", f"<byoipCidrSet>{item}</byoipCidrSet>")] * 7)

        output = succeeded(retire_associated())

        if dry_run:
            assert [each["State"] for each in output["AsnAssociations"]] == ["pending-association"]
        else:
            assert output == DEPROVISIONED
        assert ec2.changes() == ([] if dry_run else [REMOVAL, DEPROVISION])

    def test_a_pending_disassociation_is_only_waited_for(self, ec2, retire_associated, dry_run):
        ec2.set_world(
            asns=[asn(after=after(1))],
            cidrs=[cidr(CIDR, association(state="pending-disassociation", after=after(7)))],
        )

        succeeded(retire_associated())
        assert ec2.changes() == ([] if dry_run else [DEPROVISION])

    def test_a_disassociation_that_stays_pending_ends_the_wait(self, ec2, retire):
        ec2.set_world(
            asns=[asn()],
            cidrs=[cidr(CIDR, association(state="pending-disassociation", after=after(999)))],
        )

        cause = failed(retire(REQUEST | {"Disassociate": True}), "AsnStillAssociated")

        assert f"{CIDR} (pending-disassociation) after 0 rounds" in cause
        assert ec2.changes() == []

    def test_only_those_without_a_change_in_progress_are_removed(self, ec2, retire):
        ec2.set_world(
            asns=[asn(after=after(1))],
            cidrs=[
                cidr("198.51.100.0/24", association(state="pending-disassociation", after=after(2))),
                cidr(CIDR, association(), association("64501")),
            ],
        )

        assert succeeded(retire(REQUEST | {"Disassociate": True})) == DEPROVISIONED
        assert ec2.changes() == [REMOVAL, DEPROVISION]

    def test_twelve_cidrs_on_several_pages_are_removed(self, ec2, retire_associated, dry_run):
        ec2.set_world(
            asns=[asn("64501"), asn("64502"), asn(after=after(1))],
            cidrs=[cidr(block, association(after=after(number % 3))) for number, block in enumerate(TWELVE)],
            page_size=5,
        )

        output = succeeded(retire_associated())

        if dry_run:
            assert [each["Cidr"] for each in output["AsnAssociations"]] == TWELVE
            assert ec2.changes() == []
        else:
            assert output == DEPROVISIONED
            assert ec2.changes() == [("DisassociateIpamByoasn", block) for block in TWELVE] + [DEPROVISION]

    def test_all_remaining_cidrs_are_named_with_their_states(self, ec2, retire):
        ec2.set_world(
            asns=[asn()],
            cidrs=[
                cidr(CIDR, association()),
                cidr("198.51.100.0/24", association(state="pending-association")),
                cidr("192.0.2.0/24", association("64501")),
            ],
            page_size=1,
        )

        assert failed(retire(REQUEST), "AsnStillAssociated") == (
            "AS64500 is still associated with 203.0.113.0/24 (associated), 198.51.100.0/24 (pending-association). Start again "
            "with Disassociate: true to remove these associations, or remove them with DisassociateIpamByoasn."
        )

    def test_an_advertised_cidr_is_named_with_both_commands(self, ec2, retire):
        ec2.set_world(
            asns=[asn()],
            cidrs=[cidr(CIDR, association(), state="advertised"), cidr("198.51.100.0/24", association())],
        )

        cause = failed(retire(REQUEST), "AsnStillAssociated")

        assert f" Advertised: {CIDR}. " in cause
        assert "aws ec2 advertise-byoip-cidr --asn AWS --cidr CIDR" in cause
        assert "aws ec2 withdraw-byoip-cidr --cidr CIDR" in cause

    def test_an_association_that_stays_ends_after_five_rounds(self, ec2, retire):
        ec2.set_world(
            asns=[asn()],
            cidrs=[cidr(CIDR, association(ends_in="failed-disassociation", after=after(0)))],
        )

        assert failed(retire(REQUEST | {"Disassociate": True}), "AsnStillAssociated") == (
            "AS64500 is still associated with 203.0.113.0/24 (failed-disassociation) after 5 rounds of DisassociateIpamByoasn "
            "and 6 reports."
        )
        assert ec2.changes() == [REMOVAL] * 5


class TestRefusals:
    REFUSED = error("IncorrectState", "The CIDR is being advertised")

    def test_one_refusal_ends_nothing(self, ec2, retire):
        ec2.set_world(
            asns=[asn(after=after(1))],
            cidrs=[cidr(CIDR, association()), cidr("198.51.100.0/24", association())],
        )
        # One attempt and two retries.
        ec2.inject("DisassociateIpamByoasn", *[self.REFUSED] * 3)

        assert succeeded(retire(REQUEST | {"Disassociate": True})) == DEPROVISIONED
        assert ec2.changes() == [
            *[REMOVAL] * 3,
            ("DisassociateIpamByoasn", "198.51.100.0/24"),
            REMOVAL,
            DEPROVISION,
        ]

    def test_five_refused_rounds_end_with_the_last_refusal(self, ec2, retire):
        ec2.set_world(asns=[asn()], cidrs=[cidr(CIDR, association())])
        ec2.inject("DisassociateIpamByoasn", *[self.REFUSED] * 14, error("LastCode", "the last refusal"))

        cause = failed(retire(REQUEST | {"Disassociate": True}), "AsnStillAssociated")

        assert cause.startswith(f"AS64500 is still associated with {CIDR} (associated) after 5 rounds")
        assert f"Last refusal, for {CIDR}: " in cause
        assert "the last refusal" in cause
        assert ec2.changes() == [REMOVAL] * 15

    def test_a_denied_disassociation_names_the_parameter(self, ec2, retire_associated, dry_run):
        ec2.set_world(
            asns=[asn()],
            cidrs=[cidr(CIDR, association())],
            denied_actions=["DisassociateIpamByoasn"],
        )

        execution = retire_associated()

        if dry_run:
            succeeded(execution)
        else:
            assert "WorkflowMayDisassociate" in failed(execution, "AsnStillAssociated")
        assert ec2.changes() == ([] if dry_run else [REMOVAL] * 15)


class TestAfterAcceptance:
    GONE = response("DescribeIpamByoasn", "<byoasnSet/>")

    def test_five_reports_without_an_entry_are_success(self, ec2, retire):
        ec2.set_world(asns=[asn()])
        ec2.inject("DescribeIpamByoasn", NO_FAULT, *[self.GONE] * 5)

        assert succeeded(retire(REQUEST)) == {"Asn": "64500", "IpamId": IPAM}
        assert ec2.changes() == [DEPROVISION]
        assert ec2.actions().count("DescribeIpamByoasn") == 6

    def test_four_reports_without_an_entry_are_no_success(self, ec2, retire):
        ec2.set_world(asns=[asn(after=after(1))])
        ec2.inject("DescribeIpamByoasn", NO_FAULT, *[self.GONE] * 4)

        assert succeeded(retire(REQUEST)) == DEPROVISIONED

    def test_five_reports_of_another_state_are_unconfirmed(self, ec2, retire):
        ec2.set_world(asns=[asn(after=after(0), ends_in="provisioned")])

        assert failed(retire(REQUEST), "DeprovisionUnconfirmed") == (
            f"EC2 accepted the deprovision of AS64500 in {IPAM}, but after 6 reports EC2 lists it as provisioned. "
            "Check the IPAM. Starting again is safe as long as the ASN is to be removed."
        )
        assert ec2.changes() == [DEPROVISION]

    def test_a_failed_deprovision_ends_with_its_message(self, ec2, retire):
        ec2.set_world(asns=[asn(after=after(1), ends_in="failed-deprovision", end_message="the ASN is in use")])

        assert failed(retire(REQUEST), "DeprovisionFailed") == (
            f"AS64500 in {IPAM} could not be deprovisioned: the ASN is in use"
        )

    def test_a_deprovision_that_stays_pending_is_unconfirmed(self, ec2, retire):
        ec2.set_world(asns=[asn(state="pending-deprovision", after=after(999))])

        cause = failed(retire(REQUEST), "DeprovisionUnconfirmed")

        assert cause.endswith("It is still pending: start again to continue the wait.")
        assert ec2.changes() == []
        assert ec2.actions().count("DescribeIpamByoasn") == 200

    def test_a_failed_deprovision_can_be_started_again(self, ec2, retire):
        ec2.set_world(asns=[asn(state="failed-deprovision", after=after(1))])

        assert succeeded(retire(REQUEST)) == DEPROVISIONED


class TestFunctionErrors:
    def test_a_denied_deprovision_keeps_the_name_of_ec2(self, ec2, retire, dry_run):
        ec2.set_world(asns=[asn()], denied_actions=["DeprovisionIpamByoasn"])

        cause = json.loads(failed(retire(REQUEST | {"DryRun": dry_run}), "UnauthorizedOperation"))

        assert cause["errorType"] == "UnauthorizedOperation"
        assert ec2.actions() == ["DeprovisionIpamByoasn"]

    @pytest.mark.parametrize("action", ["DescribeIpamByoasn", "DescribeByoipCidrs"])
    def test_a_denied_describe_call_keeps_the_name_of_ec2(self, ec2, retire_associated, action):
        ec2.set_world(asns=[asn()], cidrs=[cidr(CIDR, association())], denied_actions=[action])

        failed(retire_associated(), "UnauthorizedOperation")
        assert ec2.changes() == []

    def test_a_refused_deprovision_keeps_the_name_of_ec2(self, ec2, retire):
        ec2.set_world(asns=[asn()])
        ec2.inject("DeprovisionIpamByoasn", NO_FAULT, error("IncorrectState", "not now"))

        failed(retire(REQUEST), "IncorrectState")
        assert ec2.changes() == [DEPROVISION]


class TestThrottles:
    # Three throttles use up the attempts of the function, and two those of the workflow's disassociation.
    CALLS = [
        ("DeprovisionIpamByoasn", 4),
        ("DescribeIpamByoasn", 4),
        ("DescribeByoipCidrs", 4),
        ("DisassociateIpamByoasn", 2),
    ]

    @pytest.mark.parametrize("action, throttles", CALLS)
    def test_a_throttled_call_is_retried(self, ec2, retire_associated, dry_run, action, throttles):
        ec2.set_world(asns=[asn(after=after(1))], cidrs=[cidr(CIDR, association(after=after(1)))])
        ec2.inject(action, *["throttle"] * throttles)

        succeeded(retire_associated())
        if dry_run:
            assert ec2.changes() == []
        else:
            removals = 1 + (throttles if action == "DisassociateIpamByoasn" else 0)
            assert ec2.changes() == [REMOVAL] * removals + [DEPROVISION]

    def test_the_deprovision_is_retried_after_the_check(self, ec2, retire):
        ec2.set_world(asns=[asn(after=after(1))])
        ec2.inject("DeprovisionIpamByoasn", NO_FAULT, *["throttle"] * 4)

        assert succeeded(retire(REQUEST)) == DEPROVISIONED
        assert ec2.changes() == [DEPROVISION] * 5

    def test_a_lost_response_is_retried_and_counts_as_accepted(self, ec2, retire):
        ec2.set_world(asns=[asn(after=after(3))])
        ec2.inject("DeprovisionIpamByoasn", NO_FAULT, *[{"kind": "reset", "after_effect": True}] * 3)

        assert succeeded(retire(REQUEST)) == DEPROVISIONED


class TestInput:
    def test_a_misspelt_member_is_rejected_before_any_call(self, ec2, retire):
        assert failed(retire(REQUEST | {"Dryrun": True}), "InvalidEvent") == (
            "Expected an object with IpamId, Asn and optionally DryRun, DryRunFirst and Disassociate (true or false); "
            'received {"IpamId":"%s","Asn":"AS64500","Dryrun":true}' % IPAM
        )
        assert ec2.calls() == []

    @pytest.mark.parametrize(
        "given",
        [
            REQUEST | {"DescribeOnly": True},
            {"detail-type": "Deprovision IPAM BYOASN", "detail": REQUEST},
            REQUEST | {"Disassociate": "true"},
            REQUEST | {"Disassociate": 1},
            REQUEST | {"Disassociate": None},
            REQUEST | {"Disassociate": [True]},
            [],
            [REQUEST],
            "AS64500",
            64500,
            None,
        ],
        ids=json.dumps,
    )
    def test_an_invalid_input_is_rejected_before_any_call(self, ec2, retire, given):
        failed(retire(given), "InvalidEvent")
        assert ec2.calls() == []

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"IpamId": IPAM},
            REQUEST | {"Asn": "1.5.2"},
            REQUEST | {"Asn": [64500]},
            REQUEST | {"DryRun": "true"},
            REQUEST | {"DryRun": None},
            REQUEST | {"DryRunFirst": "true", "Disassociate": True},
        ],
        ids=json.dumps,
    )
    def test_the_function_rejects_other_values(self, ec2, retire, given):
        cause = json.loads(failed(retire(given), "InvalidEvent"))

        assert cause["errorType"] == "InvalidEvent"
        assert ec2.calls() == []
