//! One cell: an invocation during the fault and two after it.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stand_ins::{
    ec2::{Action, After, Asn, Fault, Interruption, Network, Point, World},
    runtime_api::Deadline,
};

use super::injection::Injection;
use crate::support::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Deprovision,
    DryRun,
    /// `DryRunFirst`, and the fault occurs during its dry run.
    AtDryRun,
    /// `DryRunFirst`, and the fault occurs during the call after a passed dry run.
    AfterDryRun,
    /// The fault occurs in one of the two lists.
    DescribeOnly,
}

impl Mode {
    pub const ALL: [Self; 5] = [Self::Deprovision, Self::DryRun, Self::AtDryRun, Self::AfterDryRun, Self::DescribeOnly];

    /// Whether a success means a change.
    fn changes(self) -> bool {
        !matches!(self, Self::DryRun | Self::DescribeOnly)
    }

    /// The action that the fault affects.
    fn action(self) -> Action {
        if self == Self::DescribeOnly { Action::DescribeByoipCidrs } else { Action::DeprovisionIpamByoasn }
    }

    fn event(self) -> Value {
        match self {
            Self::Deprovision => request(),
            Self::DryRun => request_with(&json!({ "DryRun": true })),
            Self::AtDryRun | Self::AfterDryRun => request_with(&json!({ "DryRunFirst": true })),
            Self::DescribeOnly => request_with(&json!({ "DescribeOnly": true })),
        }
    }
}

/// Runs the cell and returns its outcome in the words of the document.
pub fn run(injection: &Injection, mode: Mode) -> String {
    // Stays pending during the test.
    let asn = Asn::new("64500", IPAM).after(After::Seconds(1e6));
    let mut setup = Setup::over_tls(World { asns: vec![asn], ..World::default() });
    if matches!(injection, Injection::UnresolvableHost) {
        if mode == Mode::AfterDryRun {
            return "cannot occur: the second call reuses the connection".into();
        }
        setup = setup.set("AWS_ENDPOINT_URL_EC2", "https://ec2.invalid");
    }
    let function = setup.start();
    let context = format!("{injection:?}, {mode:?}");

    // Shorter than the SDK's connect timeout of 3.1 s, so that every hang ends in the same error. Without a hang there
    // is time for each attempt.
    let hangs = match injection {
        Injection::Network(network) => matches!(network, Network::Silent | Network::Hang | Network::Drip),
        Injection::Calls { fault: Fault::Interrupted { at, by: Interruption::Hang, .. }, .. } => *at != Point::End,
        Injection::Calls { fault: Fault::Interrupted { by: Interruption::Drip { seconds }, .. }, .. } => *seconds > 3.0,
        _ => false,
    };
    let deadline = Duration::from_secs(if hangs { 3 } else { 25 });
    let start = Instant::now();
    let outcome = thread::scope(|scope| {
        inject(&function, injection, mode);
        let invocation = scope.spawn(|| function.invoke_with_deadline(Deadline::In(deadline), &mode.event()));
        if let (Injection::Network(network), Mode::AfterDryRun) = (injection, mode) {
            while function.ec2.calls().is_empty() {
                thread::sleep(Duration::from_millis(5));
            }
            function.ec2.set_network(*network);
        }
        invocation.join().expect("a response")
    });
    assert!(start.elapsed() < deadline, "{context}: the response took {:?}", start.elapsed());

    let changed = state(&function) != "provisioned";
    let ending = match &outcome {
        Ok(_) => "success".to_owned(),
        Err((error_type, message)) if message.contains("outcome is unknown") => format!("`{error_type}`, unknown"),
        Err((error_type, _)) => format!("`{error_type}`"),
    };
    assert!(mode.changes() || !changed, "{context}: a change without a request for it: {ending}");
    assert!(
        mode != Mode::DescribeOnly || !ending.ends_with("unknown"),
        "{context}: describe calls have no unknown outcome: {outcome:?}"
    );
    assert!(mode != Mode::AtDryRun || !changed || outcome.is_ok(), "{context}: the real call was made after {ending}");
    assert!(
        !changed || outcome.is_ok() || ending.ends_with("unknown"),
        "{context}: a change is reported as a failure: {outcome:?}"
    );
    assert!(
        outcome.is_err() || changed == mode.changes(),
        "{context}: success is reported without a change: {outcome:?}"
    );

    function.ec2.clear_faults();
    function.ec2.set_network(Network::Normal);
    assert_recovers(&function, injection, mode, &context);
    let log = assert_no_secrets(function.raw_log());
    // The SDK logs a warning about a response that is not HTTP.
    let lines = log.iter().filter(|line| !line.contains(r#""level":"WARN""#)).count();
    assert_eq!(lines, 3, "{context}: expected one line an invocation: {log:?}");
    format!("{ending}, {}", if changed { "changed" } else { "unchanged" })
}

fn inject(function: &Function, injection: &Injection, mode: Mode) {
    let queue = |fault| function.ec2.queue_fault(mode.action(), fault);
    match (injection, mode) {
        // Closes the connection, so that the next call needs a new one, which is affected by the fault.
        (Injection::Network(_), Mode::AfterDryRun) => queue(Fault::CloseAfterResponse { seconds: 0.5 }),
        (Injection::Network(network), _) => function.ec2.set_network(*network),
        (Injection::Calls { fault, times }, mode) => {
            if mode == Mode::AfterDryRun {
                queue(Fault::Slow { seconds: 0.0, after_effect: false });
            }
            for _ in 0..*times {
                queue(fault.clone());
            }
        }
        (Injection::UnresolvableHost, _) => {}
    }
}

/// Asserts that the same process then handles an invalid event and the same event again.
fn assert_recovers(function: &Function, injection: &Injection, mode: Mode, context: &str) {
    assert_error(function.invoke(&json!({})), "InvalidEvent", &[]);
    let again = function.invoke(&mode.event());
    if matches!(injection, Injection::UnresolvableHost) {
        // The host name stays unresolvable.
        assert_error(again, "Ec2Unreachable", &[]);
        return;
    }
    match mode {
        Mode::DryRun => assert_eq!(again.expect(context)["DryRun"], true),
        Mode::DescribeOnly => assert_eq!(again.expect(context)["Byoasns"][0]["State"], "provisioned"),
        _ => assert_eq!(again, Ok(pending()), "{context}"),
    }
    let expected = if mode.changes() { "pending-deprovision" } else { "provisioned" };
    assert_eq!(state(function), expected, "{context}");
}

fn state(function: &Function) -> String {
    function.ec2.world().asns[0].state.clone()
}
