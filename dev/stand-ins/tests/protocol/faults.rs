use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use stand_ins::ec2::{Action, Fault, Interruption, Point, StandIn, World};

use crate::client::{
    CREDENTIAL, Client, authorization, call, deprovision, deprovision_params, describe_states, try_call,
};

/// A stand-in with this fault queued for the next deprovision.
fn with_fault(fault: Fault) -> StandIn {
    let ec2 = StandIn::start(World::default());
    ec2.queue_fault(Action::DeprovisionIpamByoasn, fault);
    ec2
}

fn state(ec2: &StandIn) -> String {
    ec2.world().asns[0].state.clone()
}

#[test]
fn each_fault_affects_one_call_of_its_action_in_order() {
    let ec2 = with_fault(Fault::Throttle);
    ec2.queue_fault(
        Action::DeprovisionIpamByoasn,
        Fault::error(500, "InternalError", "An internal error has occurred"),
    );
    assert_eq!(describe_states(&ec2), ["provisioned"]);
    assert_eq!(deprovision(&ec2).error(), (503, "RequestLimitExceeded"));
    assert_eq!(deprovision(&ec2).error(), (500, "InternalError"));
    assert_eq!(deprovision(&ec2).status, 200);
    assert_eq!(ec2.calls().len(), 4);
}

#[test]
fn error_can_echo_secrets_of_the_request() {
    let ec2 = with_fault(Fault::error(400, "Leak", "<{authorization}|{session_token}>"));
    let headers = authorization(CREDENTIAL) + "x-amz-security-token: t0ken\r\n";
    let body = "Version=2016-11-15&".to_owned() + &deprovision_params();
    let response = Client::new(ec2.endpoint()).request("POST", "/", &headers, &body);
    assert_eq!(
        response.element("Message"),
        Some(
            "&lt;AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/ec2/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0badc0de|t0ken&gt;"
        )
    );
}

#[test]
fn error_can_lack_code_or_body() {
    let ec2 = with_fault(Fault::NoCode { status: 500 });
    ec2.queue_fault(Action::DeprovisionIpamByoasn, Fault::EmptyBody { status: 502 });
    let response = deprovision(&ec2);
    assert_eq!((response.status, response.element("Code")), (500, None));
    assert!(response.element("Message").is_some() && response.element("RequestID").is_some());
    let response = deprovision(&ec2);
    assert_eq!((response.status, &*response.body), (502, ""));
    assert_eq!(state(&ec2), "provisioned");
}

#[test]
fn response_can_be_html() {
    let ec2 = with_fault(Fault::Html { status: 502 });
    let response = deprovision(&ec2);
    assert_eq!(response.status, 502);
    assert_eq!(response.headers["content-type"], "text/html");
    assert!(response.body.starts_with("<html>"));
}

#[test]
fn xml_can_be_truncated() {
    for (status, state_after) in [(200, "pending-deprovision"), (503, "provisioned")] {
        let ec2 = with_fault(Fault::TruncatedXml { status });
        let response = deprovision(&ec2);
        assert_eq!(response.status, status);
        assert!(response.body.starts_with("<?xml") && !response.body.contains("</Re"));
        assert_eq!(state(&ec2), state_after);
    }
}

#[test]
fn response_can_be_slow() {
    for after_effect in [false, true] {
        let ec2 = with_fault(Fault::Slow { seconds: 0.3, after_effect });
        let start = Instant::now();
        assert_eq!(deprovision(&ec2).status, 200);
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert_eq!(state(&ec2), "pending-deprovision");
    }
}

#[test]
fn slow_response_executes_before_or_after_the_delay() {
    for (after_effect, state_after) in [(false, "provisioned"), (true, "pending-deprovision")] {
        let ec2 = with_fault(Fault::Slow { seconds: 1.0, after_effect });
        let mut client = Client::new(ec2.endpoint());
        let body = "Version=2016-11-15&".to_owned() + &deprovision_params();
        client.send("POST", "/", &authorization(CREDENTIAL), &body);
        std::thread::sleep(Duration::from_millis(100));
        drop(client);
        std::thread::sleep(Duration::from_millis(1200));
        assert_eq!(state(&ec2), state_after);
    }
}

#[test]
fn response_can_hang() {
    for (after_effect, state_after) in [(false, "provisioned"), (true, "pending-deprovision")] {
        let ec2 = with_fault(Fault::Hang { after_effect });
        let mut client = Client::new(ec2.endpoint());
        let timeout = Some(Duration::from_millis(300));
        client.0.set_read_timeout(timeout).unwrap();
        let body = "Version=2016-11-15&".to_owned() + &deprovision_params();
        client.send("POST", "/", &authorization(CREDENTIAL), &body);
        let kind = client.read().unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut));
        assert_eq!(state(&ec2), state_after);
    }
}

