//! A program that starts at a known moment.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::candidate::Candidate;

/// A shell waits for a line and then becomes the program. So the process can be put into its cgroup before the program's
/// first instruction, and creating a process is not measured. What the shell does after the line, 0.1 ms, is in all
/// measurements.
const LAUNCHER: &str = r#"read -r _ && exec "$@" </dev/null"#;

/// A child process; the drop ends it.
pub struct Process {
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Prepares the start. The program's output goes to the file `output`.
    pub fn prepare(candidate: &Candidate, environment: &[(String, String)], output: &Path) -> io::Result<Self> {
        let file = File::create(output)?;
        let child = Command::new("/bin/sh")
            .args(["-c", LAUNCHER, "launcher"])
            .args(&candidate.command)
            .current_dir(&candidate.folder)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        Ok(Self { child, output: output.to_owned() })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts the program and returns the moment before.
    pub fn start(&mut self) -> io::Result<Instant> {
        let mut line = self.child.stdin.take().ok_or_else(|| io::Error::other("the program has started already"))?;
        let now = Instant::now();
        line.write_all(b"\n")?;
        Ok(now)
    }

    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// The largest resident set so far.
    pub fn peak_memory_mib(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        kib.map(|kib: f64| kib / 1024.0).ok_or_else(|| io::Error::other("the process has no VmHWM: it has ended"))
    }

    /// Ends the program with SIGTERM and waits for it.
    pub fn terminate(&mut self) -> io::Result<()> {
        Command::new("kill").args(["-TERM", &self.id().to_string()]).status()?;
        self.child.wait().map(|_| ())
    }

    /// What the program printed.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
