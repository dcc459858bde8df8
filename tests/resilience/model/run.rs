//! Runs a sequence in one sandbox and checks the invariants after each step.

use std::{collections::HashSet, ops::Add, thread, time::Duration};

use serde_json::json;
use stand_ins::{
    ec2::{
        Action::{DeprovisionIpamByoasn, DescribeByoipCidrs, DescribeIpamByoasn},
        After, Asn, Association, Call, Cidr, Fault, StandIn, World,
    },
    runtime_api::{Deadline, Invocation},
};

use super::sequence::{ASNS, Change, Event, IPAMS, Mode, Step, Target, is_2xx, may_have_been_executed};
use crate::support::*;

/// For invocations with a call that hangs: the invocation then ends in a timeout.
fn short_deadline() -> Duration {
    Duration::from_millis(super::number("MODEL_DEADLINE_MS").unwrap_or(400))
}

/// Counts of what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    pub successes: usize,
    pub errors: usize,
    pub unknown: usize,
    pub invalid_events: usize,
    pub crashes: usize,
    pub reports: usize,
    pub dry_runs_not_honored: usize,
}

impl Add for Total {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            successes: self.successes + other.successes,
            errors: self.errors + other.errors,
            unknown: self.unknown + other.unknown,
            invalid_events: self.invalid_events + other.invalid_events,
            crashes: self.crashes + other.crashes,
            reports: self.reports + other.reports,
            dry_runs_not_honored: self.dry_runs_not_honored + other.dry_runs_not_honored,
        }
    }
}

/// A function that is used for many sequences. It is restarted after a crash.
pub struct Sandbox {
    function: Option<Function>,
    attempts: &'static str,
    /// The number of responses from the current process.
    responses: usize,
    /// The last invocation was a report that failed. The call to the other list, which the error ends, may reach EC2 during
    /// the next invocation.
    report_failed: bool,
}

impl Sandbox {
    pub fn start(attempts: &'static str) -> Self {
        let function = Some(setup(StandIn::start(World::default()), attempts).start());
        Self { function, attempts, responses: 0, report_failed: false }
    }

    fn function(&self) -> &Function {
        self.function.as_ref().expect("a function")
    }

    pub fn run(&mut self, steps: &[Step]) -> Total {
        self.function().ec2.set_world(world());
        let mut total = Total::default();
        let mut last = None;
        // Targets that a killed invocation may still change.
        let mut in_flight = HashSet::new();
        for step in steps {
            match step {
                Step::Invoke(event) => {
                    total = total + self.invoke(event, &in_flight);
                    last = Some(event);
                }
                Step::Repeat => {
                    let Some(event) = last else { continue };
                    total = total + self.invoke(event, &in_flight);
                }
                Step::Fault(action, fault) => self.function().ec2.queue_fault(*action, fault.clone()),
                Step::Crash(event, after) => {
                    if event.mode == Mode::DryRun {
                        // Without this, an endpoint that ignores DryRun could make a change that is never reported.
                        self.function().ec2.clear_faults();
                    } else if event.defect.is_none() && event.mode != Mode::DescribeOnly {
                        in_flight.insert(event.target);
                    }
                    self.crash(event, *after, &in_flight);
                    total.crashes += 1;
                    last = Some(event);
                }
                Step::Change(target, change) => {
                    self.function().ec2.change_world(|world| apply(world, *target, *change));
                }
            }
        }
        self.function().ec2.clear_faults();
        if let Some(last) = last.filter(|event| event.defect.is_none()) {
            self.assert_final_call_is_correct(last);
        }
        total
    }

    fn send(&mut self, event: &Event, deadline: Duration) -> Outcome {
        let api = &self.function().api;
        let id = api.send(Invocation { deadline: Deadline::In(deadline), ..Invocation::new(event.text()) });
        let response = api.wait_for_response(&id, Duration::from_mins(1)).expect("a response");
        assert_eq!(api.protocol_errors(), Vec::<String>::new());
        self.responses += 1;
        outcome(&response)
    }

