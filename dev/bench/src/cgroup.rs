//! Lambda's share of a processor: M/1769 of one for M MB, as a quota of Linux's CPU controller.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The memory size at which Lambda gives one whole processor.
const WHOLE_MB: u32 = 1769;

/// The time in which the share is given out.
pub const PERIOD_US: u32 = 20_000;

/// The processor time in each period, for this memory size.
pub fn quota_us(memory_mb: u32) -> u32 {
    PERIOD_US * memory_mb / WHOLE_MB
}

/// A cgroup of our own. It goes when it is dropped; the processes in it must have ended.
pub struct Cgroup {
    directory: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

impl Cgroup {
    /// Makes one where this machine keeps them.
    ///
    /// # Errors
    ///
    /// Why there is none, in a sentence: no CPU controller, or no right to use it.
    pub fn new() -> Result<Self, String> {
        Self::under(Path::new("/sys/fs/cgroup"))
    }

    fn under(root: &Path) -> Result<Self, String> {
        let v1 = root.join("cpu");
        let (parent, version) = if v1.join("cpu.cfs_quota_us").exists() {
            (v1, Version::V1)
        } else if controllers(root, "cgroup.controllers") {
            if !controllers(root, "cgroup.subtree_control") {
                fs::write(root.join("cgroup.subtree_control"), "+cpu")
                    .map_err(|error| format!("the CPU controller cannot be switched on: {error}"))?;
            }
            (root.to_owned(), Version::V2)
        } else {
            return Err(format!("{} has no CPU controller", root.display()));
        };
        let directory = parent.join(format!("cold-start-benchmark-{}", std::process::id()));
        fs::create_dir(&directory)
            .map_err(|error| format!("no cgroup can be made in {}: {error}", parent.display()))?;
        let cgroup = Self { directory, version };
        cgroup.limit(None).map_err(|error| format!("the CPU quota cannot be set: {error}"))?;
        Ok(cgroup)
    }

    pub fn add(&self, pid: u32) -> io::Result<()> {
        fs::write(self.directory.join("cgroup.procs"), pid.to_string())
    }

    /// Gives all processes in it together this share, or as much as they like.
    pub fn limit(&self, memory_mb: Option<u32>) -> io::Result<()> {
        let quota = memory_mb.map(quota_us);
        match self.version {
            Version::V1 => {
                fs::write(self.directory.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
                let quota = quota.map_or_else(|| "-1".to_owned(), |it| it.to_string());
                fs::write(self.directory.join("cpu.cfs_quota_us"), quota)
            }
            Version::V2 => {
                let quota = quota.map_or_else(|| "max".to_owned(), |it| it.to_string());
                fs::write(self.directory.join("cpu.max"), format!("{quota} {PERIOD_US}"))
            }
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.directory) {
            eprintln!("{} is left behind: {error}", self.directory.display());
        }
    }
}

fn controllers(root: &Path, file: &str) -> bool {
    fs::read_to_string(root.join(file)).is_ok_and(|list| list.split_whitespace().any(|it| it == "cpu"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that looks like the root of a cgroup file system.
    struct Root(PathBuf);

    impl Root {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("cgroup-{name}-{}", std::process::id()));
            fs::create_dir_all(root.join("cpu")).unwrap();
            for (file, content) in files {
                fs::write(root.join(file), content).unwrap();
            }
            Self(root)
        }

        fn read(&self, cgroup: &Cgroup, file: &str) -> String {
            assert!(cgroup.directory.starts_with(&self.0));
            fs::read_to_string(cgroup.directory.join(file)).unwrap()
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_whole_processor_is_given_at_1769_mb_and_less_in_proportion() {
        assert_eq!([128, 256, 512, 1024, 1769].map(quota_us), [1447, 2894, 5788, 11_577, 20_000]);
    }

    #[test]
    fn version_1_takes_period_and_quota_in_two_files() {
        let root = Root::new("v1", &[("cpu/cpu.cfs_quota_us", "-1")]);
        let cgroup = Cgroup::under(&root.0).unwrap();
        cgroup.add(123).unwrap();
        assert_eq!(root.read(&cgroup, "cpu.cfs_quota_us"), "-1");
        cgroup.limit(Some(128)).unwrap();
        assert_eq!(root.read(&cgroup, "cpu.cfs_period_us"), "20000");
        assert_eq!(root.read(&cgroup, "cpu.cfs_quota_us"), "1447");
        assert_eq!(root.read(&cgroup, "cgroup.procs"), "123");
        cgroup.limit(None).unwrap();
        assert_eq!(root.read(&cgroup, "cpu.cfs_quota_us"), "-1");
    }

    #[test]
    fn version_2_takes_both_in_one_file_and_its_controller_is_switched_on() {
        let root =
            Root::new("v2", &[("cgroup.controllers", "cpuset cpu io\n"), ("cgroup.subtree_control", "memory\n")]);
        let cgroup = Cgroup::under(&root.0).unwrap();
        assert_eq!(fs::read_to_string(root.0.join("cgroup.subtree_control")).unwrap(), "+cpu");
        assert_eq!(root.read(&cgroup, "cpu.max"), "max 20000");
        cgroup.limit(Some(1769)).unwrap();
        assert_eq!(root.read(&cgroup, "cpu.max"), "20000 20000");
    }

    #[test]
    fn without_a_cpu_controller_there_is_none_and_the_reason_is_said() {
        let root = Root::new("none", &[("cgroup.controllers", "cpuset io\n")]);
        let error = Cgroup::under(&root.0).err().unwrap();
        assert!(error.ends_with("has no CPU controller"), "{error}");
    }
}
