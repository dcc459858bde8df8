//! One cold start, measured, and what may follow it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
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

/// Between two looks whether a program that does not ask for work has ended.
const STEP: Duration = Duration::from_secs(1);

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

/// A candidate between its Runtime API and EC2.
struct Function<'a> {
    candidate: &'a Candidate,
    api: runtime_api::StandIn,
    process: Process,
    init: Duration,
}

impl Function<'_> {
    /// What it did wrong, and what it printed.
    fn failure(&self, what: &str) -> String {
        format!("{} {what}; it printed {:?}", self.candidate.name, self.process.log())
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
        static STAGES: AtomicU32 = AtomicU32::new(0);
        let (process, stage) = (std::process::id(), STAGES.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(format!("cold-start-benchmark-{process}-{stage}"));
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

    /// Starts a candidate, has one answer of it, and then as many more as `warm` says. With a share, the processor is
    /// limited from the first poll on, as Lambda does it.
    pub fn start(
        &self,
        candidate: &Candidate,
        share: Option<(&Cgroup, u32)>,
        warm: usize,
    ) -> Result<(Start, Vec<Warm>), Box<dyn Error>> {
        let function = self.launch(candidate, share, 1 + warm)?;
        let cpu_init = function.process.cpu()?;
        if let Some((cgroup, memory)) = share {
            cgroup.limit(Some(memory))?;
        }
        let first = self.invoke(&function, 0)?;
        if let Some((cgroup, _)) = share {
            cgroup.limit(None)?;
        }
        let cpu = function.process.cpu()?;
        let start = Start {
            init: function.init,
            first: first.answer,
            cpu_init,
            cpu_first: cpu.saturating_sub(cpu_init),
            peak_kib: procfs::peak_memory_kib(function.process.id())?,
        };
        let warm = (1..=warm).map(|nth| self.invoke(&function, nth)).collect::<Result<_, _>>()?;
        Ok((start, warm))
    }

    /// Starts a candidate, has some answers of it, and asks it to end once it waits for more work.
    pub fn start_and_end(&self, candidate: &Candidate, invocations: usize) -> Result<(), Box<dyn Error>> {
        let function = self.launch(candidate, None, invocations)?;
        for nth in 0..invocations {
            self.invoke(&function, nth)?;
        }
        if !function.api.wait_for_polls(invocations + 1, PATIENCE) {
            return Err(function.failure("does not ask for more work").into());
        }
        function.process.cpu()?;
        Ok(function.process.terminate()?)
    }

    /// A name for a file that goes with the stage.
    pub fn scratch_file(&self, name: &str) -> PathBuf {
        self.scratch.0.join(name)
    }

    /// A candidate that has asked for work, in a Region with as many ASNs as it shall retire.
    fn launch<'a>(
        &self,
        candidate: &'a Candidate,
        share: Option<(&Cgroup, u32)>,
        asns: usize,
    ) -> Result<Function<'a>, Box<dyn Error>> {
        self.ec2
            .set_world(World { asns: (0..asns).map(|nth| Asn::new(&asn(nth), IPAM)).collect(), ..World::default() });
        let api = runtime_api::StandIn::start();
        let memory = share.map_or(MEMORY_MB, |(_, memory)| memory);
        let environment = [lambda::environment(api.address(), memory), self.environment(candidate)].concat();
        let process = Process::prepare(candidate, &environment, &self.scratch_file("log"))?;
        if let Some((cgroup, _)) = share {
            cgroup.limit(None)?;
            cgroup.add(process.id())?;
        }
        let mut function = Function { candidate, api, process, init: Duration::ZERO };
        let started = function.process.start()?;
        while !function.api.wait_for_poll(STEP) {
            if function.process.has_ended()? || started.elapsed() > PATIENCE {
                return Err(function.failure("does not ask for work").into());
            }
        }
        function.init = function.api.first_poll().ok_or("a poll without a time")? - started;
        Ok(function)
    }

    /// One invocation, whose answer and call to EC2 are what they must be.
    fn invoke(&self, function: &Function<'_>, nth: usize) -> Result<Warm, Box<dyn Error>> {
        let calls = self.ec2.calls().len();
        let id = function.api.send(Invocation::new(json!({ "IpamId": IPAM, "Asn": asn(nth) }).to_string()));
        let answer =
            function.api.wait_for_response(&id, PATIENCE).ok_or_else(|| function.failure("does not answer"))?;
        let expected = match function.candidate.job {
            Job::Nothing => Value::Null,
            Job::Deprovision => {
                json!({ "Byoasn": { "Asn": asn(nth), "IpamId": IPAM, "State": "pending-deprovision" } })
            }
        };
        if answer.is_error() || answer.json() != expected {
            let body = String::from_utf8_lossy(answer.body());
            return Err(function.failure(&format!("answers {body}")).into());
        }
        let made = self.ec2.calls().len() - calls;
        if made != usize::from(function.candidate.job == Job::Deprovision) {
            return Err(function.failure(&format!("called EC2 {made} times")).into());
        }
        let timing = function.api.timing(&id).ok_or("an answer without a time")?;
        Ok(Warm {
            answer: timing.duration(),
            ec2: self.ec2.handling_times().get(calls..).unwrap_or_default().iter().sum(),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A function in Python without a library, which answers every invocation with this.
    fn function(answer: &str, job: Job) -> Candidate {
        let script = format!(
            "import http.client, os\n\
             api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])\n\
             while True:\n    \
                 api.request('GET', '/2018-06-01/runtime/invocation/next')\n    \
                 work = api.getresponse()\n    \
                 work.read()\n    \
                 id = work.headers['lambda-runtime-aws-request-id']\n    \
                 api.request('POST', f'/2018-06-01/runtime/invocation/{{id}}/response', '{answer}')\n    \
                 api.getresponse().read()\n"
        );
        let command = ["python3".into(), "-c".into(), script.into()].to_vec();
        Candidate { command, job, ..Candidate::program("python", "", Path::new("python3")) }
    }

    fn stage(name: &str) -> Stage {
        let roots = std::env::temp_dir().join(format!("roots-{name}-{}", std::process::id()));
        fs::write(&roots, "").unwrap();
        let stage = Stage::new(&roots).unwrap();
        fs::remove_file(roots).unwrap();
        stage
    }

    #[test]
    fn a_start_has_times_processor_time_and_memory_in_both_phases_and_warm_answers() {
        let (start, warm) = stage("times").start(&function("null", Job::Nothing), None, 3).unwrap();
        assert!(start.init > Duration::ZERO && start.first > Duration::ZERO, "{start:?}");
        assert!(start.cpu_init > start.cpu_first && start.cpu_first > Duration::ZERO, "{start:?}");
        assert!(start.peak_kib > 1024, "{start:?}");
        assert_eq!(warm.len(), 3);
        assert!(warm.iter().all(|it| it.answer > Duration::ZERO && it.ec2 == Duration::ZERO), "{warm:?}");
    }

    #[test]
    fn a_wrong_answer_ends_the_benchmark() {
        let error = stage("wrong").start(&function("1", Job::Nothing), None, 0).unwrap_err().to_string();
        assert!(error.starts_with("python answers 1;"), "{error}");
    }

    #[test]
    fn an_answer_without_a_call_to_ec2_ends_the_benchmark() {
        let byoasn =
            r#"{"Byoasn": {"Asn": "4200000000", "IpamId": "ipam-0123456789abcdef0", "State": "pending-deprovision"}}"#;
        let error = stage("idle").start(&function(byoasn, Job::Deprovision), None, 0).unwrap_err().to_string();
        assert!(error.starts_with("python called EC2 0 times;"), "{error}");
    }

    #[test]
    fn a_program_that_ends_at_once_ends_the_benchmark_with_what_it_printed() {
        let command = ["sh".into(), "-c".into(), "echo no such module >&2; exit 1".into()].to_vec();
        let candidate = Candidate { command, ..function("", Job::Nothing) };
        let error = stage("dead").start(&candidate, None, 0).unwrap_err().to_string();
        assert_eq!(error, "python does not ask for work; it printed \"no such module\\n\"");
    }
}