    /// Runs one invocation, and asserts that its calls, its changes and its response are correct.
    fn invoke(&mut self, event: &Event, in_flight: &HashSet<Target>) -> Total {
        let before = states(self.function());
        self.function().ec2.clear_calls();
        let faults = [DeprovisionIpamByoasn, DescribeIpamByoasn, DescribeByoipCidrs]
            .map(|action| self.function().ec2.queued_faults(action));
        // A busy machine must not turn a slow call into a timeout.
        let deadline = match faults.iter().flatten().any(|fault| matches!(fault, Fault::Hang { .. })) {
            true if self.attempts == "1" => short_deadline(),
            true => 10 * short_deadline(),
            false => Duration::from_secs(30),
        };
        let outcome = self.send(event, deadline);
        let may_be_late = |call: &Call| self.report_failed && call.action.starts_with("Describe");
        let calls: Vec<_> = self.function().ec2.calls().into_iter().filter(|call| !may_be_late(call)).collect();
        self.report_failed = event.mode == Mode::DescribeOnly && outcome.is_err();
        let after = states(self.function());
        let Event { target, mode, .. } = *event;

        for ((other, before), (_, after)) in before.iter().zip(&after) {
            if *other != target && !in_flight.contains(other) {
                assert_eq!(before, after, "{other:?} changed, but was not the target");
            }
        }
        let state_of = |states: &[(Target, String)]| {
            states.iter().find(|(other, _)| *other == target).map(|(_, state)| state.clone()).unwrap_or_default()
        };
        let (before, now) = (state_of(&before), state_of(&after));
        let changed = before != now && !in_flight.contains(&target);

        if event.defect.is_some() {
            assert_error(outcome, "InvalidEvent", &["Nothing was sent to EC2."]);
            assert_eq!(calls, [], "expected no call");
            assert!(!changed, "{before} became {now}");
            return Total { invalid_events: 1, ..Total::default() };
        }
        let [deprovision_faults, list_faults @ ..] = faults;
        if mode == Mode::DescribeOnly {
            assert!(calls.iter().all(|call| call.action.starts_with("Describe")), "{calls:?}");
            assert!(!changed, "{before} became {now}");
            let has_fault = !list_faults.concat().is_empty();
            return self.check_report(target, outcome, has_fault, in_flight.is_empty());
        }
        for call in calls.iter().filter(|call| call.action == "DeprovisionIpamByoasn") {
            assert_eq!((call.params["Asn"].as_str(), call.params["IpamId"].as_str()), (target.asn, target.ipam_id));
            let dry = call.params.get("DryRun").is_some_and(|value| value == "true");
            assert!(dry || mode != Mode::DryRun, "not a dry run: {call:?}");
        }
        if mode == Mode::DryRunFirst && !calls.is_empty() {
            assert_eq!(calls[0].params.get("DryRun").map(String::as_str), Some("true"), "the dry run comes first");
        }
        // A killed invocation may take faults too.
        if in_flight.is_empty() {
            assert_matches_faults(mode, &calls, deprovision_faults, &outcome);
        }
        match outcome {
            Ok(response) if mode == Mode::DryRun => {
                assert_eq!(response["DryRun"], true);
                assert!(response.get("Byoasn").is_none() && !changed, "{response}: {before} became {now}");
                Total { successes: 1, ..Total::default() }
            }
            Ok(response) => {
                assert!(matches!(&*now, "pending-deprovision" | "deprovisioned"), "{response}, and it is {now:?}");
                let byoasn = json!({ "Asn": target.asn, "IpamId": target.ipam_id, "State": now });
                assert_eq!(response, json!({ "Byoasn": byoasn }));
                Total { successes: 1, ..Total::default() }
            }
            Err((error_type, message)) => {
                let unknown = message.contains("outcome is unknown");
                match error_type.as_str() {
                    "DryRunNotHonored" => assert_ne!(mode, Mode::Deprovision, "{message}"),
                    "DeprovisionFailed" => assert_eq!(now, "failed-deprovision", "{message}"),
                    _ if changed => {
                        assert!(unknown, "{before} became {now}, and: {error_type}: {message}");
                        assert_ne!(mode, Mode::DryRun, "{before} became {now}, and: {error_type}: {message}");
                    }
                    _ => {}
                }
                let dry_runs_not_honored = (error_type == "DryRunNotHonored").into();
                Total { errors: 1, unknown: unknown.into(), dry_runs_not_honored, ..Total::default() }
            }
        }
    }

