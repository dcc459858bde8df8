//! What the kernel knows about a process, to the nanosecond where it counts so.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at a process that may be at rest.
const PAUSE: Duration = Duration::from_millis(1);

/// For those that never rest: a compiler's or a garbage collector's thread may have work for long.
const PATIENCE: Duration = Duration::from_millis(500);

/// The processor time that the process has used so far, once all its threads are asleep.
///
/// The scheduler brings a thread's count up to date when it leaves the processor, so that a look at a running
/// thread sees too little.
pub fn cpu_at_rest(pid: u32) -> io::Result<Duration> {
    let began = Instant::now();
    let mut before = None;
    loop {
        let now = look(Path::new(&format!("/proc/{pid}/task")))?;
        if (now.asleep && before == Some(now.cpu)) || began.elapsed() > PATIENCE {
            return Ok(now.cpu);
        }
        before = now.asleep.then_some(now.cpu);
        thread::sleep(PAUSE);
    }
}

struct Look {
    asleep: bool,
    cpu: Duration,
}

/// All threads together. A thread that has ended is not counted: no candidate ends one before its first answer.
fn look(tasks: &Path) -> io::Result<Look> {
    let mut all = Look { asleep: true, cpu: Duration::ZERO };
    for task in fs::read_dir(tasks)? {
        let task: PathBuf = task?.path();
        // One that ends just now takes its files with it.
        let (Ok(stat), Ok(schedstat)) =
            (fs::read_to_string(task.join("stat")), fs::read_to_string(task.join("schedstat")))
        else {
            continue;
        };
        all.asleep &= state(&stat) == Some('S');
        all.cpu += on_cpu(&schedstat).unwrap_or_default();
    }
    Ok(all)
}

/// The most memory that was resident at once, in KiB.
pub fn peak_memory_kib(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    peak(&status).ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no VmHWM: has the process ended?")))
}

/// The state in `/proc/PID/stat`. The name before it may hold blanks and parentheses.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The time on a processor, the first number in `schedstat`.
fn on_cpu(schedstat: &str) -> Option<Duration> {
    Some(Duration::from_nanos(schedstat.split(' ').next()?.parse().ok()?))
}

fn peak(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_follows_the_name_whatever_the_name_is() {
        assert_eq!(state("12 (bootstrap) S 1 12 12 0"), Some('S'));
        assert_eq!(state("12 (a) R (b) R 1 12 12 0"), Some('R'));
        assert_eq!(state(""), None);
    }

    #[test]
    fn time_on_a_processor_is_counted_in_nanoseconds() {
        assert_eq!(on_cpu("1234567 89 10\n"), Some(Duration::from_nanos(1_234_567)));
        assert_eq!(on_cpu("0 0 0\n"), Some(Duration::ZERO));
        assert_eq!(on_cpu("\n"), None);
    }

    #[test]
    fn the_peak_is_the_high_water_mark_of_resident_memory() {
        assert_eq!(peak("VmPeak:\t  99999 kB\nVmHWM:\t    7812 kB\nVmRSS:\t    7000 kB\n"), Some(7812));
        assert_eq!(peak("State:\tZ (zombie)\n"), None);
    }

    #[test]
    fn this_process_has_used_some_time_and_some_memory() {
        let pid = std::process::id();
        assert!(cpu_at_rest(pid).unwrap() > Duration::ZERO);
        assert!(peak_memory_kib(pid).unwrap() > 0);
    }
}
