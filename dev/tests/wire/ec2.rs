use std::time::Duration;

use stand_ins::ec2::{Action, After, Asn, Association, Call, Cidr, StandIn, World};

use crate::client::{CREDENTIAL, Client, IPAM, authorization, call, deprovision, deprovision_params, look};

fn associated() -> World {
    World { cidrs: vec![Cidr::new("203.0.113.0/24").with(Association::new("64500"))], ..World::default() }
}

#[test]
fn a_deprovision_is_answered_with_the_pending_asn() {
    let ec2 = StandIn::start(World::default());
    let answer = deprovision(&ec2);
    let request_id = answer.element("requestId").unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/xml;charset=UTF-8");
    assert_eq!(answer.headers["x-amzn-requestid"], request_id);
    assert_eq!(
        answer.body,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeprovisionIpamByoasnResponse \
             xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{request_id}</requestId>\
             <byoasn><asn>64500</asn><ipamId>{IPAM}</ipamId><state>pending-deprovision</state>\
             </byoasn></DeprovisionIpamByoasnResponse>"
        )
    );
}

#[test]
fn a_request_id_is_never_used_twice() {
    let ec2 = StandIn::start(World::default());
    let ids: Vec<String> = (0..2).map(|_| deprovision(&ec2).headers["x-amzn-requestid"].clone()).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].len(), 36);
}

#[test]
fn the_request_id_is_in_the_body_alone_when_asked_for() {
    let ec2 = StandIn::start(World { request_id_header: false, ..World::default() });
    let success = deprovision(&ec2);
    let failure = deprovision(&ec2);
    assert!(success.element("requestId").is_some() && failure.element("RequestID").is_some());
    for answer in [success, failure] {
        assert!(!answer.headers.contains_key("x-amzn-requestid"));
    }
}

#[test]
fn a_deprovisioned_asn_is_pending_for_so_many_looks() {
    let ec2 = StandIn::start(World::default());
    assert_eq!(look(&ec2), ["provisioned"]);
    deprovision(&ec2);
    assert_eq!(look(&ec2), ["pending-deprovision"]);
    assert_eq!(look(&ec2), ["pending-deprovision"]);
    assert_eq!(ec2.world().asns[0].state, "deprovisioned");
    assert_eq!(look(&ec2), ["deprovisioned"]);
}

#[test]
fn a_deprovisioned_asn_is_pending_for_some_time() {
    let ec2 =
        StandIn::start(World { asns: vec![Asn::new("64500", IPAM).after(After::Seconds(1.0))], ..World::default() });
    deprovision(&ec2);
    assert_eq!(look(&ec2), ["pending-deprovision"]);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(look(&ec2), ["deprovisioned"]);
}

#[test]
fn an_asn_that_starts_out_pending_comes_to_its_end_too() {
    let ec2 =
        StandIn::start(World { asns: vec![Asn::new("64500", IPAM).state("pending-deprovision")], ..World::default() });
    look(&ec2);
    look(&ec2);
    assert_eq!(look(&ec2), ["deprovisioned"]);
}

#[test]
fn a_deprovision_can_fail_later() {
    let ec2 = StandIn::start(World {
        asns: vec![Asn::new("64500", IPAM).after(After::Looks(0)).fails("R&D said <no>")],
        ..World::default()
    });
    assert_eq!(deprovision(&ec2).element("state"), Some("pending-deprovision"));
    let answer = call(&ec2, "Action=DescribeIpamByoasn");
    assert_eq!(answer.element("state"), Some("failed-deprovision"));
    assert_eq!(answer.element("statusMessage"), Some("R&amp;D said &lt;no&gt;"));
    assert_eq!(deprovision(&ec2).status, 200);
}

#[test]
fn a_repeat_is_refused_and_changes_nothing() {
    for state in ["pending-deprovision", "deprovisioned", "pending-provision"] {
        let ec2 = StandIn::start(World { asns: vec![Asn::new("64500", IPAM).state(state)], ..World::default() });
        assert_eq!(deprovision(&ec2).error(), (400, "IncorrectState"));
        assert_eq!(ec2.world().asns[0].state, state);
    }
}

#[test]
fn an_asn_provisioned_anew_is_found_beside_its_old_entry() {
    let ec2 = StandIn::start(World {
        asns: vec![Asn::new("64500", IPAM).state("deprovisioned"), Asn::new("64500", IPAM)],
        ..World::default()
    });
    assert_eq!(deprovision(&ec2).status, 200);
    assert_eq!(look(&ec2), ["deprovisioned", "pending-deprovision"]);
}

