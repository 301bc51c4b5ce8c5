//! The declaration of one variable.

/// What there is to know of one environment variable, in one place: read at start, printed in a fault, and rendered
/// into `.env.example`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// The name in the environment.
    pub name: &'static str,
    /// The value that counts when it is unset. Without one it is either required or optional, as the reader says.
    pub default: Option<&'static str>,
    /// How a value is written, such as [`DURATION`](super::DURATION). Empty for free text.
    pub unit: &'static str,
    /// What it does, for the one who sets it.
    pub help: &'static str,
    /// Whether its value is never to be shown.
    pub secret: bool,
}

impl Variable {
    /// A variable without a default or a unit, whose value may be shown.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, default: None, unit: "", help, secret: false }
    }

    /// The same with a default.
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// The same with the way in which a value is written.
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// The same, and its value is never shown.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}
