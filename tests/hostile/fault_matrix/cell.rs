//! One cell: the real binary, one invocation into the fault, and one after it.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stand_ins::{
    ec2::{Action::DeprovisionIpamByoasn, After, Asn, Break, Fault, Network, Point, StandIn, World},
    runtime_api::Deadline,
};

use super::stage::Stage;
use crate::{secret_free, support::*};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Deprovision,
    DryRun,
    /// `DryRunFirst`, and the fault strikes its dry run.
    AtDryRun,
    /// `DryRunFirst`, and the fault strikes the call after the dry run that passed.
    AfterDryRun,
}

impl Mode {
    pub const ALL: [Self; 4] = [Self::Deprovision, Self::DryRun, Self::AtDryRun, Self::AfterDryRun];

    fn event(self) -> Value {
        match self {
            Self::Deprovision => request(),
            Self::DryRun => request_with(&json!({ "DryRun": true })),
            Self::AtDryRun | Self::AfterDryRun => request_with(&json!({ "DryRunFirst": true })),
        }
    }
}

/// Runs it, and says how it ended, as the document does.
pub fn run(stage: &Stage, mode: Mode) -> String {
    // Pending for as long as the test lasts, however often it is looked at.
    let asn = Asn::new("64500", IPAM).after(After::Seconds(1e6));
    let ec2 = StandIn::start_tls(World { asns: vec![asn], ..World::default() });
    let bundle = ec2.ca_bundle().to_str().expect("UTF-8").to_owned();
    let mut setup = Setup::beside(ec2).set("SSL_CERT_FILE", &bundle);
    if matches!(stage, Stage::UnknownName) {
        if mode == Mode::AfterDryRun {
            return "cannot be: the second call has the connection of the first".into();
        }
        setup = setup.set("AWS_ENDPOINT_URL_EC2", "https://ec2.invalid");
    }
    let function = setup.start();
    let context = format!("{stage:?}, {mode:?}");

    // Shorter than the SDK's 3.1 s for a connection, so that what hangs always ends in the same way;
    // where nothing hangs there is time for each attempt.
    let hangs = match stage {
        Stage::Network(network) => matches!(network, Network::Silent | Network::Hang | Network::Drip),
        Stage::Calls { fault: Fault::Breaks { at, by: Break::Hang, .. }, .. } => *at != Point::End,
        Stage::Calls { fault: Fault::Breaks { by: Break::Drip { seconds }, .. }, .. } => *seconds > 3.0,
        _ => false,
    };
    let deadline = Duration::from_secs(if hangs { 3 } else { 25 });
    let start = Instant::now();
    let outcome = thread::scope(|scope| {
        prepare(&function, stage, mode);
        let invocation = scope.spawn(|| function.invoke_until(Deadline::In(deadline), &mode.event()));
        if let (Stage::Network(network), Mode::AfterDryRun) = (stage, mode) {
            while function.ec2.calls().is_empty() {
                thread::sleep(Duration::from_millis(5));
            }
            function.ec2.network(*network);
        }
        invocation.join().expect("an answer")
    });
    assert!(start.elapsed() < deadline, "{context}: answered after {:?}", start.elapsed());

    let changed = state(&function) != "provisioned";
    let said = match &outcome {
        Ok(_) => "success".to_owned(),
        Err((error_type, message)) if message.contains("outcome is unknown") => format!("`{error_type}`, unknown"),
        Err((error_type, _)) => format!("`{error_type}`"),
    };
    assert!(mode != Mode::DryRun || !changed, "{context}: a dry run has changed something: {said}");
    assert!(mode != Mode::AtDryRun || !changed || outcome.is_ok(), "{context}: it went on after {said}");
    assert!(!changed || outcome.is_ok() || said.ends_with("unknown"), "{context}: a change as a failure: {outcome:?}");
    assert!(outcome.is_err() || changed != (mode == Mode::DryRun), "{context}: no change as a success: {outcome:?}");

    function.ec2.clear_faults();
    function.ec2.network(Network::Fine);
    assert_the_next_invocation_works(&function, stage, mode, &context);
    let log = secret_free(function.raw_log());
    // The SDK warns of an answer that is no HTTP.
    let ours = log.iter().filter(|line| !line.contains(r#""level":"WARN""#)).count();
    assert_eq!(ours, 3, "{context}: one line an invocation: {log:?}");
    format!("{said}, {}", if changed { "changed" } else { "unchanged" })
}

fn prepare(function: &Function, stage: &Stage, mode: Mode) {
    let queue = |fault| function.ec2.fault(DeprovisionIpamByoasn, fault);
    match (stage, mode) {
        // The next call needs a connection, and by then the network is another.
        (Stage::Network(_), Mode::AfterDryRun) => queue(Fault::LastAnswer { seconds: 0.5 }),
        (Stage::Network(network), _) => function.ec2.network(*network),
        (Stage::Calls { fault, times }, mode) => {
            if mode == Mode::AfterDryRun {
                queue(Fault::Slow { seconds: 0.0, after_effect: false });
            }
            for _ in 0..*times {
                queue(fault.clone());
            }
        }
        (Stage::UnknownName, _) => {}
    }
}

/// The same event again, and an event that is none, in the same process.
fn assert_the_next_invocation_works(function: &Function, stage: &Stage, mode: Mode, context: &str) {
    assert_error(function.invoke(&json!({})), "InvalidEvent", &[]);
    let again = function.invoke(&mode.event());
    if matches!(stage, Stage::UnknownName) {
        // Nobody can teach the machine's resolver that name meanwhile.
        assert_error(again, "Ec2Unreachable", &[]);
        return;
    }
    if mode == Mode::DryRun {
        assert_eq!(again.expect(context)["DryRun"], true);
        assert_eq!(state(function), "provisioned", "{context}");
    } else {
        assert_eq!(again, Ok(pending()), "{context}");
        assert_eq!(state(function), "pending-deprovision", "{context}");
    }
}

fn state(function: &Function) -> String {
    function.ec2.world().asns[0].state.clone()
}
