"""Every way in which a retirement ends.

Waits and pauses between retries are skipped here (SFN_WAIT_SCALE=0); AWS sleeps them. Errors of EC2 calls that the
workflow makes itself carry AWS's name for them, Ec2.Ec2Exception: see launcher.py.
"""

import json

from world import IPAM, asn, association, cidr

REQUEST = {"IpamId": IPAM, "Asn": "AS64500"}
RETIRED = {"Asn": "64500", "IpamId": IPAM, "State": "deprovisioned"}


def ends_well(execution):
    assert (execution.status, execution.error, execution.cause) == ("SUCCEEDED", None, None)
    return execution.output


def ends_as(execution, error):
    assert (execution.status, execution.error) == ("FAILED", error)
    return execution.cause


class TestCleanRetirement:
    def test_it_checks_looks_deprovisions_and_waits_until_the_asn_is_gone(self, ec2, retire):
        ec2.is_world(asns=[asn(after={"looks": 2})])

        assert ends_well(retire(REQUEST)) == RETIRED
        assert ec2.actions() == [
            "DeprovisionIpamByoasn",  # the dry run
            "DescribeByoipCidrs",
            "DeprovisionIpamByoasn",
            "DescribeIpamByoasn",
            "DescribeIpamByoasn",
            "DescribeIpamByoasn",
        ]
        assert [call["params"].get("DryRun") for call in ec2.calls() if call["action"] == "DeprovisionIpamByoasn"] == [
            "true",
            None,
        ]

    def test_it_ignores_other_asns_and_associations_that_have_ended(self, ec2, retire):
        ec2.is_world(
            asns=[asn("64501", state="failed-deprovision"), asn(after={"looks": 1})],
            cidrs=[cidr("203.0.113.0/24", association("64501"), association(state="disassociated")), cidr("198.51.100.0/24")],
        )

        assert ends_well(retire(REQUEST)) == RETIRED

    def test_it_reads_every_page(self, ec2, retire):
        ec2.is_world(
            asns=[asn("64501"), asn("64502"), asn(after={"looks": 1})],
            cidrs=[cidr("203.0.113.0/24"), cidr("198.51.100.0/24"), cidr("192.0.2.0/24")],
            page_size=1,
        )

        assert ends_well(retire(REQUEST)) == RETIRED
        assert ec2.actions().count("DescribeByoipCidrs") == 3

    def test_the_same_asn_under_another_ipam_says_nothing(self, ec2, retire):
        other = "ipam-0fedcba9876543210"
        ec2.is_world(
            ipams=[IPAM, other],
            asns=[asn(ipam_id=other, state="failed-deprovision"), asn(after={"looks": 1})],
        )

        assert ends_well(retire(REQUEST)) == RETIRED

    def test_an_old_entry_of_the_asn_beside_the_live_one_does_not_end_the_wait(self, ec2, retire):
        for asns in (
            [asn(state="deprovisioned"), asn(after={"looks": 2})],
            [asn(after={"looks": 2}), asn(state="deprovisioned")],
        ):
            ec2.is_world(asns=asns, page_size=1)

            assert ends_well(retire(REQUEST)) == RETIRED
            assert ec2.actions().count("DescribeIpamByoasn") == 6

    def test_a_second_start_finds_the_asn_gone_and_succeeds(self, ec2, retire):
        ec2.is_world(asns=[asn(after={"looks": 1})])

        assert ends_well(retire(REQUEST)) == RETIRED
        assert ends_well(retire(REQUEST)) == RETIRED

    def test_a_second_start_finds_the_asn_on_its_way_and_waits_too(self, ec2, retire):
        ec2.is_world(asns=[asn(state="pending-deprovision", after={"looks": 2})])

        assert ends_well(retire(REQUEST)) == RETIRED

    def test_a_dry_run_ends_after_the_check(self, ec2, retire):
        ec2.is_world(asns=[asn()], cidrs=[cidr("203.0.113.0/24", association())])

        assert ends_well(retire(REQUEST | {"DryRun": True, "Disassociate": True})) == {
            "DryRun": True,
            "IpamId": IPAM,
            "Asn": "64500",
            "Message": "Request would have succeeded, but DryRun flag is set.",
        }
        assert ec2.actions() == ["DeprovisionIpamByoasn"]


