//! What operators are told of bad configurations, word by word. Each folder of `tests/specs/configuration` holds a file
//! and what the server says of it.

use std::path::Path;

use crate::running::{output, program};

/// Set it to write down what is said now.
const UPDATE: &str = "UPDATE_SPECS";

#[test]
fn bad_configurations_are_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/specs/configuration");
    let mut cases: Vec<_> = std::fs::read_dir(&root).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 20, "{cases:?}");
    let mut wrong = Vec::new();
    for case in cases {
        let is_file = |path: &std::path::PathBuf| path.file_stem().is_some_and(|name| name == "config");
        let files = std::fs::read_dir(&case).unwrap().map(|file| file.unwrap().path());
        let file = files.into_iter().find(is_file).unwrap_or_else(|| panic!("{}: no file", case.display()));
        let mut command = program();
        command.arg("validate").arg("-c").arg(file.file_name().unwrap()).current_dir(&case);
        let ended = output(command.env("NO_COLOR", "1"));
        let said = format!(
            "{}exit status: {}\n",
            String::from_utf8(ended.stderr).unwrap(),
            ended.status.code().unwrap()
        );
        let expected = case.join("said.txt");
        if std::env::var_os(UPDATE).is_some() {
            std::fs::write(&expected, &said).unwrap();
        }
        if std::fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("── {} ──\n{said}", case.file_name().unwrap().display()));
        }
    }
    assert!(wrong.is_empty(), "{UPDATE}=1 writes down what is said now\n{}", wrong.join("\n"));
}