#[test]
fn an_asn_of_another_ipam_is_not_found() {
    let ec2 = StandIn::start(World {
        ipams: vec![IPAM.to_owned(), "ipam-0a".to_owned()],
        asns: vec![Asn::new("64500", "ipam-0a")],
        ..World::default()
    });
    assert_eq!(deprovision(&ec2).error(), (400, "InvalidByoasn.NotFound"));
}

#[test]
fn an_ipam_that_does_not_exist_is_not_found() {
    let ec2 = StandIn::start(World { ipams: Vec::new(), ..World::default() });
    assert_eq!(deprovision(&ec2).error(), (400, "InvalidIpamId.NotFound"));
}

#[test]
fn an_asn_with_associations_is_refused_until_they_are_dissolved() {
    let ec2 = StandIn::start(associated());
    let cidrs = "Action=DescribeByoipCidrs&MaxResults=100";
    assert_eq!(deprovision(&ec2).error(), (400, "DependencyViolation"));

    let answer = call(&ec2, "Action=DisassociateIpamByoasn&Asn=64500&Cidr=203.0.113.0%2F24");
    assert_eq!(
        answer.element("asnAssociation"),
        Some("<asn>64500</asn><cidr>203.0.113.0/24</cidr><state>pending-disassociation</state>")
    );
    assert_eq!(deprovision(&ec2).error(), (400, "DependencyViolation"));

    let answer = call(&ec2, cidrs);
    assert_eq!(
        answer.element("byoipCidrSet"),
        Some(
            "<item><cidr>203.0.113.0/24</cidr><asnAssociationSet><item><asn>64500</asn>\
             <cidr>203.0.113.0/24</cidr><state>pending-disassociation</state></item>\
             </asnAssociationSet><state>advertised</state></item>"
        )
    );
    assert_eq!(call(&ec2, cidrs).elements("state"), ["disassociated", "advertised"]);
    assert_eq!(deprovision(&ec2).status, 200);
}

#[test]
fn every_state_but_disassociated_stands_in_the_way() {
    for state in
        ["pending-association", "associated", "failed-association", "pending-disassociation", "failed-disassociation"]
    {
        let ec2 = StandIn::start(World {
            cidrs: vec![Cidr::new("203.0.113.0/24").with(Association::new("64500").state(state))],
            ..World::default()
        });
        assert_eq!(deprovision(&ec2).error(), (400, "DependencyViolation"), "{state}");
    }
}

#[test]
fn an_association_can_disappear() {
    let ec2 = StandIn::start(World {
        cidrs: vec![Cidr::new("2001:db8::/32").with(Association::new("64500").ends_in("gone").after(After::Looks(0)))],
        ..World::default()
    });
    let disassociate = "Action=DisassociateIpamByoasn&Asn=64500&Cidr=2001%3Adb8%3A%3A%2F32";
    assert_eq!(call(&ec2, disassociate).status, 200);
    assert!(ec2.world().cidrs[0].associations.is_empty());
    assert_eq!(call(&ec2, disassociate).error(), (400, "InvalidAsnAssociation.NotFound"));
}

#[test]
fn an_association_is_dissolved_once() {
    let ec2 = StandIn::start(associated());
    let disassociate = "Action=DisassociateIpamByoasn&Asn=64500&Cidr=203.0.113.0%2F24";
    assert_eq!(call(&ec2, disassociate).status, 200);
    assert_eq!(call(&ec2, disassociate).error(), (400, "IncorrectState"));
}

#[test]
fn the_undocumented_codes_can_be_chosen() {
    let mut world = World::default();
    world.codes.asn_in_wrong_state = "Surprise".to_owned();
    let ec2 = StandIn::start(world);
    deprovision(&ec2);
    assert_eq!(deprovision(&ec2).error(), (400, "Surprise"));
}

