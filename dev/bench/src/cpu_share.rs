//! Lambda's share of a CPU: memory size / 1769 MB of one, as a quota of Linux's CPU controller.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Lambda's smallest size, the usual ones, and the size with one whole CPU.
pub const MEMORY_SIZES_MB: [u32; 5] = [128, 256, 512, 1024, 1769];

const ONE_CPU_MB: u32 = 1769;
const PERIOD_US: u32 = 20_000;

/// A cgroup for one process at a time. The drop removes it.
pub struct CpuShare {
    folder: PathBuf,
    is_v2: bool,
}

impl CpuShare {
    /// # Errors
    ///
    /// The CPU controller is missing, or this process must not use it.
    pub fn new() -> Result<Self, String> {
        Self::under(Path::new("/sys/fs/cgroup"))
    }

    fn under(root: &Path) -> Result<Self, String> {
        let v1 = root.join("cpu");
        let is_v2 = !v1.join("cpu.cfs_quota_us").exists();
        let parent = if is_v2 { root } else { &v1 };
        let folder = parent.join(format!("bench-{}", std::process::id()));
        let create = || {
            if is_v2 {
                fs::write(root.join("cgroup.subtree_control"), "+cpu")?;
            }
            fs::create_dir(&folder)
        };
        create().map_err(|error| format!("no cgroup in {}: {error}", parent.display()))?;
        Ok(Self { folder, is_v2 })
    }

    pub fn add(&self, pid: u32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string())
    }

    /// `None` removes the limit.
    pub fn limit(&self, memory_mb: Option<u32>) -> io::Result<()> {
        let quota_us = memory_mb.map(|memory_mb| (PERIOD_US * memory_mb / ONE_CPU_MB).to_string());
        if self.is_v2 {
            let quota = quota_us.as_deref().unwrap_or("max");
            return fs::write(self.folder.join("cpu.max"), format!("{quota} {PERIOD_US}"));
        }
        fs::write(self.folder.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
        fs::write(self.folder.join("cpu.cfs_quota_us"), quota_us.as_deref().unwrap_or("-1"))
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.folder) {
            eprintln!("bench: {} remains: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder in the place of the cgroup file system; `files` exist in it.
    fn with_root(files: &[&str], test: impl FnOnce(&Path)) {
        let root = std::env::temp_dir().join(format!("cgroup-{}-{}", files.len(), std::process::id()));
        fs::create_dir_all(root.join("cpu")).unwrap();
        for file in files {
            fs::write(root.join(file), "").unwrap();
        }
        test(&root);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn cgroup_v1_takes_period_and_quota_in_two_files() {
        with_root(&["cpu/cpu.cfs_quota_us"], |root| {
            let cpu_share = CpuShare::under(root).unwrap();
            let read = |file| fs::read_to_string(cpu_share.folder.join(file)).unwrap();
            cpu_share.limit(Some(128)).unwrap();
            assert_eq!((read("cpu.cfs_quota_us"), read("cpu.cfs_period_us")), ("1447".to_owned(), "20000".to_owned()));
            cpu_share.limit(None).unwrap();
            assert_eq!(read("cpu.cfs_quota_us"), "-1");
        });
    }

    #[test]
    fn cgroup_v2_takes_both_in_one_file() {
        with_root(&[], |root| {
            let cpu_share = CpuShare::under(root).unwrap();
            cpu_share.limit(Some(1769)).unwrap();
            assert_eq!(fs::read_to_string(cpu_share.folder.join("cpu.max")).unwrap(), "20000 20000");
            assert_eq!(fs::read_to_string(root.join("cgroup.subtree_control")).unwrap(), "+cpu");
        });
    }
}
