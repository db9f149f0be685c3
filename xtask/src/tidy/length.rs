//! Files are about one noun; a long one is about several.

use anyhow::Result;

use super::findings::Findings;
use super::source::{SourceFile, rust_files};
use crate::project::Project;

/// More lines than this are a reason to talk.
const LONG: usize = 300;
/// More lines than this are too many.
const TOO_LONG: usize = 400;
/// Files that may be too long, each with the reason.
const ALLOWED: &[(&str, &str)] = &[];

pub(crate) fn check(project: &Project) -> Result<()> {
    let mut findings = Findings::default();
    for file in rust_files(&project.root())? {
        if let Some(warning) = look(&file, &mut findings) {
            println!("warning: {warning}");
        }
    }
    findings.finish()
}

fn look(file: &SourceFile, findings: &mut Findings) -> Option<String> {
    let path = &file.path;
    if path.ends_with("/mod.rs") {
        findings.add(format!("{path}: a module `foo` is `foo.rs`, with a folder `foo/` for its parts"));
    }
    let lines = file.code_lines();
    if lines <= LONG || file.is_test() || ALLOWED.iter().any(|(allowed, _)| allowed == path) {
        return None;
    }
    if lines > TOO_LONG {
        findings.add(format!("{path}: {lines} lines outside of tests, more than {TOO_LONG}"));
        return None;
    }
    Some(format!("{path}: {lines} lines outside of tests: is it about one noun?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(path: &str, lines: usize) -> (Option<String>, usize) {
        let mut findings = Findings::default();
        let file = SourceFile { path: path.to_owned(), text: "fn f() {}\n".repeat(lines) };
        let warning = look(&file, &mut findings);
        (warning, findings.lines().len())
    }

    #[test]
    fn long_files_are_talked_about_and_too_long_ones_refused() {
        assert_eq!(looked("a/src/b.rs", LONG), (None, 0));
        assert!(matches!(looked("a/src/b.rs", LONG + 1), (Some(_), 0)));
        assert_eq!(looked("a/src/b.rs", TOO_LONG + 1), (None, 1));
        assert_eq!(looked("a/tests/it/b.rs", TOO_LONG + 1), (None, 0));
    }

    #[test]
    fn mod_rs_is_refused() {
        assert_eq!(looked("a/src/b/mod.rs", 1), (None, 1));
        assert_eq!(looked("a/tests/it/b/mod.rs", 1), (None, 1));
    }
}
