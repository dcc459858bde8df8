//! A file that goes when its owner goes.

use std::fs;
use std::path::PathBuf;

use crate::unique;

pub struct TemporaryFile {
    pub path: PathBuf,
}

impl TemporaryFile {
    /// A name that nothing has yet. Whoever writes the file creates it.
    pub fn new(prefix: &str, extension: &str) -> Self {
        let name = format!("{prefix}-{:016x}.{extension}", unique::bits());
        Self { path: std::env::temp_dir().join(name) }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = fs::remove_file(&self.path);
    }
}
