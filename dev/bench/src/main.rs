//! Cold starts side by side: this function, the floor under it, and its peers.

mod candidate;
mod cgroup;
mod lambda;
mod machine;
mod options;
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
use options::Options;
use report::{Memory, Report};
use start::Stage;

fn main() -> ExitCode {
    let outcome = Options::parse(std::env::args_os().skip(1)).and_then(|options| match options {
        None => {
            print!("{}", options::HELP);
            Ok(())
        }
        Some(options) => run(&options),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let Options { candidates, plan, .. } = options;
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
    let zip_bytes = |name: &str| Some(options.zips.as_ref()?.join(name).with_extension("zip").metadata().ok()?.len());
    let measured: Vec<_> = candidates.iter().cloned().zip(samples).collect();
    let report = Report::new(*plan, stage.roots(), &measured, zip_bytes, memory);

    println!("{}", table::markdown(&report));
    if let Some(directory) = &options.out {
        fs::create_dir_all(directory)?;
        fs::write(directory.join("benchmark.json"), serde_json::to_string_pretty(&report)? + "\n")?;
    }
    Ok(())
}
