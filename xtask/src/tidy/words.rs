//! Words that no file may use, and words that one file may use.

use anyhow::Result;

use super::findings::Findings;
use super::source::{Token, rust_files};
use crate::project::Project;

/// Tokens in a row, and why they are refused.
const FORBIDDEN: &[(&[&str], &str)] = &[
    (&["todo", "!"], "what is not finished is not merged"),
    (&["unimplemented", "!"], "what is not finished is not merged"),
    (&["dbg", "!"], "left from a search for a bug"),
    (&["#", "[", "ignore"], "a test that does not run is no test"),
];

/// Words with the one file that may use them: what they stand for is decided there and nowhere else.
const AT_HOME: &[(&str, &str)] =
    &[("arc_swap", "dgate-core/src/publish.rs"), ("matchit", "dgate-core/src/snapshot/domain_table.rs")];

pub(crate) fn check(project: &Project) -> Result<()> {
    let mut findings = Findings::default();
    for file in rust_files(&project.root())? {
        look(&file.path, &file.tokens()?, &mut findings);
    }
    findings.finish()
}

fn look(path: &str, tokens: &[Token], findings: &mut Findings) {
    for (words, why) in FORBIDDEN {
        for row in tokens.windows(words.len()) {
            if row.iter().zip(*words).all(|(token, word)| token.text == *word) {
                findings.add(format!("{path}:{}: `{}`: {why}", row[0].line, words.concat()));
            }
        }
    }
    for (word, home) in AT_HOME.iter().filter(|(_, home)| *home != path) {
        for token in tokens.iter().filter(|token| token.text == *word) {
            findings.add(format!("{path}:{}: `{word}` is named in {home} only", token.line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::SourceFile;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
        let mut findings = Findings::default();
        look(path, &file.tokens().unwrap(), &mut findings);
        findings.lines().to_vec()
    }

    #[test]
    fn unfinished_things_are_found_with_their_line() {
        let text = "#[test]\n#[ignore = \"later\"]\nfn f() {\n    todo!()\n}\n";
        let found = found("a/src/lib.rs", text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a/src/lib.rs:4: `todo!`"), "{found:?}");
        assert!(found[1].starts_with("a/src/lib.rs:2: `#[ignore`"), "{found:?}");
    }

    #[test]
    fn talking_about_them_is_fine() {
        assert!(found("a/src/lib.rs", "/// No `todo!` here.\nfn ignore() { f(\"dbg!\"); }\n").is_empty());
    }

    #[test]
    fn some_words_have_one_home() {
        let text = "use arc_swap::Guard;\n";
        assert_eq!(found("dgate-proxy/src/plan.rs", text).len(), 1);
        assert!(found("dgate-core/src/publish.rs", text).is_empty());
    }
}
