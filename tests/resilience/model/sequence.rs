//! Random sequences of steps.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use stand_ins::ec2::{
    Action::{self, DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
    Fault, Interruption, Point,
};

use crate::support::truncated_success;

/// ASNs and IPAMs in requests. Not all of them exist.
pub const ASNS: [&str; 3] = ["64500", "64501", "64509"];
pub const IPAMS: [&str; 3] = ["ipam-0123456789abcdef0", "ipam-0fedcba9876543210", "ipam-00"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub asn: &'static str,
    pub ipam_id: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Deprovision,
    DryRun,
    DryRunFirst,
    DescribeOnly,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub target: Target,
    pub mode: Mode,
    /// Whether the request is in an EventBridge envelope.
    pub envelope: bool,
    /// Text that makes the event invalid.
    pub defect: Option<&'static str>,
}

impl Event {
    pub fn text(&self) -> String {
        let members = match self.mode {
            Mode::Deprovision => json!({}),
            Mode::DryRun => json!({ "DryRun": true }),
            Mode::DryRunFirst => json!({ "DryRunFirst": true, "DryRun": false }),
            Mode::DescribeOnly => json!({ "DescribeOnly": true, "DryRunFirst": false }),
        };
        let mut request = json!({ "IpamId": self.target.ipam_id, "Asn": self.target.asn });
        request.as_object_mut().expect("object").extend(members.as_object().expect("object").clone());
        let mut request = request.to_string();
        if let Some(defect) = self.defect {
            request.insert_str(1, defect);
        }
        if self.envelope { format!(r#"{{"detail-type":{},"detail":{request}}}"#, Value::from("x")) } else { request }
    }
}

/// A change that somebody else makes in the Region.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    CompleteDeprovision,
    Provision,
    FailDeprovision,
    Associate,
    Disassociate,
}

#[derive(Clone, Debug)]
pub enum Step {
    Invoke(Event),
    /// Sends the last event again, as EventBridge and `Retry` do.
    Repeat,
    Fault(Action, Fault),
    /// Sends an event and kills the function after this many microseconds.
    Crash(Event, u64),
    Change(Target, Change),
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..12)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => event().prop_map(Step::Invoke),
        12 => Just(Step::Repeat),
        30 => fault().prop_map(|(action, fault)| Step::Fault(action, fault)),
        1 => (event(), 0..15_000_u64).prop_map(|(event, after)| Step::Crash(event, after)),
        10 => (target(), change()).prop_map(|(target, change)| Step::Change(target, change)),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    // The first ASN and IPAM are more likely, so that steps affect each other.
    let asn = prop_oneof![4 => Just(ASNS[0]), 2 => Just(ASNS[1]), 1 => Just(ASNS[2])];
    let ipam_id = prop_oneof![6 => Just(IPAMS[0]), 2 => Just(IPAMS[1]), 1 => Just(IPAMS[2])];
    (asn, ipam_id).prop_map(|(asn, ipam_id)| Target { asn, ipam_id })
}

fn event() -> impl Strategy<Value = Event> {
    let mode = prop_oneof![
        5 => Just(Mode::Deprovision),
        3 => Just(Mode::DryRun),
        3 => Just(Mode::DryRunFirst),
        3 => Just(Mode::DescribeOnly),
    ];
    let defect = prop_oneof![
        8 => Just(None),
        1 => select(vec![
            r#""dryRun":true,"#,
            r#""DryRun":true,"DryRun":false,"#,
            r#""Asn":"64500","#,
            r#""DryRun":"true","#,
            r#""DryRun":null,"DryRunFirst":1,"#,
            r#""DescribeOnly":1,"#,
            r#""describe_only":true,"#,
            r#""Ipam\u0049d":"ipam-0","#,
            "\u{0}",
            "{",
        ])
        .prop_map(Some),
    ];
    (target(), mode, any::<bool>(), defect).prop_map(|(target, mode, envelope, defect)| Event {
        target,
        mode,
        envelope,
        defect,
    })
}

fn change() -> impl Strategy<Value = Change> {
    select(vec![
        Change::CompleteDeprovision,
        Change::Provision,
        Change::FailDeprovision,
        Change::Associate,
        Change::Disassociate,
    ])
}

fn fault() -> impl Strategy<Value = (Action, Fault)> {
    prop_oneof![
        4 => deprovision_fault().prop_map(|fault| (DeprovisionIpamByoasn, fault)),
        1 => (select(vec![DescribeIpamByoasn, DescribeByoipCidrs]), any_fault()),
    ]
}

