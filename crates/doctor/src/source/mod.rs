//! The files of a deployment, each with its lines.

pub mod compose;
pub mod env_file;
pub mod nginx;
pub mod redis_conf;
pub mod yaml;

use std::{fs::File, io::Read, path::Path};

/// No file of a deployment is longer.
const LONGEST: u64 = 1 << 20;

/// A text and what it is called in findings.
#[derive(Debug, Clone)]
pub struct Text {
    /// As it was named.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// Who may read and write it, as Unix has it.
    pub mode: u32,
}

impl Text {
    /// Reads it.
    ///
    /// # Errors
    /// Why it cannot be read, in one line.
    pub fn read(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        let read = || -> std::io::Result<(String, u32)> {
            let file = File::open(path)?;
            let mode = mode(&file.metadata()?);
            let mut text = String::new();
            file.take(LONGEST + 1).read_to_string(&mut text)?;
            Ok((text, mode))
        };
        match read() {
            Ok((text, _)) if text.len() as u64 > LONGEST => Err(format!("{name} is longer than 1 MiB")),
            Ok((text, mode)) => Ok(Self { name, text, mode }),
            Err(e) => Err(format!("{name} cannot be read: {e}")),
        }
    }

    /// One of a test's own.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), mode: 0o600 }
    }

    /// How many lines it has: what is added at its end comes after the last.
    #[must_use]
    pub fn last_line(&self) -> usize {
        self.text.lines().count()
    }

    /// A line as it stands, without the white space in front.
    #[must_use]
    pub fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim()
    }

    /// How far a line is indented.
    #[must_use]
    pub fn indent(&self, line: usize) -> usize {
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        text.len() - text.trim_start().len()
    }
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions())
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> u32 {
    0o600
}
