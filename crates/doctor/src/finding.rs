//! One finding: what was seen, what to change, and where exactly.

use crate::code::{Code, Topic};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work, is lost, or is open to others.
    Error,
    /// It works, until it matters.
    Warning,
    /// It could not be looked at.
    Skipped,
    /// It was looked at, and is well.
    Ok,
}

/// Where something stands, and what is to stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// A file, an address, or `environment`.
    pub source: String,
    /// Its line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What stands there now; a secret is hidden in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What to do there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
}

/// What to do in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Edit {
    /// The line becomes this one.
    Replace(String),
    /// These lines come in after it.
    Insert(String),
    /// The line goes away.
    Delete,
    /// Not a file: this is to be run.
    Run(String),
}

impl Place {
    /// Something that is no file.
    pub fn at(source: impl Into<String>) -> Self {
        Self { source: source.into(), line: None, text: None, edit: None }
    }

    /// A line as it stands.
    pub fn line(file: &str, line: usize, text: impl Into<String>) -> Self {
        Self { source: file.to_owned(), line: Some(line), text: Some(text.into()), edit: None }
    }

    /// Lines to add after one.
    pub fn insert(file: &str, after: usize, text: impl Into<String>) -> Self {
        Self { source: file.to_owned(), line: Some(after), text: None, edit: Some(Edit::Insert(text.into())) }
    }

    /// The same with what to do there.
    #[must_use]
    pub fn edit(mut self, edit: Edit) -> Self {
        self.edit = Some(edit);
        self
    }

    /// The same with the line that is to stand there, in the columns where the former stands.
    #[must_use]
    pub fn replace(self, text: impl Into<String>) -> Self {
        self.edit(Edit::Replace(text.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.text {
            Some(text) => write!(f, ": {}", text.trim()),
            None => Ok(()),
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is about; docs/doctor.md has a row for it.
    pub code: Code,
    /// What it is grouped by.
    pub topic: Topic,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub seen: String,
    /// What to change.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub change: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Collects findings, and what was looked at without one.
#[derive(Debug, Default)]
pub struct Findings {
    bad: Vec<Finding>,
    looked: BTreeSet<Code>,
    skipped: BTreeMap<Code, String>,
}

impl Findings {
    /// Something is wrong.
    pub fn error(&mut self, code: Code, place: Option<Place>, seen: impl Into<String>, change: impl Into<String>) {
        self.add(code, Severity::Error, place, seen.into(), change.into());
    }

    /// Something will be.
    pub fn warning(&mut self, code: Code, place: Option<Place>, seen: impl Into<String>, change: impl Into<String>) {
        self.add(code, Severity::Warning, place, seen.into(), change.into());
    }

    /// The one or the other.
    pub fn add(&mut self, code: Code, severity: Severity, place: Option<Place>, seen: String, change: String) {
        let finding = Finding { code, topic: code.topic(), severity, seen, change, place };
        // One service's line may be another's by an alias.
        if !self.bad.contains(&finding) {
            self.bad.push(finding);
        }
    }

    /// These were looked at.
    pub fn looked(&mut self, codes: &[Code]) {
        self.looked.extend(codes);
    }

    /// These could not be looked at.
    pub fn skip(&mut self, codes: &[Code], why: &str) {
        for code in codes {
            self.skipped.entry(*code).or_insert_with(|| why.to_owned());
        }
    }

    /// One verdict or more for each code, in the order of [`Code::ALL`].
    #[must_use]
    pub fn finish(mut self) -> Vec<Finding> {
        let found: BTreeSet<Code> = self.bad.iter().map(|finding| finding.code).collect();
        let verdict = |code: Code, severity, seen| {
            let (seen, change) = (seen, String::new());
            Finding { code, topic: code.topic(), severity, seen, change, place: None }
        };
        for code in Code::ALL.iter().copied().filter(|code| !found.contains(code)) {
            if self.looked.contains(&code) {
                self.bad.push(verdict(code, Severity::Ok, String::new()));
            } else if let Some(why) = self.skipped.remove(&code) {
                self.bad.push(verdict(code, Severity::Skipped, why));
            }
        }
        self.bad.sort_by_key(|finding| (finding.topic, finding.severity, finding.code));
        self.bad
    }
}
