//! `Accept-Encoding` (RFC 9110 §12.5.3).

/// How a body may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The compressed ones, smallest result first, each with the ending of its files.
    pub(super) const COMPRESSED: [(Self, &str); 2] = [(Self::Brotli, ".br"), (Self::Gzip, ".gz")];

    /// The name in headers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }
}

/// The best encoding of those that there are and that are accepted. When nothing is accepted it is the plain one: that
/// serves people better than a 406.
pub(super) fn choose<'a>(accepted: impl Iterator<Item = &'a str>, there_is: impl Fn(Encoding) -> bool) -> Encoding {
    let items: Vec<(&str, u16)> = accepted.flat_map(|line| line.split(',')).filter_map(weighted).collect();
    let weight =
        |name: &str| items.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight);
    // The plain one always will do; it is only preferred where it is named, and before what is liked less.
    let mut best = (Encoding::Identity, weight(Encoding::Identity.name()));
    for (encoding, _) in Encoding::COMPRESSED.into_iter().rev() {
        let weight = weight(encoding.name()).or_else(|| weight("*")).filter(|weight| *weight > 0);
        if there_is(encoding) && weight.is_some() && weight >= best.1 {
            best = (encoding, weight);
        }
    }
    best.0
}

/// A name and its weight in thousandths; nothing for what cannot be read.
fn weighted(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let Some(q) = q else { return Some((name, 1000)) };
    let q: f32 = q.trim().parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 1000
    Some((name, (q * 1000.0).round() as u16))
}

#[cfg(test)]
mod tests {
    use super::{Encoding::*, *};

    fn of(header: &str) -> Encoding {
        choose([header].into_iter(), |_| true)
    }

    #[test]
    fn what_a_client_would_like() {
        for (header, encoding) in [
            ("", Identity),
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip, deflate", Gzip),
            ("GZIP", Gzip),
            ("deflate, zstd", Identity),
            ("br;q=0, gzip", Gzip),
            ("br;q=0, gzip;q=0.0", Identity),
            ("br;q=0.000,*", Gzip),
            ("*", Brotli),
            ("*;q=0", Identity),
            ("*;q=0, gzip", Gzip),
            ("gzip;q=1.0, br;q=0.5", Gzip),
            ("br ; q=0.8 , gzip ; q=0.8", Brotli),
            ("identity", Identity),
            ("identity, br", Brotli),
            ("identity;q=1, br;q=0.5", Identity),
            ("identity;q=0.5, gzip;q=0.6", Gzip),
            ("identity;q=0", Identity),
            ("identity;q=1, *;q=0.5", Identity),
            ("br;q=7, gzip", Gzip),
            ("br;q=x", Identity),
            (";q=1, ,gzip", Gzip),
        ] {
            assert_eq!(of(header), encoding, "{header:?}");
        }
    }

    #[test]
    fn several_lines_are_one_list_and_only_what_there_is_is_chosen() {
        assert_eq!(choose(["gzip;q=0.5", "br"].into_iter(), |_| true), Brotli);
        assert_eq!(choose(["gzip, br"].into_iter(), |encoding| encoding == Gzip), Gzip);
        assert_eq!(choose(["gzip, br"].into_iter(), |_| false), Identity);
    }
}
