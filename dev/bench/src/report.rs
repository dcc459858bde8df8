//! From measurements to what is told of them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::candidate::{Candidate, Job};
use crate::machine::Machine;
use crate::price;
use crate::start::{Start, Warm};
use crate::stats::{Summary, quantile, ratio};
use crate::suite::{AtSize, Plan, Samples};

#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// How many roots the bundle has.
    pub roots: usize,
    pub rounds: usize,
    pub warm_rounds: usize,
    pub warm_invocations: usize,
    pub candidates: Vec<Entry>,
    pub memory: Memory,
}

#[derive(Debug, Serialize)]
pub struct Entry {
    pub name: String,
    pub what: String,
    pub file_bytes: Option<u64>,
    pub zip_bytes: Option<u64>,
    pub figures: BTreeMap<Figure, Value>,
}

/// A figure's middle and spread, and how many times the first candidate's it is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Value {
    pub value: Summary,
    pub ratio: Option<Summary>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    InitMs,
    FirstAnswerMs,
    ColdMs,
    CpuInitMs,
    CpuFirstAnswerMs,
    CpuColdMs,
    PeakMib,
    WarmP50Ms,
    WarmP99Ms,
    WarmOverheadMs,
}

impl Figure {
    pub const ALL: [Self; 10] = [
        Self::InitMs,
        Self::FirstAnswerMs,
        Self::ColdMs,
        Self::CpuInitMs,
        Self::CpuFirstAnswerMs,
        Self::CpuColdMs,
        Self::PeakMib,
        Self::WarmP50Ms,
        Self::WarmP99Ms,
        Self::WarmOverheadMs,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::InitMs => "init: `exec` → first `/next`, ms",
            Self::FirstAnswerMs => "first answer, ms",
            Self::ColdMs => "cold start: both, ms",
            Self::CpuInitMs => "CPU time of init, ms",
            Self::CpuFirstAnswerMs => "CPU time of the first answer, ms",
            Self::CpuColdMs => "CPU time of both, ms",
            Self::PeakMib => "peak memory, MiB",
            Self::WarmP50Ms => "warm answer, p50, ms",
            Self::WarmP99Ms => "warm answer, p99, ms",
            Self::WarmOverheadMs => "warm answer less EC2's part, p50, ms",
        }
    }

    /// One value for each round.
    fn of(self, samples: &Samples) -> Vec<f64> {
        let starts = |value: fn(&Start) -> f64| samples.starts.iter().map(value).collect();
        let warm = |part: f64, less_ec2: bool| {
            let quantile_of = |run: &Vec<_>| {
                let time = |it: &Warm| if less_ec2 { it.answer.saturating_sub(it.ec2) } else { it.answer };
                let mut times: Vec<f64> = run.iter().map(|it| ms(time(it))).collect();
                times.sort_by(f64::total_cmp);
                quantile(&times, part)
            };
            samples.warm.iter().filter_map(quantile_of).collect()
        };
        match self {
            Self::InitMs => starts(|it| ms(it.init)),
            Self::FirstAnswerMs => starts(|it| ms(it.first)),
            Self::ColdMs => starts(|it| ms(it.init + it.first)),
            Self::CpuInitMs => starts(|it| ms(it.cpu_init)),
            Self::CpuFirstAnswerMs => starts(|it| ms(it.cpu_first)),
            Self::CpuColdMs => starts(|it| ms(it.cpu_init + it.cpu_first)),
            #[expect(clippy::cast_precision_loss, reason = "no process has 2^52 KiB")]
            Self::PeakMib => starts(|it| it.peak_kib as f64 / 1024.0),
            Self::WarmP50Ms => warm(0.5, false),
            Self::WarmP99Ms => warm(0.99, false),
            Self::WarmOverheadMs => warm(0.5, true),
        }
    }
}

/// What Lambda's share of a processor does.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// Why there are no figures.
    Skipped(String),
    Measured {
        rounds: usize,
        sizes: Vec<Size>,
    },
}

#[derive(Debug, Serialize)]
pub struct Size {
    pub memory_mb: u32,
    pub candidates: Vec<Share>,
}

#[derive(Debug, Serialize)]
pub struct Share {
    pub name: String,
    pub init_ms: Summary,
    pub first_answer_ms: Value,
    /// Init is billed too.
    pub billed_ms: Summary,
    /// For a million cold starts, requests included, at the median of the billed time.
    pub usd_per_million: f64,
}

impl Report {
    pub fn new(
        plan: Plan,
        roots: usize,
        measured: &[(Candidate, Samples)],
        zip_bytes: impl Fn(&str) -> Option<u64>,
        memory: Memory,
    ) -> Self {
        let own = measured.first().map(|(_, samples)| samples);
        let entry = |(candidate, samples): &(Candidate, Samples)| {
            let figure = |figure: Figure| {
                let values = figure.of(samples);
                let ratio = own.and_then(|own| ratio(&values, &figure.of(own)));
                Some((figure, Value { value: Summary::of(values)?, ratio }))
            };
            Entry {
                name: candidate.name.clone(),
                what: candidate.what.clone(),
                file_bytes: candidate.artifact.as_ref().and_then(|path| Some(path.metadata().ok()?.len())),
                zip_bytes: zip_bytes(&candidate.name),
                // What it does when it is warm is a question to those that have something to do.
                figures: Figure::ALL
                    .into_iter()
                    .filter(|it| candidate.job == Job::Deprovision || *it != Figure::WarmOverheadMs)
                    .filter_map(figure)
                    .collect(),
            }
        };
        Self {
            machine: Machine::this(),
            roots,
            rounds: plan.rounds,
            warm_rounds: plan.warm_rounds,
            warm_invocations: plan.warm,
            candidates: measured.iter().map(entry).collect(),
            memory,
        }
    }
}

impl Memory {
    pub fn measured(candidates: &[Candidate], rounds: usize, sizes: &[AtSize]) -> Self {
        let size = |AtSize { memory_mb, starts }: &AtSize| {
            let first = |starts: &Vec<Start>| starts.iter().map(|it| ms(it.first)).collect::<Vec<_>>();
            let own = starts.first().map(first).unwrap_or_default();
            let share = |(candidate, starts): (&Candidate, &Vec<Start>)| {
                #[expect(clippy::cast_precision_loss, reason = "no start takes 2^52 ms")]
                let billed_ms = Summary::of(starts.iter().map(|it| price::billed_ms(it.init + it.first) as f64))?;
                Some(Share {
                    name: candidate.name.clone(),
                    init_ms: Summary::of(starts.iter().map(|it| ms(it.init)))?,
                    first_answer_ms: Value { value: Summary::of(first(starts))?, ratio: ratio(&first(starts), &own) },
                    billed_ms,
                    usd_per_million: price::per_million(*memory_mb, billed_ms.median),
                })
            };
            Size { memory_mb: *memory_mb, candidates: candidates.iter().zip(starts).filter_map(share).collect() }
        };
        Self::Measured { rounds, sizes: sizes.iter().map(size).collect() }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