class TestAssociations:
    def test_it_refuses_an_associated_asn_and_names_the_cidrs(self, ec2, retire):
        ec2.is_world(
            asns=[asn()],
            cidrs=[
                cidr("203.0.113.0/24", association()),
                cidr("198.51.100.0/24", association(state="pending-association")),
                cidr("192.0.2.0/24", association("64501")),
            ],
            page_size=1,
        )

        assert ends_as(retire(REQUEST), "AsnStillAssociated") == (
            "AS64500 is still associated with 203.0.113.0/24 (associated), 198.51.100.0/24 (pending-association); "
            "DisassociateIpamByoasn comes first, or start again with Disassociate: true"
        )
        assert ec2.actions() == ["DeprovisionIpamByoasn"] + ["DescribeByoipCidrs"] * 3

    def test_it_removes_associations_when_asked_to(self, ec2, retire):
        ec2.is_world(
            asns=[asn(after={"looks": 1})],
            cidrs=[
                cidr("203.0.113.0/24", association(after={"looks": 1})),
                cidr("198.51.100.0/24", association(after={"looks": 2}), association("64501")),
            ],
        )

        assert ends_well(retire(REQUEST | {"Disassociate": True})) == RETIRED
        disassociated = [call["params"] for call in ec2.calls() if call["action"] == "DisassociateIpamByoasn"]
        assert [(call["Asn"], call["Cidr"]) for call in disassociated] == [
            ("64500", "203.0.113.0/24"),
            ("64500", "198.51.100.0/24"),
        ]

    def test_it_only_waits_for_an_association_on_its_way(self, ec2, retire):
        ec2.is_world(
            asns=[asn(after={"looks": 1})],
            cidrs=[cidr("203.0.113.0/24", association(state="pending-disassociation", after={"looks": 2}))],
        )

        assert ends_well(retire(REQUEST | {"Disassociate": True})) == RETIRED
        assert "DisassociateIpamByoasn" not in ec2.actions()

    def test_it_asks_only_for_those_that_are_not_on_their_way(self, ec2, retire):
        ec2.is_world(
            asns=[asn(after={"looks": 1})],
            cidrs=[
                cidr("203.0.113.0/24", association(state="pending-disassociation", after={"looks": 2})),
                cidr("198.51.100.0/24", association()),
            ],
        )

        assert ends_well(retire(REQUEST | {"Disassociate": True})) == RETIRED
        assert [call["params"]["Cidr"] for call in ec2.calls() if call["action"] == "DisassociateIpamByoasn"] == [
            "198.51.100.0/24"
        ]

    def test_it_gives_up_on_an_association_that_stays(self, ec2, retire):
        ec2.is_world(
            asns=[asn()],
            cidrs=[cidr("203.0.113.0/24", association(ends_in="failed-disassociation", after={"looks": 0}))],
        )

        assert ends_as(retire(REQUEST | {"Disassociate": True}), "AsnStillAssociated") == (
            "AS64500 is still associated with 203.0.113.0/24 (failed-disassociation), after 5 rounds of DisassociateIpamByoasn"
        )
        assert "DescribeIpamByoasn" not in ec2.actions()

    def test_it_reports_a_denied_disassociation_after_a_look(self, ec2, retire):
        ec2.is_world(
            asns=[asn()],
            cidrs=[cidr("203.0.113.0/24", association())],
            denied_actions=["DisassociateIpamByoasn"],
        )

        cause = ends_as(retire(REQUEST | {"Disassociate": True}), "Ec2.Ec2Exception")

        assert cause.startswith(
            "AS64500 is still associated with 203.0.113.0/24 (associated); DisassociateIpamByoasn was refused "
            "(the stack allows it with WorkflowMayDisassociate): "
        )
        # AWS gives a throttle and a denial one name, so this was tried three times; then came the look.
        assert ec2.actions() == (
            ["DeprovisionIpamByoasn", "DescribeByoipCidrs"] + ["DisassociateIpamByoasn"] * 3 + ["DescribeByoipCidrs"]
        )


