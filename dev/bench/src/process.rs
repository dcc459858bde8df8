//! A program that starts the moment it is told to.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::candidate::Candidate;
use crate::procfs;

/// Waits for a line, then becomes the program. A process that exists beforehand can be put into a cgroup before
/// the program's first instruction, and the clock starts with `exec` and not with `fork`. The shell's own part after
/// the line has come, some 0.1 ms, is in everybody's figures alike.
const LAUNCHER: &str = r#"read -r _ && exec "$@" </dev/null"#;

/// A child process that does not outlive its owner.
pub struct Process {
    child: Child,
    log: PathBuf,
    cpu_before: Duration,
}

impl Process {
    /// Everything but the start. What the program prints goes to `log`.
    pub fn prepare(candidate: &Candidate, environment: &[(String, String)], log: &Path) -> io::Result<Self> {
        let output = File::create(log)?;
        let child = Command::new("/bin/sh")
            .args(["-c", LAUNCHER, "launcher"])
            .args(&candidate.command)
            .current_dir(&candidate.directory)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let mut process = Self { child, log: log.to_owned(), cpu_before: Duration::ZERO };
        process.cpu_before = procfs::cpu_at_rest(process.id())?;
        Ok(process)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts the program. The moment before.
    pub fn start(&mut self) -> io::Result<Instant> {
        let mut line = self.child.stdin.take().ok_or_else(|| io::Error::other("started twice"))?;
        let now = Instant::now();
        line.write_all(b"\n")?;
        Ok(now)
    }

    /// The processor time since the start, once the program is at rest.
    pub fn cpu(&self) -> io::Result<Duration> {
        Ok(procfs::cpu_at_rest(self.id())?.saturating_sub(self.cpu_before))
    }

    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(mut self) -> io::Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status()?;
        if !asked.success() {
            return Err(io::Error::other("it has ended already"));
        }
        self.child.wait().map(|_| ())
    }

    /// What the program has printed, for the person who wants to know why it failed.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either can only fail because it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
