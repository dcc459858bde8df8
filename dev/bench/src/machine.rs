//! What machine measures, as far as it matters to the figures: no name and no address.

use std::fs;

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub os: String,
}

impl Machine {
    pub fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::from_texts(
            cores,
            &read("/proc/cpuinfo"),
            &read("/proc/meminfo"),
            &read("/proc/sys/kernel/osrelease"),
            &read("/etc/os-release"),
        )
    }

    /// How many processes wanted a processor in the last minute, where that is more than leaves a core for a candidate
    /// and one for the stand-ins.
    pub fn disturbance() -> Option<f64> {
        load(&fs::read_to_string("/proc/loadavg").ok()?).filter(|&load| load > 1.0)
    }

    fn from_texts(cores: usize, cpuinfo: &str, meminfo: &str, kernel_release: &str, distribution: &str) -> Self {
        let unknown = || "unknown".to_owned();
        let kib: u64 = after(meminfo, "MemTotal:").and_then(|it| it.trim_end_matches(" kB").parse().ok()).unwrap_or(0);
        // "6.1.102-111.187.amzn2023.x86_64": what follows the version often names who built it.
        let kernel = kernel_release.trim().split('-').next().filter(|it| !it.is_empty());
        Self {
            cpu: after(cpuinfo, "model name").map_or_else(unknown, |it| it.trim_start_matches([' ', ':']).to_owned()),
            cores,
            memory_gib: (kib + 512 * 1024) / (1024 * 1024),
            kernel: kernel.map_or_else(unknown, |it| format!("Linux {it}")),
            os: after(distribution, "PRETTY_NAME=").map_or_else(unknown, |it| it.trim_matches('"').to_owned()),
        }
    }
}

fn load(loadavg: &str) -> Option<f64> {
    loadavg.split(' ').next()?.parse().ok()
}

/// The rest of the first line that starts with `name`.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_its_processor_memory_and_system() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Processor\nprocessor\t: 1\nmodel name\t: Other\n";
        let machine = Machine::from_texts(
            2,
            cpuinfo,
            "MemTotal:       24628232 kB\nMemFree: 1 kB\n",
            "6.1.102-111.187.amzn2023.x86_64\n",
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n",
        );
        let expected = Machine {
            cpu: "Intel(R) Xeon(R) Processor".into(),
            cores: 2,
            memory_gib: 23,
            kernel: "Linux 6.1.102".into(),
            os: "Debian GNU/Linux 12 (bookworm)".into(),
        };
        assert_eq!(machine, expected);
    }

    #[test]
    fn the_load_is_the_average_of_the_last_minute() {
        assert_eq!(load("16.95 17.51 14.65 3/512 1234\n"), Some(16.95));
        assert_eq!(load(""), None);
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let machine = Machine::from_texts(1, "", "", "", "");
        assert_eq!((machine.cpu.as_str(), machine.kernel.as_str(), machine.memory_gib), ("unknown", "unknown", 0));
    }
}
