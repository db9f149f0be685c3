//! Rust files, as text and as tokens.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};

/// A Rust file of the project.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A word or a sign, outside of comments and literals.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// All Rust files below the root, in the order of their paths.
pub(crate) fn rust_files(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    walk(root, root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules"].contains(&&*name) {
                walk(root, &path, files)?;
            }
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let path = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            files.push(SourceFile { path, text });
        }
    }
    Ok(())
}

impl SourceFile {
    /// Whether the whole file is there for tests or benchmarks.
    pub(crate) fn is_test(&self) -> bool {
        let folder = |name: &str| self.path.split('/').any(|part| part == name);
        folder("tests") || folder("benches") || self.path.ends_with("/tests.rs")
    }

    /// The number of lines outside of an inline module for tests.
    pub(crate) fn code_lines(&self) -> usize {
        let mut lines = self.text.lines().peekable();
        let mut count = 0;
        while let Some(line) = lines.next() {
            let opens_tests =
                lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
            if line == "#[cfg(test)]" && opens_tests {
                lines.by_ref().find(|&line| line == "}");
            } else {
                count += 1;
            }
        }
        count
    }

    pub(crate) fn tokens(&self) -> Result<Vec<Token>> {
        let stream: TokenStream = self.text.parse().map_err(|error| anyhow!("{}: {error}", self.path))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        Ok(tokens)
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    use proc_macro2::Delimiter::{Brace, Bracket, None, Parenthesis};
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: &str, line| tokens.push(Token { text: text.to_owned(), line });
        match tree {
            TokenTree::Ident(ident) => push(&ident.to_string(), line),
            TokenTree::Punct(punct) => push(&punct.as_char().to_string(), line),
            TokenTree::Literal(_) => {}
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Parenthesis => ("(", ")"),
                    Brace => ("{", "}"),
                    Bracket => ("[", "]"),
                    None => ("", ""),
                };
                push(open, line);
                let end = group.span_close().end().line;
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: end });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn comments_and_literals_are_no_tokens() {
        let file = file("a.rs", "// matchit\n/// matchit\nfn f() { g(\"matchit\", r#\"matchit\"#); }\n");
        let tokens = file.tokens().unwrap();
        assert!(tokens.iter().all(|token| token.text != "matchit"), "{tokens:?}");
        assert!(tokens.contains(&Token { text: "g".to_owned(), line: 3 }));
    }

    #[test]
    fn what_is_inside_of_macros_is() {
        let file = file("a.rs", "fn f() {\n    println!(\"{}\", [arc_swap::ArcSwap::new(1)]);\n}\n");
        assert!(file.tokens().unwrap().contains(&Token { text: "arc_swap".to_owned(), line: 2 }));
    }

    #[test]
    fn inline_tests_do_not_count() {
        let text = "//! Doc.\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n\nfn h() {}\n";
        assert_eq!(file("a.rs", text).code_lines(), 5);
        assert_eq!(file("a.rs", "#[cfg(test)]\nmod tests;\nfn f() {}\n").code_lines(), 3);
    }

    #[test]
    fn test_files_are_known_by_their_folder() {
        assert!(file("dgate-core/tests/it/main.rs", "").is_test());
        assert!(file("dgate-core/benches/match.rs", "").is_test());
        assert!(!file("dgate-proxy/src/testing.rs", "").is_test());
    }
}