class TestFailures:
    def test_a_failed_deprovision_ends_with_its_message(self, ec2, retire):
        ec2.is_world(asns=[asn(after={"looks": 1}, ends_in="failed-deprovision", end_message="the ASN is in use")])

        assert ends_as(retire(REQUEST), "DeprovisionFailed") == (
            f"AS64500 of {IPAM} could not be deprovisioned: the ASN is in use"
        )

    def test_a_denied_caller_ends_under_ec2s_name_without_another_try(self, ec2, retire):
        ec2.is_world(asns=[asn()], denied_actions=["DeprovisionIpamByoasn"])

        cause = json.loads(ends_as(retire(REQUEST), "UnauthorizedOperation"))

        assert cause["errorType"] == "UnauthorizedOperation"
        assert ec2.actions() == ["DeprovisionIpamByoasn"]

    def test_an_unknown_asn_ends_under_ec2s_name(self, ec2, retire):
        cause = json.loads(ends_as(retire(REQUEST), "InvalidByoasn.NotFound"))

        assert "64500" in cause["errorMessage"]

    def test_an_asn_that_falls_back_is_not_called_retired(self, ec2, retire):
        ec2.is_world(asns=[asn(after={"looks": 0}, ends_in="provisioned")])

        assert ends_as(retire(REQUEST), "DeprovisionUnconfirmed") == (
            f"EC2 accepted to deprovision AS64500 of {IPAM}, and then showed it as provisioned; "
            "look at the IPAM, and start again if it is there: that is safe"
        )


class TestThrottles:
    def test_every_kind_of_call_outlives_throttles(self, ec2, retire):
        ec2.is_world(
            asns=[asn(after={"looks": 1})],
            cidrs=[cidr("203.0.113.0/24", association(after={"looks": 1}))],
        )
        for action in ("DescribeByoipCidrs", "DisassociateIpamByoasn", "DescribeIpamByoasn"):
            ec2.fails(action, "throttle", "throttle")

        assert ends_well(retire(REQUEST | {"Disassociate": True})) == RETIRED
        assert ec2.actions().count("DisassociateIpamByoasn") == 3

    def test_a_throttle_that_outlasts_the_sdks_tries_is_retried_by_the_workflow(self, ec2, retire):
        ec2.is_world(asns=[asn(after={"looks": 1})])
        ec2.fails("DeprovisionIpamByoasn", *["throttle"] * 7)

        assert ends_well(retire(REQUEST)) == RETIRED


class TestInput:
    def test_a_misspelt_member_ends_as_invalid_event_before_anything_is_called(self, ec2, retire):
        cause = ends_as(retire(REQUEST | {"Dryrun": True}), "InvalidEvent")

        assert cause == (
            "the input is an object with IpamId, Asn, and if wanted DryRun, DryRunFirst and Disassociate (true or false); "
            'given was {"IpamId":"%s","Asn":"AS64500","Dryrun":true}' % IPAM
        )
        assert ec2.calls() == []

    def test_an_event_envelope_is_refused_because_it_would_hide_the_dry_run(self, ec2, retire):
        ends_as(retire({"detail-type": "Deprovision IPAM BYOASN", "detail": REQUEST}), "InvalidEvent")

        assert ec2.calls() == []

    def test_disassociate_is_true_or_false_and_nothing_like_it(self, ec2, retire):
        for value in ("true", 1, None, []):
            ends_as(retire(REQUEST | {"Disassociate": value}), "InvalidEvent")

        assert ec2.calls() == []

    def test_what_is_no_object_is_refused(self, ec2, retire):
        for request in ([], [REQUEST], "AS64500", 64500, None):
            ends_as(retire(request), "InvalidEvent")

        assert ec2.calls() == []

    def test_values_are_left_for_the_function_to_refuse(self, ec2, retire):
        for wrong in ({}, REQUEST | {"Asn": "1.5.2"}, REQUEST | {"DryRun": "true"}, REQUEST | {"DryRun": None}, {"IpamId": IPAM}):
            cause = json.loads(ends_as(retire(wrong), "InvalidEvent"))
            assert cause["errorType"] == "InvalidEvent"

        assert ec2.calls() == []
