//! The real binary as a child process, between the Runtime API and EC2.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};
use stand_ins::{
    ec2::{self, World},
    runtime_api::{self, Answer, Deadline, Invocation},
};

pub const IPAM: &str = "ipam-0123456789abcdef0";
pub const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJr/SESSION+TOKEN==";

/// A running function with its two neighbours.
pub struct Function {
    pub ec2: ec2::StandIn,
    pub api: runtime_api::StandIn,
    process: Process,
}

/// How to start one, where the defaults do not fit.
pub struct Setup {
    ec2: ec2::StandIn,
    program: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Setup {
    pub fn new(world: World) -> Self {
        Self::beside(ec2::StandIn::start(world))
    }

    pub fn beside(ec2: ec2::StandIn) -> Self {
        let environment = [
            ("AWS_LAMBDA_FUNCTION_NAME", "deprovision-ipam-byoasn"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_SESSION_TOKEN", SESSION_TOKEN),
            ("AWS_ENDPOINT_URL_EC2", ec2.endpoint()),
        ];
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // Another build, the release for one.
        let program = env::var_os("FUNCTION_BINARY").unwrap_or(env!("CARGO_BIN_EXE_deprovision-ipam-byoasn").into());
        Self { ec2, program: program.into(), environment }
    }

    pub fn endpoint(&self) -> &str {
        self.ec2.endpoint()
    }

    /// The certificate to trust, where EC2 is reached over TLS.
    pub fn ca_bundle(&self) -> PathBuf {
        self.ec2.ca_bundle().to_owned()
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn unset(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    pub fn program(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// Starts the function and waits until it asks for work.
    pub fn start(self) -> Function {
        let function = self.spawn();
        assert!(function.api.wait_for_poll(Duration::from_secs(30)), "the function does not ask for work");
        function
    }

    /// Starts a function that shall fail to start: its exit code and its log.
    pub fn start_in_vain(self) -> (Option<i32>, Vec<Value>) {
        let function = self.spawn();
        let (code, log) = function.process.wait();
        assert_eq!(function.api.polls(), 0, "it asked for work");
        (code, parse(&log))
    }

    fn spawn(self) -> Function {
        let api = runtime_api::StandIn::start();
        let mut command = Command::new(&self.program);
        command.env_clear().envs(&self.environment).env("AWS_LAMBDA_RUNTIME_API", api.address());
        // Where `make coverage` wants the child's counts.
        command.envs(env::vars().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
        Function { process: Process::start(command), ec2: self.ec2, api }
    }
}

impl Function {
    pub fn start() -> Self {
        Self::in_world(World::default())
    }

    pub fn in_world(world: World) -> Self {
        Setup::new(world).start()
    }

    /// The response, or the error as `(errorType, errorMessage)`.
    pub fn invoke(&self, event: &Value) -> Result<Value, (String, String)> {
        outcome(&self.api.invoke(event.to_string()))
    }

    pub fn invoke_text(&self, event: impl Into<Vec<u8>>) -> Result<Value, (String, String)> {
        outcome(&self.api.invoke(event))
    }

    /// The same with another deadline than in 30 seconds.
    pub fn invoke_until(&self, deadline: Deadline, event: &Value) -> Result<Value, (String, String)> {
        let id = self.api.send(Invocation { deadline, ..Invocation::new(event.to_string()) });
        outcome(&self.api.answer(&id, Duration::from_mins(1)).expect("no answer in a minute"))
    }

    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Waits until it ends by itself: its exit code, the calls that EC2 saw, and its log.
    pub fn end(self) -> (Option<i32>, Vec<String>, Vec<Value>) {
        let (code, log) = self.process.wait();
        (code, calls(&self.ec2), parse(&log))
    }

    /// Kills the function wherever it is, and leaves EC2 as it is: with every line it has logged.
    pub fn crash(self) -> (ec2::StandIn, Vec<String>) {
        (self.ec2, self.process.kill())
    }

    /// The calls that EC2 saw, a line each: the action and its parameters in order.
    pub fn calls(&self) -> Vec<String> {
        calls(&self.ec2)
    }

    /// Ends the function: every line it has logged.
    pub fn log(self) -> Vec<Value> {
        parse(&self.raw_log())
    }

    pub fn raw_log(self) -> Vec<String> {
        assert_eq!(self.api.mistakes(), Vec::<String>::new());
        self.process.kill()
    }
}

/// A child process that does not outlive its owner, and what it printed on either stream.
struct Process {
    child: Child,
    readers: Vec<JoinHandle<Vec<String>>>,
}

impl Process {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("cannot be started");
        let out = child.stdout.take().expect("piped");
        let err = child.stderr.take().expect("piped");
        let readers = vec![
            thread::spawn(|| BufReader::new(out).lines().map_while(Result::ok).collect()),
            thread::spawn(|| BufReader::new(err).lines().map_while(Result::ok).collect()),
        ];
        Self { child, readers }
    }

    fn kill(mut self) -> Vec<String> {
        assert!(self.child.try_wait().expect("child").is_none(), "the function has died");
        self.child.kill().expect("child");
        self.read()
    }

    fn wait(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.child.wait().expect("child");
        (status.code(), self.read())
    }

    fn read(&mut self) -> Vec<String> {
        self.readers.drain(..).flat_map(|reader| reader.join().expect("reader")).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn calls(ec2: &ec2::StandIn) -> Vec<String> {
    let line =
        |call: ec2::Call| call.params.iter().fold(call.action, |line, (name, value)| format!("{line} {name}={value}"));
    ec2.calls().into_iter().map(line).collect()
}

fn parse(log: &[String]) -> Vec<Value> {
    log.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
}

pub fn outcome(answer: &Answer) -> Result<Value, (String, String)> {
    let json = answer.json();
    match answer {
        Answer::Response(_) => Ok(json),
        Answer::Error { .. } => {
            let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}")).to_owned();
            let (error_type, message) = (text("errorType"), text("errorMessage"));
            assert!(message.len() <= 2_000, "{} bytes: {message}", message.len());
            assert!(!message.contains(char::is_control), "not one line: {message:?}");
            Err((error_type, message))
        }
    }
}

/// The request that most tests send.
pub fn request() -> Value {
    json!({ "IpamId": IPAM, "Asn": "64500" })
}

/// The same with more members.
pub fn request_with(members: &Value) -> Value {
    let mut request = request();
    request.as_object_mut().expect("object").extend(members.as_object().expect("object").clone());
    request
}

pub const DEPROVISION: &str = "DeprovisionIpamByoasn Asn=64500 IpamId=ipam-0123456789abcdef0";
pub const DRY_RUN: &str = "DeprovisionIpamByoasn Asn=64500 DryRun=true IpamId=ipam-0123456789abcdef0";
pub const LOOK_AT_ASN: &str = "DescribeIpamByoasn MaxResults=100";
pub const LOOK_AT_CIDRS: &str = "DescribeByoipCidrs MaxResults=100";

/// The answer to a first deprovision of [`request`].
pub fn pending() -> Value {
    json!({ "Byoasn": { "Asn": "64500", "IpamId": IPAM, "State": "pending-deprovision" } })
}

/// Asserts an error's type, and that its message has all of these in it.
#[track_caller]
pub fn assert_error(outcome: Result<Value, (String, String)>, error_type: &str, parts: &[&str]) -> String {
    let (actual, message) = outcome.expect_err("a response");
    assert_eq!(actual, error_type, "{message}");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
    message
}