#[test]
fn lists_come_in_pages() {
    let ec2 = StandIn::start(World {
        asns: (1..=5).map(|n| Asn::new(&n.to_string(), IPAM)).collect(),
        cidrs: (1..=3).map(|n| Cidr::new(&format!("10.{n}.0.0/16"))).collect(),
        page_size: 2,
        ..World::default()
    });
    for (list, name, entries) in [
        ("Action=DescribeIpamByoasn", "asn", vec!["1", "2", "3", "4", "5"]),
        ("Action=DescribeByoipCidrs&MaxResults=100", "cidr", vec!["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]),
    ] {
        let mut seen = Vec::new();
        let mut page = call(&ec2, list);
        loop {
            let found = page.elements(name);
            assert!((1..=2).contains(&found.len()));
            seen.extend(found.into_iter().map(str::to_owned));
            let Some(token) = page.element("nextToken") else {
                break;
            };
            let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
            page = call(&ec2, &format!("{list}&NextToken={token}"));
        }
        assert_eq!(seen, entries);
    }
}

#[test]
fn max_results_makes_pages_smaller() {
    let ec2 =
        StandIn::start(World { asns: (1..=3).map(|n| Asn::new(&n.to_string(), IPAM)).collect(), ..World::default() });
    let page = call(&ec2, "Action=DescribeIpamByoasn&MaxResults=1");
    assert_eq!(page.elements("asn"), ["1"]);
    assert!(page.element("nextToken").is_some());
}

#[test]
fn a_token_of_another_list_is_refused() {
    let ec2 =
        StandIn::start(World { asns: (1..=3).map(|n| Asn::new(&n.to_string(), IPAM)).collect(), ..World::default() });
    let page = call(&ec2, "Action=DescribeIpamByoasn&MaxResults=1");
    let token = page.element("nextToken").unwrap();
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    let other = format!("Action=DescribeByoipCidrs&MaxResults=1&NextToken={token}");
    assert_eq!(call(&ec2, &other).error(), (400, "InvalidParameterValue"));
}

#[test]
fn a_dry_run_changes_nothing_and_is_412() {
    let ec2 = StandIn::start(World::default());
    let dry_run = deprovision_params() + "&DryRun=true";
    let answer = call(&ec2, &dry_run);
    assert_eq!(answer.error(), (412, "DryRunOperation"));
    assert_eq!(answer.element("Message"), Some("Request would have succeeded, but DryRun flag is set."));
    assert_eq!(look(&ec2), ["provisioned"]);
}

#[test]
fn the_status_of_a_dry_run_can_be_chosen() {
    let ec2 = StandIn::start(World { dry_run_status: 400, ..World::default() });
    let answer = call(&ec2, &(deprovision_params() + "&DryRun=true"));
    assert_eq!(answer.error(), (400, "DryRunOperation"));
}

#[test]
fn a_denied_key_may_do_nothing_and_learns_so_by_a_dry_run() {
    let ec2 = StandIn::start(World { denied_access_keys: vec!["AKID".to_owned()], ..World::default() });
    for params in [
        deprovision_params(),
        deprovision_params() + "&DryRun=true",
        "Action=DescribeIpamByoasn".to_owned(),
        "Action=DescribeByoipCidrs&MaxResults=1".to_owned(),
        "Action=DisassociateIpamByoasn&Asn=64500&Cidr=10.0.0.0%2F8".to_owned(),
    ] {
        let answer = call(&ec2, &params);
        assert_eq!(answer.error(), (403, "UnauthorizedOperation"), "{params}");
        let (_, encoded) =
            answer.element("Message").unwrap().split_once("Encoded authorization failure message: ").unwrap();
        assert!(encoded.len() > 500, "{encoded}");
    }
    assert_eq!(ec2.world().asns[0].state, "provisioned");
}

#[test]
fn a_denied_action_leaves_the_others_alone() {
    let ec2 = StandIn::start(World { denied_actions: vec![Action::DescribeIpamByoasn], ..World::default() });
    let describe = call(&ec2, "Action=DescribeIpamByoasn");
    assert_eq!(describe.error(), (403, "UnauthorizedOperation"));
    assert_eq!(deprovision(&ec2).status, 200);
}

#[test]
fn bad_requests_get_the_codes_of_ec2() {
    let ec2 = StandIn::start(World::default());
    let deprovision = deprovision_params();
    for (params, code, message) in [
        ("Asn=1", "MissingAction", "The request must contain the parameter Action"),
        ("Action=ReleaseHosts", "InvalidAction", "The action ReleaseHosts is not valid for this web service."),
        ("Action=DescribeByoipCidrs", "MissingParameter", "The request must contain the parameter MaxResults"),
        ("Action=DeprovisionIpamByoasn&Asn=1", "MissingParameter", "The request must contain the parameter IpamId"),
        (
            "Action=DeprovisionIpamByoasn&IpamId=ipam-0&Asn=",
            "MissingParameter",
            "The request must contain the parameter Asn",
        ),
        ("Action=DisassociateIpamByoasn&Asn=1", "MissingParameter", "The request must contain the parameter Cidr"),
        (
            "Action=DescribeIpamByoasn&Filter.1.Name=x",
            "UnknownParameter",
            "The parameter Filter.1.Name is not recognized",
        ),
        (
            "Action=DescribeIpamByoasn&MaxResults=101",
            "InvalidParameterValue",
            "Value ( 101 ) for parameter MaxResults is invalid. \
             Expecting an integer between 1 and 100.",
        ),
        (
            "Action=DescribeByoipCidrs&MaxResults=0",
            "InvalidParameterValue",
            "Value ( 0 ) for parameter MaxResults is invalid. \
             Expecting an integer between 1 and 100.",
        ),
        (
            "Action=DescribeIpamByoasn&NextToken=mine",
            "InvalidParameterValue",
            "Value ( mine ) for parameter NextToken is invalid. The token is invalid.",
        ),
        (
            "Action=DescribeIpamByoasn&DryRun=yes",
            "InvalidParameterValue",
            "Value ( yes ) for parameter DryRun is invalid. It must be true or false.",
        ),
        (
            "Action=DeprovisionIpamByoasn&IpamId=ipam-0&Asn=AS1",
            "InvalidParameterValue",
            "Value ( AS1 ) for parameter Asn is invalid. Expecting a 2-byte or 4-byte ASN.",
        ),
        (
            "Action=DeprovisionIpamByoasn&IpamId=ipam-pool-0&Asn=1",
            "InvalidParameterValue",
            "Value ( ipam-pool-0 ) for parameter IpamId is invalid. \
             Expecting an ID of the form ipam-.",
        ),
        (
            "Action=DisassociateIpamByoasn&Asn=1&Cidr=10.0.0.0",
            "InvalidParameterValue",
            "Value ( 10.0.0.0 ) for parameter Cidr is invalid. It is not a CIDR.",
        ),
        (&format!("{deprovision}&Asn=64501"), "MalformedQueryString", "The parameter Asn is given more than once"),
    ] {
        let answer = call(&ec2, params);
        assert_eq!(answer.error(), (400, code), "{params}");
        assert_eq!(answer.element("Message"), Some(message), "{params}");
    }
    assert_eq!(ec2.world().asns[0].state, "provisioned");
}

#[test]
fn only_one_version_of_the_api_exists() {
    let ec2 = StandIn::start(World::default());
    for (version, code) in [("", "MissingParameter"), ("Version=2015-12-01&", "NoSuchVersion")] {
        let body = version.to_owned() + &deprovision_params();
        let mut client = Client::new(ec2.endpoint());
        let answer = client.request("POST", "/", &authorization(CREDENTIAL), &body);
        assert_eq!(answer.error(), (400, code));
    }
}

#[test]
fn a_request_must_be_signed_for_this_service_and_region() {
    let ec2 = StandIn::start(World::default());
    let body = "Version=2016-11-15&Action=DescribeIpamByoasn";
    for (headers, error) in [
        (String::new(), (400, "MissingParameter")),
        ("authorization: Bearer x\r\n".to_owned(), (400, "IncompleteSignature")),
        (
            "authorization: AWS4-HMAC-SHA256 Credential=a/b/us-east-1/ec2/aws4_request\r\n".to_owned(),
            (400, "IncompleteSignature"),
        ),
        (authorization("AKID//20260101/us-east-1/ec2/aws4_request"), (401, "AuthFailure")),
        (authorization("AKID/20260101/eu-west-1/ec2/aws4_request"), (401, "AuthFailure")),
        (authorization("AKID/20260101/us-east-1/sts/aws4_request"), (401, "AuthFailure")),
    ] {
        let mut client = Client::new(ec2.endpoint());
        let answer = client.request("POST", "/", &headers, body);
        assert_eq!(answer.error(), error, "{headers}");
    }
}

#[test]
fn a_query_may_be_in_the_url() {
    let ec2 = StandIn::start(World::default());
    let path = "/?Version=2016-11-15&Action=DescribeIpamByoasn";
    let mut client = Client::new(ec2.endpoint());
    let answer = client.request("GET", path, &authorization(CREDENTIAL), "");
    assert_eq!(answer.elements("asn"), ["64500"]);
}

#[test]
fn every_call_is_recorded() {
    let ec2 = StandIn::start(World::default());
    call(&ec2, "Action=DescribeIpamByoasn&MaxResults=7");
    let mut client = Client::new(ec2.endpoint());
    client.request("POST", "/", "", "Action=Nonsense");
    let signed = Call {
        action: "DescribeIpamByoasn".to_owned(),
        params: [("MaxResults".to_owned(), "7".to_owned())].into(),
        access_key_id: Some("AKID".to_owned()),
        region: Some("us-east-1".to_owned()),
    };
    let unsigned = Call { action: "Nonsense".to_owned(), params: [].into(), access_key_id: None, region: None };
    assert_eq!(ec2.calls(), [signed, unsigned]);
    ec2.clear_calls();
    assert_eq!(ec2.calls(), []);
}