/// The codes after which EC2 may have executed a request, whatever the HTTP status.
const INTERNAL_ERRORS: [&str; 5] =
    ["InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "RequestTimeout"];

/// Whether a call with this fault gets a 2xx, even if it is a dry run.
pub fn is_2xx(fault: &Fault) -> bool {
    match fault {
        Fault::NoByoasn => true,
        Fault::Raw { status, .. }
        | Fault::Error { status, .. }
        | Fault::EmptyBody { status }
        | Fault::Html { status } => (200..300).contains(status),
        _ => false,
    }
}

/// Whether EC2 may have executed a call with this fault, although the call fails. `None` if the state of the ASN decides.
pub fn may_have_been_executed(fault: &Fault) -> Option<bool> {
    match fault {
        Fault::Throttle => Some(false),
        Fault::Error { status, code, .. } => {
            let is_internal = INTERNAL_ERRORS.contains(&code.as_str()) || code == "DryRunOperation";
            Some(is_internal || !(400..500).contains(status))
        }
        Fault::NoCode { status } | Fault::EmptyBody { status } | Fault::Html { status } => {
            Some(!(400..500).contains(status))
        }
        Fault::NoByoasn
        | Fault::Raw { .. }
        | Fault::Reset { .. }
        | Fault::Close { .. }
        | Fault::Hang { .. }
        | Fault::HalfResponse => Some(true),
        _ => None,
    }
}

/// Faults that are possible for every action.
fn any_fault() -> impl Strategy<Value = Fault> {
    let interrupted = (
        select(vec![Point::Start, Point::Head, Point::HalfBody]),
        select(vec![Interruption::Close, Interruption::Reset, Interruption::Garbage]),
        select(vec![200, 500, 503]),
        any::<bool>(),
    );
    prop_oneof![
        Just(Fault::Throttle),
        Just(Fault::NoCode { status: 500 }),
        Just(Fault::EmptyBody { status: 503 }),
        Just(Fault::Html { status: 502 }),
        Just(Fault::Html { status: 403 }),
        Just(Fault::Html { status: 200 }),
        Just(Fault::EmptyBody { status: 200 }),
        Just(truncated_success()),
        Just(Fault::HalfResponse),
        Just(Fault::TruncatedXml { status: 200 }),
        (select(vec![200, 400, 403, 500, 503]), select(INTERNAL_ERRORS.to_vec()))
            .prop_map(|(status, code)| Fault::error(status, code, "Oh.")),
        (select(vec![200, 400, 403]), select(vec!["UnauthorizedOperation", "IncorrectState", "States.ALL"]))
            .prop_map(|(status, code)| Fault::error(status, code, "No.")),
        any::<bool>().prop_map(|after_effect| Fault::Reset { after_effect }),
        any::<bool>().prop_map(|after_effect| Fault::Close { after_effect }),
        any::<bool>().prop_map(|after_effect| Fault::Hang { after_effect }),
        (0.0..0.02, any::<bool>()).prop_map(|(seconds, after_effect)| Fault::Slow { seconds, after_effect }),
        // EC2 never reports a success without a change, and at the start there is no success yet.
        interrupted
            .prop_filter("not a success without a change", |(at, _, status, _)| *status != 200 || *at != Point::Start)
            .prop_map(|(at, by, status, after_effect)| Fault::Interrupted { at, by, status, after_effect }),
        Just(Fault::CloseAfterResponse { seconds: 0.0 }),
    ]
}

fn deprovision_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        8 => any_fault(),
        1 => Just(Fault::NoByoasn),
        1 => Just(Fault::State { state: "failed-deprovision".into(), status_message: None }),
        1 => Just(Fault::DryRunIgnored { after_effect: true }),
        1 => select(vec![202, 400, 412]).prop_map(|status| Fault::error(status, "DryRunOperation", "It would.")),
        1 => Just(Fault::raw(
            200,
            "<DeprovisionIpamByoasnResponse><byoasn><state>deprovisioned</state><state>failed-deprovision</state>\
             </byoasn></DeprovisionIpamByoasnResponse>",
        )),
        1 => Just(Fault::raw(
            200,
            "<DeprovisionIpamByoasnResponse><byoasn><asn>1</asn><state>deprovisioned</state></byoasn>\
             </DeprovisionIpamByoasnResponse>",
        )),
    ]
}