#[test]
fn connection_can_be_reset_or_closed_with_and_without_effect() {
    for (after_effect, state_after) in [(false, "provisioned"), (true, "pending-deprovision")] {
        for (fault, kind) in [
            (Fault::Reset { after_effect }, ErrorKind::ConnectionReset),
            (Fault::Close { after_effect }, ErrorKind::UnexpectedEof),
        ] {
            let ec2 = with_fault(fault);
            let error = try_call(&ec2, &deprovision_params()).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(state(&ec2), state_after);
        }
    }
}

#[test]
fn connection_can_end_in_the_middle_of_a_response() {
    let ec2 = with_fault(Fault::HalfResponse);
    let error = try_call(&ec2, &deprovision_params()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(state(&ec2), "pending-deprovision");
}

#[test]
fn success_can_lack_byoasn() {
    let ec2 = with_fault(Fault::NoByoasn);
    let response = deprovision(&ec2);
    assert_eq!(response.status, 200);
    assert!(response.body.contains("</requestId></DeprovisionIpamByoasnResponse>"));
    assert_eq!(state(&ec2), "pending-deprovision");
}

#[test]
fn success_can_have_any_state() {
    let ec2 =
        with_fault(Fault::State { state: "failed-deprovision".to_owned(), status_message: Some("because".to_owned()) });
    let response = deprovision(&ec2);
    assert_eq!(response.element("state"), Some("failed-deprovision"));
    assert_eq!(response.element("statusMessage"), Some("because"));
    assert_eq!(describe_states(&ec2), ["failed-deprovision"]);
}

#[test]
fn dry_run_can_be_ignored_with_and_without_effect() {
    for (after_effect, state_after) in [(false, "provisioned"), (true, "pending-deprovision")] {
        let ec2 = with_fault(Fault::DryRunIgnored { after_effect });
        let response = call(&ec2, &(deprovision_params() + "&DryRun=true"));
        assert_eq!(response.status, 200);
        assert_eq!(response.element("state"), Some("pending-deprovision"));
        assert_eq!(state(&ec2), state_after);
    }
}

#[test]
fn raw_response_is_sent_unchanged() {
    let ec2 = with_fault(Fault::Raw {
        status: 418,
        headers: BTreeMap::from([("x-tea".to_owned(), "pot".to_owned())]),
        body: b"\x01<Code>States.Timeout</Code>{session_token}".to_vec(),
        after_effect: false,
    });
    let response = deprovision(&ec2);
    assert_eq!(response.status, 418);
    assert_eq!(response.headers["x-tea"], "pot");
    assert_eq!(response.body, "\u{1}<Code>States.Timeout</Code>");
    assert_eq!(state(&ec2), "provisioned");
}

#[test]
fn raw_response_can_be_invalid_http_and_invalid_utf8() {
    let ec2 = with_fault(Fault::Raw {
        status: 999,
        headers: BTreeMap::from([("a".to_owned(), "1\r\na: 2\r\ncontent-length: 9".to_owned())]),
        body: b"xyz\xff".to_vec(),
        after_effect: true,
    });
    let mut client = Client::new(ec2.endpoint());
    let body = "Version=2016-11-15&".to_owned() + &deprovision_params();
    client.send("POST", "/", &(authorization(CREDENTIAL) + "connection: close\r\n"), &body);
    let mut bytes = Vec::new();
    client.0.read_to_end(&mut bytes).unwrap();
    let expected = b"HTTP/1.1 999 Status\r\na: 1\r\na: 2\r\ncontent-length: 9\r\ncontent-length: 4\r\n\r\nxyz\xff";
    assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(expected));
    assert_eq!(state(&ec2), "pending-deprovision");
}

