//! docs/doctor.md has a row for each code, and no other.

use doctor::code::{Code, Topic};
use std::collections::BTreeSet;

#[test]
fn each_code_is_explained_once() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let (names, rests): (Vec<_>, Vec<_>) = rows.unzip();
    assert_eq!(names, Code::ALL.iter().map(|code| code.name()).collect::<Vec<_>>(), "the order is that of the code");
    for (name, rest) in names.iter().zip(rests) {
        let cells: Vec<_> = rest.split(" | ").map(str::trim).collect();
        assert!(
            cells.len() == 2 && cells.iter().all(|cell| cell.trim_matches('|').trim().len() > 10),
            "{name}: {cells:?}"
        );
    }
    for topic in Topic::ALL {
        assert!(text.contains(&format!("\n## {}\n", topic.title())), "{topic:?}");
    }
}

#[test]
fn names_are_kebab_case_and_differ() {
    let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
}
