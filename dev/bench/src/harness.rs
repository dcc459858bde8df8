//! Starts a candidate between the stand-ins for the Runtime API and EC2.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stand_ins::ec2::{self, Asn, World};
use stand_ins::runtime_api::{self, Invocation};

use crate::candidate::{Candidate, Workload};
use crate::cpu_share::CpuShare;
use crate::process::Process;

const IPAM_ID: &str = "ipam-0123456789abcdef0";
const ASN: &str = "4200000000";
/// The template's memory size.
const MEMORY_MB: u32 = 256;
const TIMEOUT: Duration = Duration::from_mins(1);
/// How often a program that does not poll is checked for having ended.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// After a poll, a program still goes to sleep, and a runtime may compile in the background. This is one period of the CPU
/// quota.
const SETTLING_TIME: Duration = Duration::from_millis(20);

/// Which certificates the candidate trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those of its default, as in Lambda. Enough for a start; the EC2 stand-in is not among them.
    Default,
    /// The CA of the EC2 stand-in.
    TestCa,
}

/// The EC2 stand-in, and a folder that the drop removes.
pub struct Harness {
    ec2: ec2::StandIn,
    folder: PathBuf,
}

/// A candidate that has started and waits for invocations.
pub struct Function<'a> {
    harness: &'a Harness,
    candidate: &'a Candidate,
    api: runtime_api::StandIn,
    pub process: Process,
    /// From `exec` to the first `/next`.
    pub init: Duration,
}

impl Harness {
    pub fn new() -> Result<Self, Box<dyn Error>> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bench-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder)?;
        Ok(Self { ec2: ec2::StandIn::start_tls(World::default()), folder })
    }

    /// A path in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts a candidate and waits until it polls the Runtime API. From then on the CPU share limits it, as Lambda does.
    pub fn start<'a>(
        &'a self,
        candidate: &'a Candidate,
        trust: Trust,
        limit: Option<(&CpuShare, u32)>,
    ) -> Result<Function<'a>, Box<dyn Error>> {
        self.ec2.set_world(World { asns: vec![Asn::new(ASN, IPAM_ID)], ..World::default() });
        let api = runtime_api::StandIn::start();
        let memory_mb = limit.map_or(MEMORY_MB, |(_, memory_mb)| memory_mb);
        let mut environment = lambda_environment(api.address(), memory_mb);
        environment.push(("AWS_ENDPOINT_URL_EC2".to_owned(), self.ec2.endpoint().to_owned()));
        if trust == Trust::TestCa {
            environment.push((candidate.trust_variable.to_owned(), self.ec2.ca_bundle().display().to_string()));
        }
        let process = Process::prepare(candidate, &environment, &self.file("output"))?;
        if let Some((cpu_share, _)) = limit {
            cpu_share.limit(None)?;
            cpu_share.add(process.id())?;
        }
        let mut function = Function { harness: self, candidate, api, process, init: Duration::ZERO };
        function.start()?;
        if let Some((cpu_share, memory_mb)) = limit {
            cpu_share.limit(Some(memory_mb))?;
        }
        Ok(function)
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Function<'_> {
    fn start(&mut self) -> Result<(), Box<dyn Error>> {
        let started = self.process.start()?;
        while !self.api.wait_for_poll(CHECK_INTERVAL) {
            if self.process.has_ended()? || started.elapsed() > TIMEOUT {
                return Err(self.failure("does not poll the Runtime API"));
            }
        }
        let first_poll: Instant = self.api.first_poll().ok_or("the first poll has no time")?;
        self.init = first_poll - started;
        thread::sleep(SETTLING_TIME);
        Ok(())
    }

    /// Sends one invocation, checks the response and the call to EC2, and returns how long the response took.
    pub fn invoke(&mut self) -> Result<Duration, Box<dyn Error>> {
        self.harness.ec2.clear_calls();
        let id = self.api.send(Invocation::new(json!({ "IpamId": IPAM_ID, "Asn": ASN }).to_string()));
        let response = self.api.wait_for_response(&id, TIMEOUT).ok_or_else(|| self.failure("does not respond"))?;
        let (expected, expected_calls) = match self.candidate.workload {
            Workload::Nothing => (Value::Null, 0),
            Workload::Deprovision => {
                (json!({ "Byoasn": { "Asn": ASN, "IpamId": IPAM_ID, "State": "pending-deprovision" } }), 1)
            }
        };
        if response.is_error() || response.json() != expected {
            return Err(self.failure(&format!("responds {}", String::from_utf8_lossy(response.body()))));
        }
        let calls = self.harness.ec2.calls().len();
        if calls != expected_calls {
            return Err(self.failure(&format!("called EC2 {calls} times")));
        }
        let timing = self.api.timing(&id).ok_or("the response has no time")?;
        Ok(timing.duration())
    }

    /// Ends the candidate once it has sent all responses.
    pub fn terminate(mut self) -> Result<(), Box<dyn Error>> {
        thread::sleep(SETTLING_TIME);
        Ok(self.process.terminate()?)
    }

    fn failure(&self, problem: &str) -> Box<dyn Error> {
        format!("{} {problem}; it printed {:?}", self.candidate.name, self.process.output()).into()
    }
}

