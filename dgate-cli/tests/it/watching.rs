//! `module test --watch` while files change.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use crate::program::program;

/// The program while it watches a folder.
struct Watching {
    child: Child,
    results: Lines<BufReader<ChildStdout>>,
    notes: Lines<BufReader<ChildStderr>>,
}

impl Watching {
    fn of(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = program(&[&["module", "test", "--watch"], arguments].concat());
        command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let results = BufReader::new(child.stdout.take().unwrap()).lines();
        let notes = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, results, notes }
    }

    /// Waits for the end of a run, and says what came of it.
    fn result(&mut self) -> String {
        let mut lines = self.results.by_ref().map(Result::unwrap);
        let line = lines.find(|line| line.contains(" passed, ")).unwrap();
        line.split(" (").next().unwrap().to_owned()
    }

    /// What is said until the program waits, or after it has waited.
    fn note(&mut self) -> String {
        self.notes.next().unwrap().unwrap()
    }

    fn waits(&mut self) {
        assert_eq!(self.note(), "waiting for changes; Ctrl-C ends it");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tests(body: &str) -> String {
    format!(
        "import {{ expect, test }} from 'dgate/test';\nimport {{ two }} from './two';\ntest('counts', () => {body});\n"
    )
}

#[test]
fn tests_are_run_again_when_a_file_changes_that_they_depend_on() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.test.ts", &tests("expect(two()).toBe(2)"));
    write("two.ts", "import { one } from './one';\nexport const two = () => one() + one();\n");
    write("one.ts", "export const one = () => 1;\n");
    write("other.ts", "export const other = 1;\n");
    let mut watching = Watching::of(folder.path(), &[]);
    assert_eq!(watching.result(), "1 passed, 0 failed, 0 skipped");
    watching.waits();

    // These are nothing to the tests: what is told next is the first change that is.
    write("other.ts", "export const other = 'something else';\n");
    write("notes.md", "not for tests");
    write("dgate.d.ts", "export {};");
    write("new.ts", "export {};");
    write("a.test.ts", &tests("expect(two()).toBe(2 + 1)"));
    assert_eq!(watching.note(), "a.test.ts changed");
    assert_eq!(watching.result(), "0 passed, 1 failed, 0 skipped");
    watching.waits();

    write("one.ts", "export const one = () => 1.5;\n");
    assert_eq!(watching.note(), "one.ts changed");
    assert_eq!(watching.result(), "1 passed, 0 failed, 0 skipped");
    watching.waits();

    write("b.test.ts", "import { test } from 'dgate/test';\ntest('more', () => {});\n");
    assert_eq!(watching.note(), "b.test.ts is new");
    assert_eq!(watching.result(), "2 passed, 0 failed, 0 skipped");
    watching.waits();
    std::fs::remove_file(folder.path().join("b.test.ts")).unwrap();
    assert_eq!(watching.note(), "b.test.ts is gone");
    assert_eq!(watching.result(), "1 passed, 0 failed, 0 skipped");
    watching.waits();

    // Without the module that it imports, nothing is known but that it has to come from somewhere.
    std::fs::remove_file(folder.path().join("one.ts")).unwrap();
    assert_eq!(watching.note(), "one.ts is gone");
    assert_eq!(watching.result(), "0 passed, 1 failed, 0 skipped");
    watching.waits();
    write("one.js", "export const one = () => 1.5;\n");
    assert_eq!(watching.note(), "one.js is new");
    assert_eq!(watching.result(), "1 passed, 0 failed, 0 skipped");
    watching.waits();

    write("m.yaml", "modules: [");
    assert_eq!(watching.note(), "m.yaml is new");
    assert!(watching.note().starts_with("error: ./m.yaml"));
    assert!(watching.notes.by_ref().map(Result::unwrap).any(|line| line.starts_with("waiting")));
    write("m.yaml", "modules: []");
    assert_eq!(watching.note(), "m.yaml changed");
    assert_eq!(watching.result(), "1 passed, 0 failed, 0 skipped");
}

#[test]
fn sources_elsewhere_are_watched_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir_all(folder.path().join("tests")).unwrap();
    write("number.ts", "export const two = () => 2;\n");
    write("tests/all.yaml", "modules: [{ name: two, payload_file: ../number.ts }]\n");
    write("tests/a.test.ts", &tests("expect(two()).toBe(2)"));
    write("tests/b.test.ts", "");
    let mut watching = Watching::of(folder.path(), &["tests/a.test.ts"]);
    assert_eq!(watching.result(), "1 passed, 0 failed, 0 skipped");
    watching.waits();
    write("tests/b.test.ts", "another file of tests");
    write("number.ts", "export const two = () => 2.5;\n");
    assert_eq!(watching.note(), "tests/../number.ts changed");
    assert_eq!(watching.result(), "0 passed, 1 failed, 0 skipped");
}
