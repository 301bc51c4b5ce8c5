//! Reading the directory, within bounds.

use super::{INDEX, encoding::Encoding, file::File};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// More than any front end has: past that, it is another directory than the one that was meant.
const MAX_ENTRIES: usize = 2_000;
const MAX_BYTES: u64 = 64 * 1024 * 1024;

const BUILD_IT: &str = "run `make run`, or `npm --prefix frontend run build`";

/// Why the front end cannot be served. Each is one line.
#[derive(Debug, Error)]
pub enum AssetsError {
    /// The directory is not there.
    #[error("there is no built front end at {}: {BUILD_IT}", .0.display())]
    Missing(PathBuf),
    /// It has no page to begin with.
    #[error("{} has no index.html and so is no built front end: {BUILD_IT}", .0.display())]
    NoIndex(PathBuf),
    /// It is what the front end is built from.
    #[error("{} holds the sources of the front end, not what is built from them: {BUILD_IT}", .0.display())]
    Sources(PathBuf),
    /// It is larger than any front end.
    #[error("{} has more than {MAX_ENTRIES} files or 64 MiB and so is no built front end: check FRONTEND_DIR", .0.display())]
    TooMuch(PathBuf),
    /// A name that would need escapes in a URL.
    #[error("{}: only letters, digits and -._~@+ may be in a name that is served", .0.display())]
    Name(PathBuf),
    /// It cannot be read.
    #[error("{} cannot be read: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
}

/// Every file by the path that it is asked by.
pub(super) fn load(directory: &Path) -> Result<HashMap<String, File>, AssetsError> {
    if !directory.is_dir() {
        return Err(AssetsError::Missing(directory.to_owned()));
    }
    // A slip of one path element would put sources, or a whole home directory, on the net.
    if directory.join("package.json").exists() {
        return Err(AssetsError::Sources(directory.to_owned()));
    }
    let mut walk = Walk { root: directory, entries: 0, bytes: 0, found: HashMap::new() };
    walk.directory(directory, "")?;

    let (variants, plain): (HashMap<_, _>, HashMap<_, _>) =
        walk.found.into_iter().partition(|(path, _)| variant_of(path).is_some());
    let mut files: HashMap<_, _> =
        plain.into_iter().map(|(path, bytes)| (path.clone(), File::new(&path, bytes))).collect();
    for (path, bytes) in variants {
        // One without its plain file is a leftover, and nobody can ask for it.
        if let Some((plain, encoding)) = variant_of(&path)
            && let Some(file) = files.get_mut(plain)
        {
            file.add(encoding, bytes);
        }
    }
    if !files.contains_key(INDEX) {
        return Err(AssetsError::NoIndex(directory.to_owned()));
    }
    Ok(files)
}

/// Which file this is a compressed form of.
fn variant_of(path: &str) -> Option<(&str, Encoding)> {
    Encoding::COMPRESSED.into_iter().find_map(|(encoding, ending)| Some((path.strip_suffix(ending)?, encoding)))
}

struct Walk<'a> {
    root: &'a Path,
    entries: usize,
    bytes: u64,
    found: HashMap<String, Vec<u8>>,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &Path, prefix: &str) -> Result<(), AssetsError> {
        let io = |error| AssetsError::Io(directory.to_owned(), error);
        for entry in fs::read_dir(directory).map_err(io)? {
            let entry = entry.map_err(io)?;
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(AssetsError::TooMuch(self.root.to_owned()));
            }
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_str().ok_or_else(|| AssetsError::Name(path.clone()))?;
            // Of the entry itself: a symbolic link is neither a file nor a directory, and so is passed over.
            let kind = entry.file_type().map_err(io)?;
            if name.starts_with('.') || name.ends_with(".map") || !(kind.is_file() || kind.is_dir()) {
                continue;
            }
            if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~@+".contains(&b)) {
                return Err(AssetsError::Name(path));
            }
            let asked_by = format!("{prefix}/{name}");
            if kind.is_dir() {
                self.directory(&path, &asked_by)?;
            } else {
                let bytes = self.file(&path)?;
                self.found.insert(asked_by, bytes);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<Vec<u8>, AssetsError> {
        let io = |error| AssetsError::Io(path.to_owned(), error);
        self.bytes += fs::metadata(path).map_err(io)?.len();
        if self.bytes > MAX_BYTES {
            return Err(AssetsError::TooMuch(self.root.to_owned()));
        }
        fs::read(path).map_err(io)
    }
}
