//! The end of a log, for an error that would otherwise only say where to look.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// As much as fits on a screen.
const LINES: usize = 20;
const BYTES: u64 = 8 * 1024;

/// How long it is; 0 when it is not there.
pub(crate) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Its last lines, but none from before `from`.
pub(crate) fn tail(path: &Path, from: u64) -> String {
    match read(path, from) {
        Ok(text) if text.trim().is_empty() => format!("({} is empty)", path.display()),
        Ok(text) => {
            let lines: Vec<_> = text.trim_end().lines().collect();
            lines[lines.len().saturating_sub(LINES)..].join("\n")
        }
        Err(e) => format!("({} cannot be read: {e})", path.display()),
    }
}

fn read(path: &Path, from: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let begin = from.max(file.metadata()?.len().saturating_sub(BYTES));
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_this_life() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        assert!(tail(&path, 0).contains("cannot be read"));
        fs::write(&path, "former\n").unwrap();
        let from = length(&path);
        assert!(tail(&path, from).contains("is empty"));
        let lines: Vec<_> = (0..5000).map(|n| format!("line {n}")).collect();
        fs::write(&path, format!("former\n{}\n", lines.join("\n"))).unwrap();
        assert_eq!(tail(&path, from), lines[4980..].join("\n"));
    }
}
