//! A temporary file that is removed on drop.

use std::fs;
use std::path::PathBuf;

use crate::unique;

pub struct TemporaryFile {
    pub path: PathBuf,
}

impl TemporaryFile {
    /// Chooses an unused path. Does not create the file.
    pub fn new(prefix: &str, extension: &str) -> Self {
        let name = format!("{prefix}-{:016x}.{extension}", unique::bits());
        Self { path: std::env::temp_dir().join(name) }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // The file may never have been created.
        let _ = fs::remove_file(&self.path);
    }
}
