//! Measures cold starts of the function and of its peers side by side, and prints the measurements as JSON.

mod candidate;
mod cpu_share;
mod harness;
mod instructions;
mod process;

use std::error::Error;
use std::process::ExitCode;

use lexopt::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use candidate::Candidate;
use cpu_share::{CpuShare, MEMORY_SIZES_MB};
use harness::{Harness, Trust};

const HELP: &str = "\
Measures cold starts side by side. `make bench` builds everything and calls it.

    bench [OPTIONS] NAME=PATH…

    function=PROGRAM     this function; any other name is another build of it
    floor=PROGRAM        lambda_runtime and a handler that does nothing
    python=INTERPRETER   of a virtual environment with awslambdaric and boto3
    node=FOLDER          with dist/index.js, and aws-lambda-ric in node_modules
    --rounds N           cold starts of each candidate (100)
    --limited-rounds N   cold starts of each candidate at each memory size (20)
    --count              count the instructions of the first candidate instead, with valgrind
";

/// Starts that are not recorded: they fill the page cache, and Python writes its bytecode.
const WARM_UP_STARTS: usize = 3;

struct Options {
    candidates: Vec<Candidate>,
    rounds: usize,
    limited_rounds: usize,
    count: bool,
}

#[derive(Default, Serialize)]
struct Samples {
    name: String,
    description: String,
    init_ms: Vec<f64>,
    first_response_ms: Vec<f64>,
    peak_mib: Vec<f64>,
}

/// The first responses of one candidate under Lambda's CPU share.
#[derive(Serialize)]
struct LimitedSamples {
    name: String,
    memory_mb: u32,
    first_response_ms: Vec<f64>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = parse(lexopt::Parser::from_env())? else {
        print!("{HELP}");
        return Ok(());
    };
    let harness = Harness::new()?;
    let report = if options.count {
        serde_json::to_value(instructions::count(&harness, &options.candidates[0])?)?
    } else {
        measure(&harness, &options)?
    };
    println!("{report:#}");
    Ok(())
}

/// `None` if help is requested.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options { candidates: Vec::new(), rounds: 100, limited_rounds: 20, count: false };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("rounds") => options.rounds = parser.value()?.parse()?,
            Long("limited-rounds") => options.limited_rounds = parser.value()?.parse()?,
            Long("count") => options.count = true,
            Value(value) => options.candidates.push(Candidate::parse(&value.string()?)?),
            other @ (Short(_) | Long(_)) => return Err(other.unexpected().into()),
        }
    }
    if options.candidates.is_empty() {
        return Err("expected at least one NAME=PATH; see --help".into());
    }
    Ok(Some(options))
}

/// Every candidate once a round, in turn: a disturbance of the machine affects all of them.
fn measure(harness: &Harness, options: &Options) -> Result<Value, Box<dyn Error>> {
    let Options { candidates, rounds, limited_rounds, .. } = options;
    let mut samples: Vec<Samples> = candidates
        .iter()
        .map(|it| Samples { name: it.name.clone(), description: it.description.clone(), ..Samples::default() })
        .collect();
    for candidate in candidates {
        for _ in 0..WARM_UP_STARTS {
            harness.start(candidate, Trust::TestCa, None)?.invoke()?;
        }
    }
    for round in 0..*rounds {
        progress("cold starts", round, *rounds);
        for (candidate, samples) in candidates.iter().zip(&mut samples) {
            samples.init_ms.push(ms(harness.start(candidate, Trust::Default, None)?.init));
            let mut function = harness.start(candidate, Trust::TestCa, None)?;
            samples.first_response_ms.push(ms(function.invoke()?));
            samples.peak_mib.push(function.process.peak_memory_mib()?);
        }
    }
    let limited = match CpuShare::new() {
        Ok(cpu_share) => measure_limited(harness, candidates, &cpu_share, *limited_rounds)?,
        Err(reason) => {
            eprintln!("bench: no measurements under Lambda's CPU share: {reason}");
            Vec::new()
        }
    };
    Ok(json!({ "candidates": samples, "limited": limited }))
}

fn measure_limited(
    harness: &Harness,
    candidates: &[Candidate],
    cpu_share: &CpuShare,
    rounds: usize,
) -> Result<Vec<LimitedSamples>, Box<dyn Error>> {
    let mut samples = Vec::new();
    for memory_mb in MEMORY_SIZES_MB {
        for candidate in candidates {
            samples.push(LimitedSamples { name: candidate.name.clone(), memory_mb, first_response_ms: Vec::new() });
        }
    }
    for round in 0..rounds {
        progress("cold starts under Lambda's CPU share", round, rounds);
        for (samples, candidate) in samples.iter_mut().zip(candidates.iter().cycle()) {
            let mut function = harness.start(candidate, Trust::TestCa, Some((cpu_share, samples.memory_mb)))?;
            samples.first_response_ms.push(ms(function.invoke()?));
        }
    }
    Ok(samples)
}

fn progress(what: &str, round: usize, rounds: usize) {
    if round.is_multiple_of(10) {
        eprintln!("{what}: {round} of {rounds} rounds");
    }
}

fn ms(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
