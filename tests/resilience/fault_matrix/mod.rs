//! The fault matrix: each phase of a call × each fault × each mode. The test runs every cell and compares the outcomes
//! with the table in `docs/reliability.md`.

mod cell;
mod injection;

use std::fmt::Write;

use self::{
    cell::Mode,
    injection::{Fault, Injection, Phase, injection},
};
use crate::resilience::parallel;

const DOCUMENT: &str = include_str!("../../../docs/reliability.md");
const BEGIN: &str = "<!-- fault matrix: begin -->\n";
const END: &str = "<!-- fault matrix: end -->";

#[test]
fn outcomes_match_the_documented_fault_matrix() {
    let rows: Vec<(Phase, Fault, Result<Injection, &str>)> =
        Phase::ALL.iter().flat_map(|&phase| Fault::ALL.map(|fault| (phase, fault, injection(phase, fault)))).collect();
    let cells: Vec<(Injection, Mode)> = rows
        .iter()
        .filter_map(|(_, _, injection)| injection.clone().ok())
        .flat_map(|injection| Mode::ALL.map(|mode| (injection.clone(), mode)))
        .collect();
    // More threads than cores, because each cell mostly waits.
    let mut outcomes = parallel::map(cells, 12, |(injection, mode)| cell::run(&injection, mode)).into_iter();

    let mut table = String::new();
    let mut phase_before = None;
    for (phase, fault, injection) in rows {
        if phase_before != Some(phase) {
            let name = phase.name();
            let head = "`DryRunFirst`, fault at the dry run | `DryRunFirst`, fault at the call after it";
            writeln!(table, "\n### {name}\n\n| fault | deprovision | `DryRun` | {head} |").expect("String");
            writeln!(table, "| --- | --- | --- | --- | --- |").expect("String");
            phase_before = Some(phase);
        }
        let cells = match injection {
            Ok(_) => outcomes.by_ref().take(Mode::ALL.len()).collect::<Vec<_>>().join(" | "),
            Err(reason) => format!("cannot be: {reason} | cannot be | cannot be | cannot be"),
        };
        writeln!(table, "| {} | {cells} |", fault.name()).expect("String");
    }
    table.push('\n');

    let documented = DOCUMENT.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).expect("the markers").0;
    let difference = table.lines().zip(documented.lines()).find(|(actual, documented)| actual != documented);
    assert!(
        table == documented,
        "the outcomes differ from docs/reliability.md. First difference:\n{difference:?}\nThe whole table:\n{table}"
    );
}
