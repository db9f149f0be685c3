//! Names of resources from whatever others are called.

use std::collections::HashSet;

use dgate_core::key::MAX_NAME;

/// Makes names, each once.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// A name that resembles a text: letters and digits, with hyphens for everything else.
    pub(super) fn of(&mut self, text: &str) -> String {
        let mut name = String::new();
        for c in text.chars() {
            match c {
                c if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') && !name.is_empty() => name.push(c),
                _ if name.is_empty() || name.ends_with('-') => {}
                _ => name.push('-'),
            }
        }
        // Room for a number.
        name.truncate(MAX_NAME - 8);
        let name = match name.trim_end_matches('-') {
            "" => "root",
            name => name,
        };
        let mut unique = name.to_owned();
        let mut number = 2;
        while !self.0.insert(unique.clone()) {
            unique = format!("{name}-{number}");
            number += 1;
        }
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_and_there_once() {
        let mut names = Names::default();
        for (text, expected) in [
            ("Pet Store (v2.1)", "Pet-Store-v2.1"),
            ("/pets/{id}", "pets-id"),
            ("/pets/{id}/", "pets-id-2"),
            ("/", "root"),
            ("_x", "x"),
            ("ü", "root-2"),
        ] {
            let name = names.of(text);
            assert_eq!(name, expected);
            assert_eq!(dgate_core::key::name_fault(&name), None);
        }
        assert_eq!(dgate_core::key::name_fault(&names.of(&"x".repeat(1_000))), None);
    }
}
