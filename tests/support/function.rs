//! The function's binary as a child process, with a Runtime API stand-in and an EC2 stand-in.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use stand_ins::{
    ec2::{self, World},
    runtime_api::{self, Deadline, Invocation},
};

use super::assertions::{Outcome, outcome};

pub const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJr/SESSION+TOKEN==";

/// The longest time that a process needs to exit on its own.
const EXIT_TIMEOUT: Duration = Duration::from_secs(30);

/// A running function.
pub struct Function {
    pub ec2: ec2::StandIn,
    pub api: runtime_api::StandIn,
    process: Process,
}

/// Builds a [`Function`] with a different environment or program.
pub struct Setup {
    ec2: ec2::StandIn,
    program: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Setup {
    pub fn new(world: World) -> Self {
        Self::with_ec2(ec2::StandIn::start(world))
    }

    /// A function that reaches EC2 over HTTPS and trusts the stand-in's CA.
    pub fn over_tls(world: World) -> Self {
        let ec2 = ec2::StandIn::start_tls(world);
        let bundle = ec2.ca_bundle().to_str().expect("UTF-8").to_owned();
        Self::with_ec2(ec2).set("SSL_CERT_FILE", &bundle)
    }

    pub fn with_ec2(ec2: ec2::StandIn) -> Self {
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
        // FUNCTION_BINARY selects another build, such as the release.
        let program = env::var_os("FUNCTION_BINARY").unwrap_or(env!("CARGO_BIN_EXE_deprovision-ipam-byoasn").into());
        Self { ec2, program: program.into(), environment }
    }

    pub fn endpoint(&self) -> &str {
        self.ec2.endpoint()
    }

    /// The file with the stand-in's CA certificate. Panics if EC2 is reached over HTTP.
    pub fn ca_bundle(&self) -> PathBuf {
        self.ec2.ca_bundle().to_owned()
    }

    /// Sets an environment variable.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes an environment variable.
    pub fn unset(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    pub fn program(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// Starts the function and waits for its first poll.
    pub fn start(self) -> Function {
        let function = self.spawn();
        assert!(function.api.wait_for_poll(Duration::from_secs(30)), "the function does not poll for an invocation");
        function
    }

    /// Starts a function whose start must fail. Returns the exit code and the log.
    pub fn start_expecting_failure(self) -> (Option<i32>, Vec<Value>) {
        let function = self.spawn();
        let (code, log) = function.process.wait();
        assert_eq!(function.api.polls(), 0, "the function polled for an invocation");
        (code, parse(&log))
    }

    fn spawn(self) -> Function {
        let api = runtime_api::StandIn::start();
        let mut command = Command::new(&self.program);
        command.env_clear().envs(&self.environment).env("AWS_LAMBDA_RUNTIME_API", api.address());
        // `make coverage` collects the child's counters in this file.
        command.envs(env::vars().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
        Function { process: Process::start(command), ec2: self.ec2, api }
    }
}

impl Function {
    pub fn start() -> Self {
        Self::with_world(World::default())
    }

    pub fn with_world(world: World) -> Self {
        Setup::new(world).start()
    }

    pub fn invoke(&self, event: &Value) -> Outcome {
        outcome(&self.api.invoke(event.to_string()))
    }

    pub fn invoke_text(&self, event: impl Into<Vec<u8>>) -> Outcome {
        outcome(&self.api.invoke(event))
    }

    /// Invokes with a deadline other than 30 seconds.
    pub fn invoke_with_deadline(&self, deadline: Deadline, event: &Value) -> Outcome {
        self.invoke_with(Invocation { deadline, ..Invocation::new(event.to_string()) })
    }

    pub fn invoke_with(&self, invocation: Invocation) -> Outcome {
        let id = self.api.send(invocation);
        outcome(&self.api.wait_for_response(&id, Duration::from_mins(1)).expect("no response within a minute"))
    }

    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// A value in KiB from `/proc/PID/status`, such as `VmRSS` or `VmHWM`.
    pub fn memory_kib(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("the process is running");
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect(name);
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Waits until the process exits. Returns the exit code, the calls to EC2 and the log.
    pub fn wait_for_exit(self) -> (Option<i32>, Vec<String>, Vec<Value>) {
        let (code, log) = self.process.wait();
        (code, calls(&self.ec2), parse(&log))
    }

    /// Kills the process at any point. Returns EC2 as it is then, and the log.
    pub fn kill(self) -> (ec2::StandIn, Vec<String>) {
        (self.ec2, self.process.kill())
    }

    /// The calls to EC2, one line each: the action and its parameters in alphabetical order.
    pub fn calls(&self) -> Vec<String> {
        calls(&self.ec2)
    }

    /// Stops the process and returns the log.
    pub fn log(self) -> Vec<Value> {
        parse(&self.raw_log())
    }

    /// Stops the process and returns the lines of the log.
    pub fn raw_log(self) -> Vec<String> {
        assert_eq!(self.api.protocol_errors(), Vec::<String>::new());
        self.process.kill()
    }
}

/// A child process that is killed on drop, and its output on both streams.
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
        assert!(self.child.try_wait().expect("child").is_none(), "the function has exited");
        self.child.kill().expect("child");
        self.read()
    }

    fn wait(mut self) -> (Option<i32>, Vec<String>) {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("child") {
                Some(status) => break status,
                None => assert!(start.elapsed() < EXIT_TIMEOUT, "the function does not exit"),
            }
            thread::sleep(Duration::from_millis(5));
        };
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
