use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use stand_ins::ec2::{Action, Break, Fault, Point, StandIn, World};

use crate::client::{CREDENTIAL, Client, authorization, call, deprovision, deprovision_params, look, try_call};

/// A stand-in whose next deprovision meets this fault.
fn with(fault: Fault) -> StandIn {
    let ec2 = StandIn::start(World::default());
    ec2.fault(Action::DeprovisionIpamByoasn, fault);
    ec2
}

fn state(ec2: &StandIn) -> String {
    ec2.world().asns[0].state.clone()
}

#[test]
fn faults_happen_in_order_to_one_call_each_of_their_action() {
    let ec2 = with(Fault::Throttle);
    ec2.fault(Action::DeprovisionIpamByoasn, Fault::error(500, "InternalError", "An internal error has occurred"));
    assert_eq!(look(&ec2), ["provisioned"]);
    assert_eq!(deprovision(&ec2).error(), (503, "RequestLimitExceeded"));
    assert_eq!(deprovision(&ec2).error(), (500, "InternalError"));
    assert_eq!(deprovision(&ec2).status, 200);
    assert_eq!(ec2.calls().len(), 4);
}

#[test]
fn an_error_may_repeat_the_secrets_of_the_request() {
    let ec2 = with(Fault::error(400, "Leak", "<{authorization}|{session_token}>"));
    let headers = authorization(CREDENTIAL) + "x-amz-security-token: t0ken\r\n";
    let body = "Version=2016-11-15&".to_owned() + &deprovision_params();
    let answer = Client::new(ec2.endpoint()).request("POST", "/", &headers, &body);
    assert_eq!(
        answer.element("Message"),
        Some(
            "&lt;AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/ec2/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0badc0de|t0ken&gt;"
        )
    );
}

#[test]
fn an_error_may_lack_its_code_or_its_body() {
    let ec2 = with(Fault::NoCode { status: 500 });
    ec2.fault(Action::DeprovisionIpamByoasn, Fault::EmptyBody { status: 502 });
    let answer = deprovision(&ec2);
    assert_eq!((answer.status, answer.element("Code")), (500, None));
    assert!(answer.element("Message").is_some() && answer.element("RequestID").is_some());
    let answer = deprovision(&ec2);
    assert_eq!((answer.status, &*answer.body), (502, ""));
    assert_eq!(state(&ec2), "provisioned");
}

#[test]
fn an_answer_may_be_html() {
    let ec2 = with(Fault::Html { status: 502 });
    let answer = deprovision(&ec2);
    assert_eq!(answer.status, 502);
    assert_eq!(answer.headers["content-type"], "text/html");
    assert!(answer.body.starts_with("<html>"));
}

#[test]
fn xml_may_end_in_the_middle() {
    for (status, state_after) in [(200, "pending-deprovision"), (503, "provisioned")] {
        let ec2 = with(Fault::TruncatedXml { status });
        let answer = deprovision(&ec2);
        assert_eq!(answer.status, status);
        assert!(answer.body.starts_with("<?xml") && !answer.body.contains("</Re"));
        assert_eq!(state(&ec2), state_after);
    }
}

#[test]
fn an_answer_may_be_slow() {
    for after_effect in [false, true] {
        let ec2 = with(Fault::Slow { seconds: 0.3, after_effect });
        let start = Instant::now();
        assert_eq!(deprovision(&ec2).status, 200);
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert_eq!(state(&ec2), "pending-deprovision");
    }
}

