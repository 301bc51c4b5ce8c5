//! `${NAME}` in a text, as `envsubst` replaces it, so that one file serves the official nginx image and us.

use thiserror::Error;

/// Why a template cannot be filled in.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// It asks for what nobody gave. `envsubst` would leave it there, for nginx to fail on or, worse, not to.
    #[error("${{{0}}} has no value")]
    Unknown(String),
    /// A `${` that no `}` follows.
    #[error("a ${{ is not closed: {0}")]
    Open(String),
    /// A value that could end the quotes it stands in.
    #[error("{0} may not have quotes, backslashes, dollar signs or line breaks in it: {1}")]
    Value(String, String),
}

/// The template with every `${NAME}` replaced; fails unless each has a value.
///
/// # Errors
/// As [`TemplateError`] says.
pub fn render(template: &str, values: &[(&str, &str)]) -> Result<String, TemplateError> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find("${") {
        text.push_str(&rest[..at]);
        let begun = &rest[at..];
        let (name, after) =
            begun[2..].split_once('}').ok_or_else(|| TemplateError::Open(begun.chars().take(40).collect()))?;
        let (_, value) = values
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| TemplateError::Unknown(name.chars().take(40).collect()))?;
        if value.contains(['"', '\\', '$', '\n', '\r']) {
            return Err(TemplateError::Value(name.to_owned(), (*value).to_owned()));
        }
        text.push_str(value);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_value_is_replaced() {
        let values = [("PORT", "8080"), ("EMPTY", "")];
        for (template, text) in [
            ("", ""),
            ("no variable, $host and $PORT", "no variable, $host and $PORT"),
            ("${PORT}", "8080"),
            ("a ${PORT}${PORT} b${EMPTY}.", "a 80808080 b."),
            ("^[a-z]{1,64}$\" {", "^[a-z]{1,64}$\" {"),
        ] {
            assert_eq!(render(template, &values).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_has_none_is_a_fault() {
        assert_eq!(render("listen ${PROT};", &[("PORT", "1")]), Err(TemplateError::Unknown("PROT".into())));
        assert_eq!(render("${}", &[]), Err(TemplateError::Unknown(String::new())));
        assert_eq!(render("x ${PORT", &[("PORT", "1")]), Err(TemplateError::Open("${PORT".into())));
    }

    #[test]
    fn a_value_cannot_become_configuration() {
        for value in ["/a\"; x", "/a\nb", "/$host", "\\"] {
            assert!(matches!(render("${A}", &[("A", value)]), Err(TemplateError::Value(..))), "{value}");
        }
        // What is replaced is not looked at again.
        assert!(render("${A}", &[("A", "{B}"), ("B", "x")]).is_ok_and(|text| text == "{B}"));
    }
}
