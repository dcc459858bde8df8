//! The fault matrix: each phase of a call × each fault × each mode. The test runs every cell and compares the outcomes
//! with the table in `docs/testing.md`.

mod cell;
mod injection;

use std::{fmt::Write, fs};

use self::{
    cell::Mode,
    injection::{Fault, Injection, Phase, injection},
};
use crate::resilience::parallel;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/testing.md");
const BEGIN: &str = "<!-- fault matrix: begin -->";
const END: &str = "<!-- fault matrix: end -->";
const HEAD: &str =
    "| fault | deprovision | `DryRun` | `DryRunFirst`, fault at the dry run | `DryRunFirst`, fault at the deprovision | `DescribeOnly`, fault in one list |
| --- | --- | --- | --- | --- | --- |";

#[test]
fn outcomes_match_the_documented_fault_matrix() {
    let combinations = Phase::ALL.iter().flat_map(|&phase| Fault::ALL.map(|fault| (phase, fault)));
    let rows: Vec<(Phase, Fault, Injection)> =
        combinations.filter_map(|(phase, fault)| Some((phase, fault, injection(phase, fault)?))).collect();
    let cells: Vec<(Injection, Mode)> =
        rows.iter().flat_map(|(_, _, injection)| Mode::ALL.map(|mode| (injection.clone(), mode))).collect();
    // More threads than cores, because each cell mostly waits.
    let outcomes = parallel::map(cells, 12, |(injection, mode)| cell::run(&injection, mode));

    let mut table = String::new();
    let mut previous_phase = None;
    for ((phase, fault, _), outcomes) in rows.iter().zip(outcomes.chunks(Mode::ALL.len())) {
        if previous_phase.replace(phase) != Some(phase) {
            writeln!(table, "\n### {}\n\n{HEAD}", phase.name()).expect("String");
        }
        writeln!(table, "| {} | {} |", fault.name(), outcomes.join(" | ")).expect("String");
    }

    let document = fs::read_to_string(DOCUMENT).expect("docs/testing.md");
    let documented = document.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).expect("the markers").0;
    let (table, documented) = (table.trim(), documented.trim());
    let difference = table.lines().zip(documented.lines()).find(|(actual, documented)| actual != documented);
    assert!(
        table == documented,
        "the outcomes differ from docs/testing.md. First difference:\n{difference:?}\nThe whole table:\n{table}"
    );
}