#[test]
fn who_does_not_wait_for_a_slow_answer_may_or_may_not_have_changed_something() {
    for (after_effect, state_after) in [(false, "provisioned"), (true, "pending-deprovision")] {
        let ec2 = with(Fault::Slow { seconds: 1.0, after_effect });
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
fn an_answer_may_never_come() {
    for (after_effect, state_after) in [(false, "provisioned"), (true, "pending-deprovision")] {
        let ec2 = with(Fault::Hang { after_effect });
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
fn a_connection_may_be_reset_or_closed_before_or_after_the_change() {
    for (after_effect, state_after) in [(false, "provisioned"), (true, "pending-deprovision")] {
        for (fault, kind) in [
            (Fault::Reset { after_effect }, ErrorKind::ConnectionReset),
            (Fault::Close { after_effect }, ErrorKind::UnexpectedEof),
        ] {
            let ec2 = with(fault);
            let error = try_call(&ec2, &deprovision_params()).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(state(&ec2), state_after);
        }
    }
}

#[test]
fn a_connection_may_end_in_the_middle_of_the_answer() {
    let ec2 = with(Fault::HalfAnswer);
    let error = try_call(&ec2, &deprovision_params()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(state(&ec2), "pending-deprovision");
}

#[test]
fn a_success_may_lack_the_byoasn() {
    let ec2 = with(Fault::NoByoasn);
    let answer = deprovision(&ec2);
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("</requestId></DeprovisionIpamByoasnResponse>"));
    assert_eq!(state(&ec2), "pending-deprovision");
}

#[test]
fn a_success_may_tell_of_any_state() {
    let ec2 = with(Fault::State { state: "failed-deprovision".to_owned(), status_message: Some("because".to_owned()) });
    let answer = deprovision(&ec2);
    assert_eq!(answer.element("state"), Some("failed-deprovision"));
    assert_eq!(answer.element("statusMessage"), Some("because"));
    assert_eq!(look(&ec2), ["failed-deprovision"]);
}

#[test]
fn a_dry_run_may_be_ignored_with_and_without_effect() {
    for (after_effect, state_after) in [(false, "provisioned"), (true, "pending-deprovision")] {
        let ec2 = with(Fault::DryRunIgnored { after_effect });
        let answer = call(&ec2, &(deprovision_params() + "&DryRun=true"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.element("state"), Some("pending-deprovision"));
        assert_eq!(state(&ec2), state_after);
    }
}

#[test]
fn an_answer_may_be_anything() {
    let ec2 = with(Fault::Raw {
        status: 418,
        headers: BTreeMap::from([("x-tea".to_owned(), "pot".to_owned())]),
        body: "\u{1}<Code>States.Timeout</Code>{session_token}".to_owned(),
        after_effect: false,
    });
    let answer = deprovision(&ec2);
    assert_eq!(answer.status, 418);
    assert_eq!(answer.headers["x-tea"], "pot");
    assert_eq!(answer.body, "\u{1}<Code>States.Timeout</Code>");
    assert_eq!(state(&ec2), "provisioned");
}

/// What a client reads of an answer that breaks, until the connection ends or nothing comes for a while.
fn rest_of(ec2: &StandIn) -> (String, Option<ErrorKind>) {
    let mut client = Client::new(ec2.endpoint());
    client.0.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let body = "Version=2016-11-15&".to_owned() + &deprovision_params();
    client.send("POST", "/", &authorization(CREDENTIAL), &body);
    let mut bytes = Vec::new();
    let error = client.0.read_to_end(&mut bytes).err().map(|error| error.kind());
    (String::from_utf8_lossy(&bytes).into_owned(), error)
}

#[test]
fn an_answer_may_break_at_any_point() {
    for (at, shows, hides) in [
        (Point::Start, "", "HTTP"),
        (Point::Head, "\r\n\r\n", "<?xml"),
        (Point::HalfBody, "<?xml", "</DeprovisionIpamByoasnResponse>"),
        (Point::End, "</DeprovisionIpamByoasnResponse>", "\u{fffd}"),
    ] {
        let ec2 = with(Fault::Breaks { at, by: Break::Close, status: 200, after_effect: true });
        let (text, error) = rest_of(&ec2);
        assert_eq!(error, None);
        assert!(text.contains(shows) && !text.contains(hides), "{at:?}: {text}");
        assert_eq!(state(&ec2), "pending-deprovision");
    }
}

#[test]
fn an_answer_may_break_in_any_way() {
    for (by, end) in [
        (Break::Close, None),
        (Break::Reset, Some(ErrorKind::ConnectionReset)),
        (Break::Hang, Some(ErrorKind::WouldBlock)),
        (Break::Garbage, None),
        (Break::Drip { seconds: 1000.0 }, Some(ErrorKind::WouldBlock)),
    ] {
        let ec2 = with(Fault::Breaks { at: Point::Head, by, status: 503, after_effect: false });
        let (text, error) = rest_of(&ec2);
        assert_eq!(error, end, "{by:?}");
        assert_eq!(text.contains('\u{fffd}'), by == Break::Garbage);
        assert_eq!(state(&ec2), "provisioned");
    }
    let ec2 =
        with(Fault::Breaks { at: Point::Start, by: Break::Drip { seconds: 0.3 }, status: 200, after_effect: true });
    let start = Instant::now();
    assert_eq!(deprovision(&ec2).element("state"), Some("pending-deprovision"));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn an_answer_may_be_the_last_on_its_connection() {
    let ec2 = with(Fault::LastAnswer { seconds: 0.0 });
    let (text, error) = rest_of(&ec2);
    assert_eq!(error, None);
    assert!(text.contains("connection: close") && text.ends_with("</DeprovisionIpamByoasnResponse>"), "{text}");
}
