//! One cold start, measured, and what may follow it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use stand_ins::ec2::{self, Asn, World};
use stand_ins::runtime_api::{self, Invocation};

use crate::candidate::{Candidate, Job, Trust};
use crate::cgroup::Cgroup;
use crate::lambda;
use crate::process::Process;
use crate::procfs;

const IPAM: &str = "ipam-0123456789abcdef0";

/// The first 4-byte ASN for private use (RFC 6996): each invocation retires another one.
const FIRST_ASN: u32 = 4_200_000_000;

const PATIENCE: Duration = Duration::from_mins(1);

/// The memory size that the function is told where none is imitated: the template's.
pub const MEMORY_MB: u32 = 256;

/// EC2, and where everybody finds its CA.
pub struct Stage {
    ec2: ec2::StandIn,
    scratch: Scratch,
    /// The roots and the stand-in's CA.
    bundle: PathBuf,
}

/// A folder that goes when its owner goes.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What one start showed.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// `exec` to the first poll of the Runtime API.
    pub init: Duration,
    /// The invocation handed over to its answer.
    pub first: Duration,
    pub cpu_init: Duration,
    pub cpu_first: Duration,
    pub peak_kib: u64,
}

/// What one invocation of a process that is warm showed.
#[derive(Clone, Copy, Debug)]
pub struct Warm {
    pub answer: Duration,
    /// EC2's part of it.
    pub ec2: Duration,
}

impl Stage {
    /// `roots` is a PEM bundle of the size that systems have.
    pub fn new(roots: &Path) -> Result<Self, Box<dyn Error>> {
        let directory = std::env::temp_dir().join(format!("cold-start-benchmark-{}", std::process::id()));
        fs::create_dir(&directory)?;
        let scratch = Scratch(directory);
        let ec2 = ec2::StandIn::start_tls(World::default());
        let roots = fs::read_to_string(roots).map_err(|error| format!("{}: {error}", roots.display()))?;
        let bundle = scratch.0.join("roots.pem");
        fs::write(&bundle, roots + "\n" + &fs::read_to_string(ec2.ca_bundle())?)?;
        Ok(Self { ec2, scratch, bundle })
    }

    /// How many roots the clients read.
    pub fn roots(&self) -> usize {
        fs::read_to_string(&self.bundle).unwrap_or_default().matches("BEGIN CERTIFICATE").count()
    }

    /// Starts a candidate, has some answers of it, and asks it to end once it waits for more work.
    pub fn start_and_end(&self, candidate: &Candidate, invocations: usize) -> Result<(), Box<dyn Error>> {
        self.ec2.set_world(world(invocations));
        let api = runtime_api::StandIn::start();
        let environment = [lambda::environment(api.address(), MEMORY_MB), self.environment(candidate)].concat();
        let mut process = Process::prepare(candidate, &environment, &self.scratch.0.join("log"))?;
        process.start()?;
        if !api.wait_for_poll(PATIENCE) {
            return Err(format!("{} does not ask for work: {}", candidate.name, process.log()).into());
        }
        for nth in 0..invocations {
            self.invoke(candidate, &api, &process, nth)?;
        }
        if !api.wait_for_polls(invocations + 1, PATIENCE) {
            return Err(format!("{} does not ask for more work: {}", candidate.name, process.log()).into());
        }
        process.cpu()?;
        Ok(process.terminate()?)
    }

    /// A name for a file that goes with the stage.
    pub fn scratch_file(&self, name: &str) -> PathBuf {
        self.scratch.0.join(name)
    }

