//! `.env.example`, rendered from the declarations.

use super::Variable;
use std::fmt::Write;

/// What the example has for a secret, and what no secret may begin with.
pub const EXAMPLE_SECRET: &str = "change-me";

/// Renders every variable with its help, unit and default. All assignments are commented out: the file changes nothing
/// as it is, and a default that changes later is not pinned by a copy of it.
pub fn example(sections: &[(&str, &[Variable])]) -> String {
    let mut text = String::from(
        "# Every variable that Roomful reads, with its unit and default. Generated: edit the declarations instead.\n\
         # Set them in the environment, as in `PORT=9000 make run`. An empty value counts as unset.\n",
    );
    for (title, variables) in sections {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n# ==== {title} ====");
        for variable in *variables {
            text.push('\n');
            for line in variable.help.lines() {
                let _ = writeln!(text, "# {line}");
            }
            if !variable.unit.is_empty() {
                let _ = writeln!(text, "# {}", variable.unit);
            }
            // Whoever only takes the mark of the comment away is refused (`Reader::secret`).
            let unset = if variable.secret { EXAMPLE_SECRET } else { "" };
            let _ = writeln!(text, "# {}={}", variable.name, variable.default.unwrap_or(unset));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::DURATION;

    #[test]
    fn lists_everything_and_sets_nothing() {
        let grace = Variable::new("GRACE", "How long to wait.\nThen it is over.").default("10s").unit(DURATION);
        let key = Variable::new("KEY", "Signs things.").secret();
        let text = example(&[("Times", &[grace]), ("Keys", &[key])]);

        assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
        assert!(text.contains(
            "\n# ==== Times ====\n\n# How long to wait.\n# Then it is over.\n\
             # duration: 250ms, 10s, 5m, 24h, 30d\n# GRACE=10s\n"
        ));
        assert!(text.ends_with("\n# ==== Keys ====\n\n# Signs things.\n# KEY=change-me\n"));
    }
}
