//! Cookies of a request.

use dgate_core::pattern::normalize::decode;

/// The cookies of a `Cookie` header.
pub(crate) fn parse(line: &str) -> Vec<(String, String)> {
    line.split(';')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = value.trim().trim_matches('"');
            Some((name.trim().to_owned(), decode(value).into_owned()))
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn cookies_are_read() {
        let found = super::parse("a=1; b=\"x%20y\";c; =z");
        assert_eq!(found, [("a".into(), "1".into()), ("b".into(), "x y".into())]);
    }
}