    /// Starts a candidate, has one answer of it, and then as many more as there is room for in `warm`. With a share,
    /// the processor is limited from the first poll on, as Lambda does.
    pub fn start(
        &self,
        candidate: &Candidate,
        share: Option<(&Cgroup, u32)>,
        warm: usize,
    ) -> Result<(Start, Vec<Warm>), Box<dyn Error>> {
        self.ec2.set_world(world(warm + 1));
        let api = runtime_api::StandIn::start();
        let memory = share.map_or(MEMORY_MB, |(_, memory)| memory);
        let environment = [lambda::environment(api.address(), memory), self.environment(candidate)].concat();
        let mut process = Process::prepare(candidate, &environment, &self.scratch.0.join("log"))?;
        if let Some((cgroup, _)) = share {
            cgroup.limit(None)?;
            cgroup.add(process.id())?;
        }

        let started = process.start()?;
        if !api.wait_for_poll(PATIENCE) {
            return Err(format!("{} does not ask for work: {}", candidate.name, process.log()).into());
        }
        let polled = api.first_poll().ok_or("a poll without a time")?;
        let cpu_init = process.cpu()?;

        if let Some((cgroup, memory)) = share {
            cgroup.limit(Some(memory))?;
        }
        let first = self.invoke(candidate, &api, &process, 0)?;
        if let Some((cgroup, _)) = share {
            cgroup.limit(None)?;
        }
        let cpu = process.cpu()?;
        let start = Start {
            init: polled - started,
            first: first.answer,
            cpu_init,
            cpu_first: cpu.saturating_sub(cpu_init),
            peak_kib: procfs::peak_memory_kib(process.id())?,
        };
        let warm = (1..=warm).map(|nth| self.invoke(candidate, &api, &process, nth)).collect::<Result<_, _>>()?;
        Ok((start, warm))
    }

    /// One invocation, whose answer and call to EC2 are what they must be.
    fn invoke(
        &self,
        candidate: &Candidate,
        api: &runtime_api::StandIn,
        process: &Process,
        nth: usize,
    ) -> Result<Warm, Box<dyn Error>> {
        let calls = self.ec2.calls().len();
        let id = api.send(Invocation::new(json!({ "IpamId": IPAM, "Asn": asn(nth) }).to_string()));
        let Some(answer) = api.answer(&id, PATIENCE) else {
            return Err(format!("{} does not answer: {}", candidate.name, process.log()).into());
        };
        let expected = match candidate.job {
            Job::Nothing => Value::Null,
            Job::Deprovision => {
                json!({ "Byoasn": { "Asn": asn(nth), "IpamId": IPAM, "State": "pending-deprovision" } })
            }
        };
        if answer.is_error() || answer.json() != expected {
            let body = String::from_utf8_lossy(answer.body()).into_owned();
            return Err(format!("{} answers {body}: {}", candidate.name, process.log()).into());
        }
        let ec2: Duration = self.ec2.held().get(calls..).unwrap_or_default().iter().sum();
        let made = self.ec2.calls().len() - calls;
        if made != usize::from(candidate.job == Job::Deprovision) {
            return Err(format!("{} called EC2 {made} times", candidate.name).into());
        }
        let timing = api.timing(&id).ok_or("an answer without a time")?;
        Ok(Warm { answer: timing.duration(), ec2 })
    }

    fn environment(&self, candidate: &Candidate) -> Vec<(String, String)> {
        let (variable, path) = match candidate.trust {
            Trust::SslCertFile => ("SSL_CERT_FILE", &*self.bundle),
            Trust::AwsCaBundle => ("AWS_CA_BUNDLE", &*self.bundle),
            Trust::NodeExtraCaCerts => ("NODE_EXTRA_CA_CERTS", self.ec2.ca_bundle()),
        };
        vec![
            ("AWS_ENDPOINT_URL_EC2".to_owned(), self.ec2.endpoint().to_owned()),
            (variable.to_owned(), path.display().to_string()),
        ]
    }
}

fn asn(nth: usize) -> String {
    (u64::from(FIRST_ASN) + nth as u64).to_string()
}

fn world(asns: usize) -> World {
    World { asns: (0..asns).map(|nth| Asn::new(&asn(nth), IPAM)).collect(), ..World::default() }
}
