//! How each fault is brought about in each phase, or why it cannot be.

use stand_ins::ec2::{
    Break::{self, Drip, Garbage, Hang, Reset},
    Fault as Ec2Fault, Network, Point,
};

/// How far a call has come when the fault strikes.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Refused,
    Reset,
    Hang,
    SlowDrip,
    Garbage,
    ThrottleOnce,
    ThrottleForEver,
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
        Self::ThrottleForEver,
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
            Self::ThrottleForEver => "throttle for ever",
            Self::ServerError => "5xx",
            Self::WrongName => "wrong TLS name",
            Self::ExpiredCertificate => "expired certificate",
            Self::DnsFailure => "DNS failure",
        }
    }
}

/// What the stand-in is told.
#[derive(Clone, Debug)]
pub enum Stage {
    /// New connections meet this for the whole invocation.
    Network(Network),
    /// Calls meet this: one, or each attempt of an operation.
    Calls { fault: Ec2Fault, times: usize },
    /// The endpoint has a name that nobody knows.
    UnknownName,
}

/// The attempts of one operation, as the SDK has them by default.
const ATTEMPTS: usize = 3;

/// Longer than an invocation waits.
const DRIP: Break = Drip { seconds: 600.0 };

pub fn stage(phase: Phase, fault: Fault) -> Result<Stage, &'static str> {
    let calls = |fault| Ok(Stage::Calls { fault, times: ATTEMPTS });
    let breaks = |at, by| calls(Ec2Fault::Breaks { at, by, status: 200, after_effect: phase != Phase::RequestSent });
    let fails = |at| {
        let after_effect = phase == Phase::ChangeTaken;
        calls(Ec2Fault::Breaks { at, by: Break::Close, status: 503, after_effect })
    };
    let network = |network| Ok(Stage::Network(network));
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
        (Fault::DnsFailure, Phase::Connect, _) => Ok(Stage::UnknownName),
        (Fault::DnsFailure, ..) => Err("a name is looked up before the connection"),

        (Fault::WrongName, Phase::Tls, _) => network(Network::WrongName),
        (Fault::ExpiredCertificate, Phase::Tls, _) => network(Network::Expired),
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

        (Fault::ThrottleOnce | Fault::ThrottleForEver | Fault::ServerError, Phase::Connect | Phase::Tls, _) => {
            Err("there is no HTTP yet")
        }
        (Fault::ThrottleOnce, Phase::RequestSent, _) => Ok(Stage::Calls { fault: Ec2Fault::Throttle, times: 1 }),
        (Fault::ThrottleForEver, Phase::RequestSent, _) => calls(Ec2Fault::Throttle),
        (Fault::ThrottleOnce | Fault::ThrottleForEver, Phase::ChangeTaken, _) => {
            Err("EC2 throttles in place of a change")
        }
        (Fault::ThrottleOnce | Fault::ThrottleForEver, Phase::Head | Phase::HalfBody, _) => {
            Err("that it is a throttle is known by the whole body only, see 5xx")
        }
        (Fault::ThrottleOnce | Fault::ThrottleForEver | Fault::ServerError, Phase::WholeBody, _) => {
            Err("the answer is there, and has one status")
        }
        (Fault::ServerError, Phase::RequestSent | Phase::ChangeTaken, _) => fails(Point::End),
        (Fault::ServerError, _, Some(point)) => fails(point),

        // Nothing is left to drip: the whole of it has dripped in, in time.
        (Fault::SlowDrip, Phase::WholeBody, _) => breaks(Point::Start, Drip { seconds: 0.5 }),
        (Fault::SlowDrip, _, Some(point)) => breaks(point, DRIP),
        (Fault::Reset, _, Some(point)) => breaks(point, Reset),
        (Fault::Hang, _, Some(point)) => breaks(point, Hang),
        (Fault::Garbage, _, Some(point)) => breaks(point, Garbage),
        (_, _, None) => unreachable!("{fault:?} in {phase:?}"),
    }
}
