//! How each fault is injected in each phase, or why it cannot occur there.

use stand_ins::ec2::{
    Fault as Ec2Fault,
    Interruption::{self, Drip, Garbage, Hang, Reset},
    Network, Point,
};

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
            Self::Head => "Head of the answer received",
            Self::HalfBody => "Half of the body received",
            Self::WholeBody => "Whole body received",
        }
    }
}

/// A column of the matrix that is independent of the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Refused,
    Reset,
    Hang,
    SlowDrip,
    Garbage,
    ThrottleOnce,
    ThrottleAlways,
    ServerError,
    WrongName,
    ExpiredCertificate,
    DnsFailure,
}

impl Fault {
    pub const ALL: [Self; 11] = [
        Self::Refused,
        Self::Reset,
        Self::Hang,
        Self::SlowDrip,
        Self::Garbage,
        Self::ThrottleOnce,
        Self::ThrottleAlways,
        Self::ServerError,
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
            Self::ThrottleAlways => "throttle for ever",
            Self::ServerError => "5xx",
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

pub fn injection(phase: Phase, fault: Fault) -> Result<Injection, &'static str> {
    let calls = |fault| Ok(Injection::Calls { fault, times: ATTEMPTS });
    let interrupted =
        |at, by| calls(Ec2Fault::Interrupted { at, by, status: 200, after_effect: phase != Phase::RequestSent });
    let server_error = |at| {
        let after_effect = phase == Phase::ChangeTaken;
        calls(Ec2Fault::Interrupted { at, by: Interruption::Close, status: 503, after_effect })
    };
    let network = |network| Ok(Injection::Network(network));
    let point = match phase {
        Phase::Connect | Phase::Tls => None,
        Phase::RequestSent | Phase::ChangeTaken => Some(Point::Start),
        Phase::Head => Some(Point::Head),
        Phase::HalfBody => Some(Point::HalfBody),
        Phase::WholeBody => Some(Point::End),
    };
    match (fault, phase, point) {
        (Fault::Refused, Phase::Connect, _) => network(Network::Refuse),
        (Fault::Refused, ..) => Err("only what asks for a connection is refused"),
        (Fault::DnsFailure, Phase::Connect, _) => Ok(Injection::UnresolvableHost),
        (Fault::DnsFailure, ..) => Err("a name is looked up before the connection"),

        (Fault::WrongName, Phase::Tls, _) => network(Network::WrongCertificateName),
        (Fault::ExpiredCertificate, Phase::Tls, _) => network(Network::ExpiredCertificate),
        (Fault::WrongName | Fault::ExpiredCertificate, Phase::Connect, _) => {
            Err("a certificate comes after the connection")
        }
        (Fault::WrongName | Fault::ExpiredCertificate, ..) => Err("no request leaves before the certificate is good"),

        (Fault::Reset, Phase::Connect, _) => Err("a reset in answer to the first packet is a refusal"),
        (Fault::SlowDrip | Fault::Garbage, Phase::Connect, _) => Err("a connection is made before a byte comes"),
        (Fault::Hang, Phase::Connect, _) => network(Network::Silent),
        (Fault::Reset, Phase::Tls, _) => network(Network::Reset),
        (Fault::Hang, Phase::Tls, _) => network(Network::Hang),
        (Fault::SlowDrip, Phase::Tls, _) => network(Network::Drip),
        (Fault::Garbage, Phase::Tls, _) => network(Network::Garbage),

        (Fault::ThrottleOnce | Fault::ThrottleAlways | Fault::ServerError, Phase::Connect | Phase::Tls, _) => {
            Err("there is no HTTP yet")
        }
        (Fault::ThrottleOnce, Phase::RequestSent, _) => Ok(Injection::Calls { fault: Ec2Fault::Throttle, times: 1 }),
        (Fault::ThrottleAlways, Phase::RequestSent, _) => calls(Ec2Fault::Throttle),
        (Fault::ThrottleOnce | Fault::ThrottleAlways, Phase::ChangeTaken, _) => {
            Err("EC2 throttles in place of a change")
        }
        (Fault::ThrottleOnce | Fault::ThrottleAlways, Phase::Head | Phase::HalfBody, _) => {
            Err("that it is a throttle is known by the whole body only, see 5xx")
        }
        (Fault::ThrottleOnce | Fault::ThrottleAlways | Fault::ServerError, Phase::WholeBody, _) => {
            Err("the answer is there, and has one status")
        }
        (Fault::ServerError, Phase::RequestSent | Phase::ChangeTaken, _) => server_error(Point::End),
        (Fault::ServerError, _, Some(point)) => server_error(point),

        // After the whole body nothing is left to drip, so all of the response drips, and in time.
        (Fault::SlowDrip, Phase::WholeBody, _) => interrupted(Point::Start, Drip { seconds: 0.5 }),
        (Fault::SlowDrip, _, Some(point)) => interrupted(point, DRIP),
        (Fault::Reset, _, Some(point)) => interrupted(point, Reset),
        (Fault::Hang, _, Some(point)) => interrupted(point, Hang),
        (Fault::Garbage, _, Some(point)) => interrupted(point, Garbage),
        (_, _, None) => unreachable!("{fault:?} in {phase:?}"),
    }
}