#[test]
fn faults_affect_describe_actions_too() {
    for (action, params) in [
        (Action::DescribeIpamByoasn, "Action=DescribeIpamByoasn"),
        (Action::DescribeByoipCidrs, "Action=DescribeByoipCidrs&MaxResults=100"),
    ] {
        let ec2 = StandIn::start(World::default());
        let interrupted = |by| Fault::Interrupted { at: Point::HalfBody, by, status: 200, after_effect: true };
        for (fault, kind) in [
            (Fault::Close { after_effect: false }, ErrorKind::UnexpectedEof),
            (Fault::Reset { after_effect: false }, ErrorKind::ConnectionReset),
            (Fault::HalfResponse, ErrorKind::UnexpectedEof),
            (interrupted(Interruption::Close), ErrorKind::UnexpectedEof),
        ] {
            ec2.queue_fault(action, fault);
            assert_eq!(try_call(&ec2, params).unwrap_err().kind(), kind);
        }
        for (fault, status) in [
            (Fault::Throttle, 503),
            (Fault::error(400, "Code", "Message."), 400),
            (Fault::NoCode { status: 500 }, 500),
            (Fault::EmptyBody { status: 500 }, 500),
            (Fault::Html { status: 502 }, 502),
            (Fault::TruncatedXml { status: 200 }, 200),
            (Fault::Slow { seconds: 0.0, after_effect: false }, 200),
            (Fault::NoByoasn, 200),
            (Fault::State { state: "unknown".to_owned(), status_message: None }, 200),
            (Fault::DryRunIgnored { after_effect: false }, 200),
            (Fault::CloseAfterResponse { seconds: 0.0 }, 200),
            (Fault::raw(418, "text"), 418),
        ] {
            ec2.queue_fault(action, fault);
            assert_eq!(call(&ec2, params).status, status);
        }
        assert_eq!(call(&ec2, params).status, 200);
    }
}

/// Sends a deprovision and reads until the connection ends or nothing arrives for 0.3 s.
fn read_until_end(ec2: &StandIn) -> (String, Option<ErrorKind>) {
    let mut client = Client::new(ec2.endpoint());
    client.0.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let body = "Version=2016-11-15&".to_owned() + &deprovision_params();
    client.send("POST", "/", &authorization(CREDENTIAL), &body);
    let mut bytes = Vec::new();
    let error = client.0.read_to_end(&mut bytes).err().map(|error| error.kind());
    (String::from_utf8_lossy(&bytes).into_owned(), error)
}

#[test]
fn response_can_be_interrupted_at_each_point() {
    for (at, included, excluded) in [
        (Point::Start, "", "HTTP"),
        (Point::HalfHead, "HTTP/1.1 ", "\r\n\r\n"),
        (Point::Head, "\r\n\r\n", "<?xml"),
        (Point::HalfBody, "<?xml", "</DeprovisionIpamByoasnResponse>"),
        (Point::End, "</DeprovisionIpamByoasnResponse>", "\u{fffd}"),
    ] {
        let ec2 = with_fault(Fault::Interrupted { at, by: Interruption::Close, status: 200, after_effect: true });
        let (text, error) = read_until_end(&ec2);
        assert_eq!(error, None);
        assert!(text.contains(included) && !text.contains(excluded), "{at:?}: {text}");
        assert_eq!(state(&ec2), "pending-deprovision");
    }
}

#[test]
fn response_can_be_interrupted_in_each_way() {
    for (by, end) in [
        (Interruption::Close, None),
        (Interruption::Reset, Some(ErrorKind::ConnectionReset)),
        (Interruption::Hang, Some(ErrorKind::WouldBlock)),
        (Interruption::Garbage, None),
        (Interruption::Drip { seconds: 1000.0 }, Some(ErrorKind::WouldBlock)),
    ] {
        let ec2 = with_fault(Fault::Interrupted { at: Point::Head, by, status: 503, after_effect: false });
        let (text, error) = read_until_end(&ec2);
        assert_eq!(error, end, "{by:?}");
        assert_eq!(text.contains('\u{fffd}'), by == Interruption::Garbage);
        assert_eq!(state(&ec2), "provisioned");
    }
    let ec2 = with_fault(Fault::Interrupted {
        at: Point::Start,
        by: Interruption::Drip { seconds: 0.3 },
        status: 200,
        after_effect: true,
    });
    let start = Instant::now();
    assert_eq!(deprovision(&ec2).element("state"), Some("pending-deprovision"));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn response_can_close_its_connection() {
    let ec2 = with_fault(Fault::CloseAfterResponse { seconds: 0.0 });
    let (text, error) = read_until_end(&ec2);
    assert_eq!(error, None);
    assert!(text.contains("connection: close") && text.ends_with("</DeprovisionIpamByoasnResponse>"), "{text}");
}

#[test]
fn queued_faults_are_listed_until_they_are_taken() {
    let ec2 = StandIn::start(World::default());
    ec2.queue_fault(Action::DeprovisionIpamByoasn, Fault::Throttle);
    ec2.queue_fault(Action::DeprovisionIpamByoasn, Fault::NoByoasn);
    let queued = || ec2.queued_faults(Action::DeprovisionIpamByoasn);
    assert!(matches!(queued()[..], [Fault::Throttle, Fault::NoByoasn]));
    deprovision(&ec2);
    assert!(matches!(queued()[..], [Fault::NoByoasn]));
    assert!(ec2.queued_faults(Action::DescribeIpamByoasn).is_empty());
}
