//! The phases and faults of the matrix, and how each fault is injected in each phase.

use stand_ins::ec2::{
    Fault as Ec2Fault,
    Interruption::{self, Drip, Garbage, Hang, Reset},
    Network, Point,
};

use crate::support::truncated_success;

/// How far a call is when the fault occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Connect,
    Tls,
    RequestSent,
    ChangeTaken,
    Head,
    HalfBody,
    WholeBody,
}

impl Phase {
    pub const ALL: [Self; 7] =
        [Self::Connect, Self::Tls, Self::RequestSent, Self::ChangeTaken, Self::Head, Self::HalfBody, Self::WholeBody];

    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "Connect",
            Self::Tls => "TLS handshake",
            Self::RequestSent => "Request sent",
            Self::ChangeTaken => "Change taken effect",
            Self::Head => "Response head received",
            Self::HalfBody => "Half of the response body received",
            Self::WholeBody => "Whole response body received",
        }
    }
}

/// What goes wrong. Each fault is a row in the table of each phase where it can occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Refused,
    Reset,
    Hang,
    SlowDrip,
    Garbage,
    ThrottleOnce,
    PermanentThrottle,
    ServerError,
    TruncatedSuccessOnce,
    ErrorInSuccess,
    InternalErrorIn400,
    DryRunOperation,
    AmbiguousSuccess,
    WrongName,
    ExpiredCertificate,
    DnsFailure,
}

impl Fault {
    pub const ALL: [Self; 16] = [
        Self::Refused,
        Self::Reset,
        Self::Hang,
        Self::SlowDrip,
        Self::Garbage,
        Self::ThrottleOnce,
        Self::PermanentThrottle,
        Self::ServerError,
        Self::TruncatedSuccessOnce,
        Self::ErrorInSuccess,
        Self::InternalErrorIn400,
        Self::DryRunOperation,
        Self::AmbiguousSuccess,
        Self::WrongName,
        Self::ExpiredCertificate,
        Self::DnsFailure,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Hang => "hang",
            Self::SlowDrip => "slow drip",
            Self::Garbage => "garbage",
            Self::ThrottleOnce => "throttle once",
            Self::PermanentThrottle => "permanent throttle",
            Self::ServerError => "5xx",
            Self::TruncatedSuccessOnce => "half a 200 once",
            Self::ErrorInSuccess => "error with HTTP 200",
            Self::InternalErrorIn400 => "`InternalError` with HTTP 400",
            Self::DryRunOperation => "`DryRunOperation`",
            Self::AmbiguousSuccess => "success with two states",
            Self::WrongName => "wrong TLS name",
            Self::ExpiredCertificate => "expired certificate",
            Self::DnsFailure => "DNS failure",
        }
    }
}

/// What the test does to cause the fault.
#[derive(Clone, Debug)]
pub enum Injection {
    /// This happens to all new connections during the invocation.
    Network(Network),
    /// This happens to as many calls: one, or each attempt of an operation.
    Calls { fault: Ec2Fault, times: usize },
    /// The endpoint's host name cannot be resolved.
    UnresolvableHost,
}

/// The SDK's default number of attempts for one operation.
const ATTEMPTS: usize = 3;

/// Longer than any deadline in this test.
const DRIP: Interruption = Drip { seconds: 600.0 };

/// One of its states is a success, the other a failure.
const AMBIGUOUS_SUCCESS: &str = "<DeprovisionIpamByoasnResponse><byoasn><asn>64500</asn><state>pending-deprovision</state>\
                                 <state>failed-deprovision</state></byoasn></DeprovisionIpamByoasnResponse>";

/// How the fault is injected in this phase, or `None` if it cannot occur there.
pub fn injection(phase: Phase, fault: Fault) -> Option<Injection> {
    let calls = |fault| Some(Injection::Calls { fault, times: ATTEMPTS });
    let interrupted = |at, by| {
        let after_effect = phase != Phase::RequestSent;
        calls(Ec2Fault::Interrupted { at, by, status: 200, after_effect })
    };
    let server_error = |at| {
        let after_effect = phase == Phase::ChangeTaken;
        calls(Ec2Fault::Interrupted { at, by: Interruption::Close, status: 503, after_effect })
    };
    let network = |network| Some(Injection::Network(network));
    let point = match phase {
        Phase::Connect => {
            return match fault {
                Fault::Refused => network(Network::Refuse),
                Fault::Hang => network(Network::Silent),
                Fault::DnsFailure => Some(Injection::UnresolvableHost),
                _ => None,
            };
        }
        Phase::Tls => {
            return match fault {
                Fault::Reset => network(Network::Reset),
                Fault::Hang => network(Network::Hang),
                Fault::SlowDrip => network(Network::Drip),
                Fault::Garbage => network(Network::Garbage),
                Fault::WrongName => network(Network::WrongCertificateName),
                Fault::ExpiredCertificate => network(Network::ExpiredCertificate),
                _ => None,
            };
        }
        Phase::RequestSent | Phase::ChangeTaken => Point::Start,
        Phase::Head => Point::Head,
        Phase::HalfBody => Point::HalfBody,
        Phase::WholeBody => Point::End,
    };
    match (fault, phase) {
        (Fault::TruncatedSuccessOnce, Phase::HalfBody) => {
            Some(Injection::Calls { fault: truncated_success(), times: 1 })
        }
        (Fault::ErrorInSuccess, Phase::WholeBody) => calls(Ec2Fault::error(200, "UnauthorizedOperation", "No.")),
        (Fault::InternalErrorIn400, Phase::WholeBody) => calls(Ec2Fault::error(400, "InternalError", "Oh.")),
        (Fault::DryRunOperation, Phase::WholeBody) => calls(Ec2Fault::error(412, "DryRunOperation", "It would.")),
        (Fault::AmbiguousSuccess, Phase::WholeBody) => calls(Ec2Fault::raw(200, AMBIGUOUS_SUCCESS)),
        // EC2 throttles before it makes a change, and only a whole response shows the throttle's code.
        (Fault::ThrottleOnce, Phase::RequestSent) => Some(Injection::Calls { fault: Ec2Fault::Throttle, times: 1 }),
        (Fault::PermanentThrottle, Phase::RequestSent) => calls(Ec2Fault::Throttle),
        (Fault::ServerError, Phase::RequestSent | Phase::ChangeTaken) => server_error(Point::End),
        (Fault::ServerError, Phase::Head | Phase::HalfBody) => server_error(point),
        // After the whole body nothing is left to drip. Instead, the whole response drips, and arrives in time.
        (Fault::SlowDrip, Phase::WholeBody) => interrupted(Point::Start, Drip { seconds: 0.5 }),
        (Fault::SlowDrip, _) => interrupted(point, DRIP),
        (Fault::Reset, _) => interrupted(point, Reset),
        (Fault::Hang, _) => interrupted(point, Hang),
        (Fault::Garbage, _) => interrupted(point, Garbage),
        _ => None,
    }
}