    /// Asserts that a report equals the state in EC2, and that only a fault prevents it.
    fn check_report(&self, target: Target, outcome: Outcome, has_fault: bool, compare: bool) -> Total {
        let Target { asn, ipam_id } = target;
        match outcome {
            Ok(report) => {
                let world = self.function().ec2.world();
                let entries = world.asns.iter().filter(|it| it.asn == asn && it.ipam_id == ipam_id);
                let byoasns: Vec<_> =
                    entries.map(|it| json!({ "Asn": asn, "IpamId": ipam_id, "State": it.state })).collect();
                let associations =
                    world.cidrs.iter().flat_map(|cidr| cidr.associations.iter().map(move |it| (cidr, it)));
                let associations: Vec<_> = associations
                    .filter(|(_, it)| it.asn == asn)
                    .map(|(cidr, it)| json!({ "Cidr": cidr.cidr, "State": it.state, "ByoipCidrState": cidr.state }))
                    .collect();
                let expected = json!({
                    "DescribeOnly": true, "IpamId": ipam_id, "Asn": asn,
                    "Byoasns": byoasns, "AsnAssociations": associations,
                });
                assert!(!compare || report == expected, "expected {expected}, not {report}");
                Total { reports: 1, ..Total::default() }
            }
            Err((error_type, message)) => {
                assert!(has_fault, "no fault, and: {error_type}: {message}");
                assert!(!message.contains("unknown"), "{error_type}: {message}");
                Total { errors: 1, ..Total::default() }
            }
        }
    }

    fn crash(&mut self, event: &Event, after: u64, in_flight: &HashSet<Target>) {
        let before = states(self.function());
        self.function().api.send(Invocation::new(event.text()));
        thread::sleep(Duration::from_micros(after));
        let (ec2, log) = self.function.take().expect("a function").kill();
        assert_log(log, self.responses, true);
        self.responses = 0;
        self.function = Some(setup(ec2, self.attempts).start());
        for ((target, before), (_, after)) in before.into_iter().zip(states(self.function())) {
            assert!(
                before == after || in_flight.contains(&target),
                "{event:?} was killed, and {target:?} became {after}"
            );
        }
    }

