use std::time::Duration;

use stand_ins::ec2::{Action, After, Asn, Association, Call, Cidr, StandIn, World};

use crate::client::{CREDENTIAL, Client, IPAM, authorization, call, deprovision, deprovision_params, describe_states};

fn associated() -> World {
    World { cidrs: vec![Cidr::new("203.0.113.0/24").association(Association::new("64500"))], ..World::default() }
}

#[test]
fn deprovision_returns_the_pending_asn() {
    let ec2 = StandIn::start(World::default());
    let response = deprovision(&ec2);
    let request_id = response.element("requestId").unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["content-type"], "text/xml;charset=UTF-8");
    assert_eq!(response.headers["x-amzn-requestid"], request_id);
    assert_eq!(
        response.body,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeprovisionIpamByoasnResponse \
             xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{request_id}</requestId>\
             <byoasn><asn>64500</asn><ipamId>{IPAM}</ipamId><state>pending-deprovision</state>\
             </byoasn></DeprovisionIpamByoasnResponse>"
        )
    );
}

#[test]
fn request_ids_are_unique() {
    let ec2 = StandIn::start(World::default());
    let ids: Vec<String> = (0..2).map(|_| deprovision(&ec2).headers["x-amzn-requestid"].clone()).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].len(), 36);
}

#[test]
fn request_id_header_can_be_switched_off() {
    let ec2 = StandIn::start(World { request_id_header: false, ..World::default() });
    let success = deprovision(&ec2);
    let failure = deprovision(&ec2);
    assert!(success.element("requestId").is_some() && failure.element("RequestID").is_some());
    for response in [success, failure] {
        assert!(!response.headers.contains_key("x-amzn-requestid"));
    }
}

#[test]
fn asn_stays_pending_for_a_number_of_describes() {
    let ec2 = StandIn::start(World::default());
    assert_eq!(describe_states(&ec2), ["provisioned"]);
    deprovision(&ec2);
    assert_eq!(describe_states(&ec2), ["pending-deprovision"]);
    assert_eq!(describe_states(&ec2), ["pending-deprovision"]);
    assert_eq!(ec2.world().asns[0].state, "deprovisioned");
    assert_eq!(describe_states(&ec2), ["deprovisioned"]);
}

#[test]
fn asn_stays_pending_for_some_seconds() {
    let ec2 =
        StandIn::start(World { asns: vec![Asn::new("64500", IPAM).after(After::Seconds(1.0))], ..World::default() });
    deprovision(&ec2);
    assert_eq!(describe_states(&ec2), ["pending-deprovision"]);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(describe_states(&ec2), ["deprovisioned"]);
}

#[test]
fn initially_pending_asn_reaches_its_final_state() {
    let ec2 =
        StandIn::start(World { asns: vec![Asn::new("64500", IPAM).state("pending-deprovision")], ..World::default() });
    describe_states(&ec2);
    describe_states(&ec2);
    assert_eq!(describe_states(&ec2), ["deprovisioned"]);
}

#[test]
fn deprovision_can_fail_after_acceptance() {
    let ec2 = StandIn::start(World {
        asns: vec![Asn::new("64500", IPAM).after(After::Describes(0)).ends_in_failure("R&D: <no>")],
        ..World::default()
    });
    assert_eq!(deprovision(&ec2).element("state"), Some("pending-deprovision"));
    let response = call(&ec2, "Action=DescribeIpamByoasn");
    assert_eq!(response.element("state"), Some("failed-deprovision"));
    assert_eq!(response.element("statusMessage"), Some("R&amp;D: &lt;no&gt;"));
    assert_eq!(deprovision(&ec2).status, 200);
}

#[test]
fn repeated_deprovision_is_rejected() {
    for state in ["pending-deprovision", "deprovisioned", "pending-provision"] {
        let ec2 = StandIn::start(World { asns: vec![Asn::new("64500", IPAM).state(state)], ..World::default() });
        assert_eq!(deprovision(&ec2).error(), (400, "IncorrectState"));
        assert_eq!(ec2.world().asns[0].state, state);
    }
}

#[test]
fn live_entry_takes_precedence_over_deprovisioned_entry() {
    let ec2 = StandIn::start(World {
        asns: vec![Asn::new("64500", IPAM).state("deprovisioned"), Asn::new("64500", IPAM)],
        ..World::default()
    });
    assert_eq!(deprovision(&ec2).status, 200);
    assert_eq!(describe_states(&ec2), ["deprovisioned", "pending-deprovision"]);
}

#[test]
fn asn_of_another_ipam_is_not_found() {
    let ec2 = StandIn::start(World {
        ipams: vec![IPAM.to_owned(), "ipam-0a".to_owned()],
        asns: vec![Asn::new("64500", "ipam-0a")],
        ..World::default()
    });
    assert_eq!(deprovision(&ec2).error(), (400, "InvalidByoasn.NotFound"));
}

