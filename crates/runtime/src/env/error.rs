//! What was wrong with a configuration, all of it.

use std::fmt;

/// The exit status of a process whose configuration is at fault: `EX_USAGE` of sysexits.
pub const EXIT_CONFIG: i32 = 64;

/// Values longer than this are cut when shown.
const SHOWN_CHARS: usize = 120;

/// One variable that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The variable's name.
    pub variable: String,
    /// Its value, fit for showing; `None` when it is not set. It is hidden here, when the fault is made, so that no
    /// way of printing a fault can tell a secret.
    pub value: Option<String>,
    /// What would be right.
    pub expected: String,
}

impl Fault {
    pub(super) fn new(name: &str, value: Option<&str>, secret: bool, expected: impl Into<String>) -> Self {
        let shown = value.map(|value| match secret {
            true => format!("(hidden, {} bytes)", value.len()),
            false if value.chars().count() > SHOWN_CHARS => {
                format!("{:?}… ({} bytes)", value.chars().take(SHOWN_CHARS).collect::<String>(), value.len())
            }
            false => format!("{value:?}"),
        });
        Self { variable: name.to_owned(), value: shown, expected: expected.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} = {value}: {}", self.variable, self.expected),
            None => write!(f, "{} is not set: {}", self.variable, self.expected),
        }
    }
}

/// All faults of a configuration. A process that gets one prints it and exits with [`EXIT_CONFIG`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<Fault>);

impl ConfigError {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// The faults, in the order in which the variables were read.
    pub fn faults(&self) -> &[Fault] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => writeln!(f, "the configuration has a fault:")?,
            n => writeln!(f, "the configuration has {n} faults:")?,
        }
        for fault in &self.0 {
            writeln!(f, "  {fault}")?;
        }
        write!(f, ".env.example lists every variable with its default and unit.")
    }
}

impl std::error::Error for ConfigError {}
