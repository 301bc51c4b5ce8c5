//! The golden frames: one file a command and an event, read here and by the front end's tests. A frame that changes is
//! a contract that changes. `cargo xtask codegen` writes them anew.

// clippy.toml lets test functions do this, but not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

use protocol::{ClientCommand, ServerEvent, sample};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};

fn dir(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/frames").join(kind)
}

fn check<T>(kind: &str, samples: &[T], types: &[&str])
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut seen = BTreeSet::new();
    for sample in samples {
        let value = serde_json::to_value(sample).unwrap();
        let tag = value["type"].as_str().unwrap().to_owned();
        let path = dir(kind).join(format!("{tag}.json"));
        if update {
            fs::create_dir_all(dir(kind)).unwrap();
            fs::write(&path, serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
        }
        let golden =
            fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask codegen`", path.display()));
        assert_eq!(value, serde_json::from_str::<Value>(&golden).unwrap(), "{tag}: run `cargo xtask codegen`");
        assert_eq!(sample, &serde_json::from_str::<T>(&golden).unwrap(), "{tag} does not survive the wire");
        seen.insert(tag);
    }
    assert_eq!(seen, types.iter().map(|t| (*t).to_owned()).collect(), "a variant without a sample");
    let files: BTreeSet<_> = fs::read_dir(dir(kind))
        .unwrap()
        .map(|f| f.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, seen, "a golden frame without a variant");
}

#[test]
fn commands() {
    check("command", &sample::commands(), ClientCommand::TYPES);
}

#[test]
fn events() {
    check("event", &sample::events(), ServerEvent::TYPES);
}