    /// Once there are no faults, the response matches the state in EC2.
    fn assert_final_call_is_correct(&mut self, event: &Event) {
        let world = self.function().ec2.world();
        let Target { asn, ipam_id } = event.target;
        let associated = world.cidrs.iter().flat_map(|cidr| &cidr.associations).any(|it| it.asn == asn);
        let state = state(&world, event.target);
        let real = Event { mode: Mode::Deprovision, ..event.clone() };
        let outcome = self.send(&real, Duration::from_secs(20));
        let known = world.ipams.iter().any(|known| known == ipam_id);
        match (known, &*state) {
            (true, "pending-deprovision" | "deprovisioned") => {
                let byoasn = json!({ "Asn": asn, "IpamId": ipam_id, "State": state });
                assert_eq!(outcome, Ok(json!({ "Byoasn": byoasn })));
            }
            _ if associated => drop(assert_error(outcome, "AsnStillAssociated", &["203.0.113.0/24"])),
            (false, _) => drop(assert_error(outcome, "InvalidIpamId.NotFound", &[])),
            (true, "") => drop(assert_error(outcome, "InvalidByoasn.NotFound", &["no such ASN"])),
            (true, _) => {
                let byoasn = json!({ "Asn": asn, "IpamId": ipam_id, "State": "pending-deprovision" });
                assert_eq!(outcome, Ok(json!({ "Byoasn": byoasn })), "it was {state}");
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(function) = self.function.take().filter(|_| !thread::panicking()) {
            assert_log(function.raw_log(), self.responses, false);
        }
    }
}

/// Asserts that the outcome fits the faults that the calls took: a 2xx at any attempt of a dry run is `DryRunNotHonored`,
/// and an error says that the outcome is unknown exactly if EC2 may have executed an attempt.
fn assert_matches_faults(mode: Mode, calls: &[Call], faults: Vec<Fault>, outcome: &Outcome) {
    let deprovisions = calls.iter().filter(|call| call.action == "DeprovisionIpamByoasn");
    let (dry_runs, attempts): (Vec<_>, Vec<_>) = deprovisions.partition(|call| call.params.contains_key("DryRun"));
    let mut faults = faults.into_iter().take(dry_runs.len() + attempts.len());
    let at_dry_run: Vec<_> = faults.by_ref().take(dry_runs.len()).collect();
    let timed_out = outcome.as_ref().is_err_and(|(error_type, _)| error_type == "Ec2Timeout");
    if at_dry_run.iter().any(is_2xx) && !timed_out {
        assert_error(outcome.clone(), "DryRunNotHonored", &["may have ignored DryRun"]);
        assert_eq!(attempts.len(), 0, "a real call after a 2xx to a dry run: {at_dry_run:?}");
    }
    let Err((error_type, message)) = outcome else { return };
    if matches!(error_type.as_str(), "DryRunNotHonored" | "DeprovisionFailed") {
        return;
    }
    let faults: Vec<_> = if attempts.is_empty() { at_dry_run } else { faults.collect() };
    let executed: Vec<_> = faults.iter().map(may_have_been_executed).collect();
    let unknown = message.contains("outcome is unknown");
    if executed.contains(&Some(true)) {
        assert!(unknown, "{mode:?} with {faults:?}: {error_type}: {message}");
    } else if executed.iter().all(Option::is_some) && !timed_out {
        assert!(!unknown, "{mode:?} with {faults:?}: {error_type}: {message}");
    }
}

/// Asserts one line for each response, and at most one more for an invocation that was killed.
fn assert_log(log: Vec<String>, responses: usize, killed: bool) {
    let lines = assert_no_secrets(log).iter().filter(|line| !line.contains(r#""level":"WARN""#)).count();
    assert!(lines == responses || (killed && lines == responses + 1), "{lines} lines for {responses} responses");
}

fn setup(ec2: StandIn, attempts: &str) -> Setup {
    Setup::with_ec2(ec2).set("AWS_MAX_ATTEMPTS", attempts)
}

/// Two IPAMs, one with two ASNs. A pending ASN stays pending until a step changes it.
fn world() -> World {
    let asn = |asn, ipam| Asn::new(asn, ipam).after(After::Seconds(1e6));
    World {
        ipams: vec![IPAMS[0].into(), IPAMS[1].into()],
        asns: vec![asn(ASNS[0], IPAMS[0]), asn(ASNS[1], IPAMS[0]), asn(ASNS[0], IPAMS[1])],
        cidrs: vec![Cidr::new("203.0.113.0/24")],
        ..World::default()
    }
}

fn apply(world: &mut World, target: Target, change: Change) {
    let Target { asn, ipam_id } = target;
    let entries = world.asns.iter_mut().filter(|it| it.asn == asn && it.ipam_id == ipam_id);
    let current = entries.max_by_key(|it| it.state != "deprovisioned");
    match (change, current) {
        (Change::CompleteDeprovision, Some(entry)) if entry.state == "pending-deprovision" => {
            entry.state = "deprovisioned".into();
        }
        (Change::FailDeprovision, Some(entry)) if entry.state == "pending-deprovision" => {
            entry.state = "failed-deprovision".into();
        }
        // The deprovisioned entry stays in the list for a week, next to the new one.
        (Change::Provision, Some(entry)) if entry.state == "deprovisioned" => {
            world.asns.push(Asn::new(asn, ipam_id).after(After::Seconds(1e6)));
        }
        (Change::Associate, _) => world.cidrs[0].associations = vec![Association::new(asn)],
        (Change::Disassociate, _) => world.cidrs[0].associations.clear(),
        _ => {}
    }
}

fn state(world: &World, target: Target) -> String {
    let entries = world.asns.iter().filter(|it| it.asn == target.asn && it.ipam_id == target.ipam_id);
    entries.max_by_key(|it| it.state != "deprovisioned").map(|it| it.state.clone()).unwrap_or_default()
}

fn states(function: &Function) -> Vec<(Target, String)> {
    let world = function.ec2.world();
    let targets = ASNS.iter().flat_map(|&asn| IPAMS.map(|ipam_id| Target { asn, ipam_id }));
    targets.map(|target| (target, state(&world, target))).collect()
}