#[test]
fn unknown_ipam_is_not_found() {
    let ec2 = StandIn::start(World { ipams: Vec::new(), ..World::default() });
    assert_eq!(deprovision(&ec2).error(), (400, "InvalidIpamId.NotFound"));
}

#[test]
fn deprovision_is_rejected_until_disassociated() {
    let ec2 = StandIn::start(associated());
    let cidrs = "Action=DescribeByoipCidrs&MaxResults=100";
    assert_eq!(deprovision(&ec2).error(), (400, "DependencyViolation"));

    let response = call(&ec2, "Action=DisassociateIpamByoasn&Asn=64500&Cidr=203.0.113.0%2F24");
    assert_eq!(
        response.element("asnAssociation"),
        Some("<asn>64500</asn><cidr>203.0.113.0/24</cidr><state>pending-disassociation</state>")
    );
    assert_eq!(deprovision(&ec2).error(), (400, "DependencyViolation"));

    let response = call(&ec2, cidrs);
    assert_eq!(
        response.element("byoipCidrSet"),
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
fn every_association_state_but_disassociated_blocks() {
    for state in
        ["pending-association", "associated", "failed-association", "pending-disassociation", "failed-disassociation"]
    {
        let ec2 = StandIn::start(World {
            cidrs: vec![Cidr::new("203.0.113.0/24").association(Association::new("64500").state(state))],
            ..World::default()
        });
        assert_eq!(deprovision(&ec2).error(), (400, "DependencyViolation"), "{state}");
    }
}

#[test]
fn association_can_disappear() {
    let ec2 = StandIn::start(World {
        cidrs: vec![
            Cidr::new("2001:db8::/32")
                .association(Association::new("64500").ends_in("gone").after(After::Describes(0))),
        ],
        ..World::default()
    });
    let disassociate = "Action=DisassociateIpamByoasn&Asn=64500&Cidr=2001%3Adb8%3A%3A%2F32";
    assert_eq!(call(&ec2, disassociate).status, 200);
    assert!(ec2.world().cidrs[0].associations.is_empty());
    assert_eq!(call(&ec2, disassociate).error(), (400, "InvalidAsnAssociation.NotFound"));
}

#[test]
fn repeated_disassociate_is_rejected() {
    let ec2 = StandIn::start(associated());
    let disassociate = "Action=DisassociateIpamByoasn&Asn=64500&Cidr=203.0.113.0%2F24";
    assert_eq!(call(&ec2, disassociate).status, 200);
    assert_eq!(call(&ec2, disassociate).error(), (400, "IncorrectState"));
}

#[test]
fn undocumented_codes_are_configurable() {
    let mut world = World::default();
    world.codes.asn_in_wrong_state = "Surprise".to_owned();
    let ec2 = StandIn::start(world);
    deprovision(&ec2);
    assert_eq!(deprovision(&ec2).error(), (400, "Surprise"));
}

#[test]
fn describes_show_any_state_and_status_message() {
    let ec2 = StandIn::start(World {
        asns: vec![Asn::new("64500", IPAM).state("new-state").status_message("<1>")],
        cidrs: vec![
            Cidr::new("203.0.113.0/24")
                .state("provisioned")
                .association(Association::new("64500").state("advertised").status_message("<2>"))
                .association(Association::new("64501").state("new-state")),
            Cidr::new("2001:db8::/32"),
        ],
        ..World::default()
    });
    assert_eq!(
        call(&ec2, "Action=DescribeIpamByoasn").element("byoasnSet"),
        Some(&*format!(
            "<item><asn>64500</asn><ipamId>{IPAM}</ipamId><statusMessage>&lt;1&gt;</statusMessage>\
             <state>new-state</state></item>"
        ))
    );
    assert_eq!(
        call(&ec2, "Action=DescribeByoipCidrs&MaxResults=100").element("byoipCidrSet"),
        Some(
            "<item><cidr>203.0.113.0/24</cidr><asnAssociationSet>\
             <item><asn>64500</asn><cidr>203.0.113.0/24</cidr><statusMessage>&lt;2&gt;</statusMessage>\
             <state>advertised</state></item>\
             <item><asn>64501</asn><cidr>203.0.113.0/24</cidr><state>new-state</state></item>\
             </asnAssociationSet><state>provisioned</state></item>\
             <item><cidr>2001:db8::/32</cidr><asnAssociationSet></asnAssociationSet><state>advertised</state></item>"
        )
    );
}

#[test]
fn lists_are_paginated() {
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
        let mut listed = Vec::new();
        let mut page = call(&ec2, list);
        loop {
            let found = page.elements(name);
            assert!((1..=2).contains(&found.len()));
            listed.extend(found.into_iter().map(str::to_owned));
            let Some(token) = page.element("nextToken") else {
                break;
            };
            let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
            page = call(&ec2, &format!("{list}&NextToken={token}"));
        }
        assert_eq!(listed, entries);
    }
}

#[test]
fn max_results_limits_the_page_size() {
    let ec2 =
        StandIn::start(World { asns: (1..=3).map(|n| Asn::new(&n.to_string(), IPAM)).collect(), ..World::default() });
    let page = call(&ec2, "Action=DescribeIpamByoasn&MaxResults=1");
    assert_eq!(page.elements("asn"), ["1"]);
    assert!(page.element("nextToken").is_some());
}

#[test]
fn token_of_another_list_is_rejected() {
    let ec2 =
        StandIn::start(World { asns: (1..=3).map(|n| Asn::new(&n.to_string(), IPAM)).collect(), ..World::default() });
    let page = call(&ec2, "Action=DescribeIpamByoasn&MaxResults=1");
    let token = page.element("nextToken").unwrap();
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    let other = format!("Action=DescribeByoipCidrs&MaxResults=1&NextToken={token}");
    assert_eq!(call(&ec2, &other).error(), (400, "InvalidParameterValue"));
}

#[test]
fn dry_run_returns_412_and_changes_nothing() {
    let ec2 = StandIn::start(World::default());
    let dry_run = deprovision_params() + "&DryRun=true";
    let response = call(&ec2, &dry_run);
    assert_eq!(response.error(), (412, "DryRunOperation"));
    assert_eq!(response.element("Message"), Some("Request would have succeeded, but DryRun flag is set."));
    assert_eq!(describe_states(&ec2), ["provisioned"]);
}

#[test]
fn dry_run_status_is_configurable() {
    let ec2 = StandIn::start(World { dry_run_status: 400, ..World::default() });
    let response = call(&ec2, &(deprovision_params() + "&DryRun=true"));
    assert_eq!(response.error(), (400, "DryRunOperation"));
}

#[test]
fn denied_access_key_fails_on_every_action() {
    let ec2 = StandIn::start(World { denied_access_keys: vec!["AKID".to_owned()], ..World::default() });
    for params in [
        deprovision_params(),
        deprovision_params() + "&DryRun=true",
        "Action=DescribeIpamByoasn".to_owned(),
        "Action=DescribeByoipCidrs&MaxResults=1".to_owned(),
        "Action=DisassociateIpamByoasn&Asn=64500&Cidr=10.0.0.0%2F8".to_owned(),
    ] {
        let response = call(&ec2, &params);
        assert_eq!(response.error(), (403, "UnauthorizedOperation"), "{params}");
        let (_, encoded) =
            response.element("Message").unwrap().split_once("Encoded authorization failure message: ").unwrap();
        assert!(encoded.len() > 500, "{encoded}");
    }
    assert_eq!(ec2.world().asns[0].state, "provisioned");
}

#[test]
fn denied_action_does_not_affect_others() {
    let ec2 = StandIn::start(World { denied_actions: vec![Action::DescribeIpamByoasn], ..World::default() });
    let describe = call(&ec2, "Action=DescribeIpamByoasn");
    assert_eq!(describe.error(), (403, "UnauthorizedOperation"));
    assert_eq!(deprovision(&ec2).status, 200);
}

#[test]
fn invalid_requests_get_ec2_error_codes() {
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
        let response = call(&ec2, params);
        assert_eq!(response.error(), (400, code), "{params}");
        assert_eq!(response.element("Message"), Some(message), "{params}");
    }
    assert_eq!(ec2.world().asns[0].state, "provisioned");
}

#[test]
fn unknown_api_version_is_rejected() {
    let ec2 = StandIn::start(World::default());
    for (version, code) in [("", "MissingParameter"), ("Version=2015-12-01&", "NoSuchVersion")] {
        let body = version.to_owned() + &deprovision_params();
        let mut client = Client::new(ec2.endpoint());
        let response = client.request("POST", "/", &authorization(CREDENTIAL), &body);
        assert_eq!(response.error(), (400, code));
    }
}

#[test]
fn signature_scope_must_match_service_and_region() {
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
        let response = client.request("POST", "/", &headers, body);
        assert_eq!(response.error(), error, "{headers}");
    }
}

#[test]
fn parameters_can_be_in_the_url() {
    let ec2 = StandIn::start(World::default());
    let path = "/?Version=2016-11-15&Action=DescribeIpamByoasn";
    let mut client = Client::new(ec2.endpoint());
    let response = client.request("GET", path, &authorization(CREDENTIAL), "");
    assert_eq!(response.elements("asn"), ["64500"]);
}

#[test]
fn calls_are_recorded() {
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