/// The variables that Lambda sets.
fn lambda_environment(runtime_api: &str, memory_mb: u32) -> Vec<(String, String)> {
    [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", "deprovision-ipam-byoasn"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/deprovision-ipam-byoasn"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/23/[$LATEST]0123456789abcdef0123456789abcdef"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEJr/SESSION+TOKEN=="),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        ("AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129:2000"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
        ("LD_LIBRARY_PATH", "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A function in plain Python that returns `response` for every invocation.
    fn python(response: &str, workload: Workload) -> Candidate {
        let script = format!(
            "import http.client, os\n\
             api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])\n\
             while True:\n    \
                 api.request('GET', '/2018-06-01/runtime/invocation/next')\n    \
                 invocation = api.getresponse()\n    \
                 invocation.read()\n    \
                 id = invocation.headers['lambda-runtime-aws-request-id']\n    \
                 api.request('POST', f'/2018-06-01/runtime/invocation/{{id}}/response', '{response}')\n    \
                 api.getresponse().read()\n"
        );
        let command = ["python3".into(), "-c".into(), script.into()].to_vec();
        Candidate { command, workload, ..Candidate::program("python", "", Path::new("python3")) }
    }

    /// The error of one cold start.
    fn failure(candidate: &Candidate) -> String {
        let harness = Harness::new().unwrap();
        let started = harness.start(candidate, Trust::TestCa, None);
        started.and_then(|mut function| function.invoke()).unwrap_err().to_string()
    }

    #[test]
    fn a_cold_start_has_times_and_peak_memory() {
        let (harness, candidate) = (Harness::new().unwrap(), python("null", Workload::Nothing));
        let mut function = harness.start(&candidate, Trust::Default, None).unwrap();
        assert!(function.init > Duration::ZERO);
        assert!(function.invoke().unwrap() > Duration::ZERO);
        assert!(function.process.peak_memory_mib().unwrap() > 1.0);
    }

    #[test]
    fn a_wrong_response_is_an_error() {
        let error = failure(&python("1", Workload::Nothing));
        assert!(error.starts_with("python responds 1;"), "{error}");
    }

    #[test]
    fn a_response_without_a_call_to_ec2_is_an_error() {
        let byoasn = json!({ "Byoasn": { "Asn": ASN, "IpamId": IPAM_ID, "State": "pending-deprovision" } });
        let error = failure(&python(&byoasn.to_string(), Workload::Deprovision));
        assert!(error.starts_with("python called EC2 0 times;"), "{error}");
    }

    #[test]
    fn a_program_that_ends_is_an_error_with_its_output() {
        let command = ["sh".into(), "-c".into(), "echo no such module >&2; exit 1".into()].to_vec();
        let error = failure(&Candidate { command, ..python("", Workload::Nothing) });
        assert_eq!(error, "python does not poll the Runtime API; it printed \"no such module\\n\"");
    }
}
