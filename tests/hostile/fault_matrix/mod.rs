//! Each phase of a call × each fault × each mode. What is expected stands in `docs/reliability.md`,
//! where users read it; this test runs every cell and holds the document to what happened.

mod cell;
mod stage;

use std::fmt::Write;

use self::{
    cell::Mode,
    stage::{Fault, Phase, Stage, stage},
};
use crate::parallel;

const DOCUMENT: &str = include_str!("../../../docs/reliability.md");
const BEGIN: &str = "<!-- fault matrix: begin -->\n";
const END: &str = "<!-- fault matrix: end -->";

#[test]
fn every_phase_and_fault_and_mode_ends_as_the_document_says() {
    let rows: Vec<(Phase, Fault, Result<Stage, &str>)> =
        Phase::ALL.iter().flat_map(|&phase| Fault::ALL.map(|fault| (phase, fault, stage(phase, fault)))).collect();
    let cells: Vec<(Stage, Mode)> = rows
        .iter()
        .filter_map(|(_, _, stage)| stage.clone().ok())
        .flat_map(|stage| Mode::ALL.map(|mode| (stage.clone(), mode)))
        .collect();
    // Each has a process and a stand-in of its own, and waits for most of its time.
    let mut outcomes = parallel::map(cells, 12, |(stage, mode)| cell::run(&stage, mode)).into_iter();

    let mut table = String::new();
    let mut phase_before = None;
    for (phase, fault, stage) in rows {
        if phase_before != Some(phase) {
            let name = phase.name();
            let head = "`DryRunFirst`, fault at the dry run | `DryRunFirst`, fault at the call after it";
            writeln!(table, "\n### {name}\n\n| fault | deprovision | `DryRun` | {head} |").expect("String");
            writeln!(table, "| --- | --- | --- | --- | --- |").expect("String");
            phase_before = Some(phase);
        }
        let cells = match stage {
            Ok(_) => outcomes.by_ref().take(Mode::ALL.len()).collect::<Vec<_>>().join(" | "),
            Err(reason) => format!("cannot be: {reason} | cannot be | cannot be | cannot be"),
        };
        writeln!(table, "| {} | {cells} |", fault.name()).expect("String");
    }
    table.push('\n');

    let documented = DOCUMENT.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).expect("the markers").0;
    let differs = table.lines().zip(documented.lines()).find(|(now, said)| now != said);
    assert!(
        table == documented,
        "what happened is not what docs/reliability.md says, first in:\n{differs:?}\nAll that happened:\n{table}"
    );
}
