//! Cold starts side by side: this function, the floor under it, and its peers.

mod candidate;
mod cgroup;
mod count;
mod lambda;
mod limits;
mod machine;
mod options;
mod picture;
mod price;
mod process;
mod procfs;
mod report;
mod start;
mod stats;
mod suite;
mod table;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use cgroup::Cgroup;
use limits::Limits;
use machine::Machine;
use options::Options;
use report::{Memory, Report};
use start::Stage;

fn main() -> ExitCode {
    let outcome = Options::parse(std::env::args_os().skip(1)).and_then(|options| match options {
        None => {
            print!("{}", options::HELP);
            Ok(())
        }
        Some(options) if options.count => count(&options),
        Some(options) => measure(&options),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(), Box<dyn Error>> {
    let Options { candidates, plan, .. } = options;
    if let Some(load) = Machine::disturbance() {
        eprintln!("bench: the machine is busy (load {load}): times will be too long; better to wait");
    }
    let stage = Stage::new(&options.roots)?;
    let samples = suite::free(&stage, candidates, *plan)?;
    let memory = match Cgroup::new() {
        _ if plan.memory_rounds == 0 => Memory::Skipped("it was not asked for".to_owned()),
        Ok(cgroup) => {
            let sizes = suite::shared(&stage, candidates, &cgroup, plan.memory_rounds)?;
            Memory::measured(candidates, plan.memory_rounds, &sizes)
        }
        Err(reason) => Memory::Skipped(reason),
    };
    let measured: Vec<_> = candidates.iter().cloned().zip(samples).collect();
    let report = Report::new(*plan, stage.roots(), &measured, |name| options.zip_bytes(name), memory);

    println!("{}", table::markdown(&report));
    if let Some(directory) = &options.out {
        fs::create_dir_all(directory)?;
        fs::write(directory.join("benchmark.json"), serde_json::to_string_pretty(&report)? + "\n")?;
        fs::write(directory.join("benchmark.svg"), picture::svg(&report)?)?;
    }
    Ok(())
}

fn count(options: &Options) -> Result<(), Box<dyn Error>> {
    let stage = Stage::new(&options.roots)?;
    let counted = options
        .candidates
        .iter()
        .map(|candidate| Ok((candidate, count::instructions(&stage, candidate)?)))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    println!("{}", table::instructions(&counted));
    let (Some(limits), Some((own, instructions))) = (&options.limits, counted.first()) else { return Ok(()) };
    let zip_bytes = options.zip_bytes(&own.name).ok_or("--limits wants --zips with own.zip")?;
    let (lines, kept) = Limits::read(limits)?.judge(zip_bytes, instructions);
    println!("{}", lines.join("\n"));
    if kept { Ok(()) } else { Err(format!("{} is not kept", limits.display()).into()) }
}
