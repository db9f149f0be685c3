//! Results of tests: for people, for CI servers, for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::{FileReport, TestOutcome, TestReport};

/// How results of tests are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reporter {
    /// For people.
    #[default]
    Pretty,
    /// JUnit XML, which CI servers read.
    Junit,
    /// JSON.
    Json,
}

impl Reporter {
    /// The whole report as text that ends with a line break.
    pub fn write(self, report: &TestReport) -> String {
        match self {
            Self::Pretty => pretty(report),
            Self::Junit => junit(report),
            Self::Json => json(report),
        }
    }
}

fn pretty(report: &TestReport) -> String {
    let mut out = String::new();
    for file in &report.files {
        let _ = writeln!(out, "{}", file.path.display());
        if let Some(error) = &file.error {
            let _ = writeln!(out, "  ✗ {}", error.replace('\n', "\n    "));
        }
        for test in &file.tests {
            let mark = match test {
                TestOutcome { skipped: true, .. } => "-",
                TestOutcome { failure: None, .. } => "✓",
                _ => "✗",
            };
            let _ = writeln!(out, "  {mark} {} ({})", test.name, milliseconds(test.took));
            if let Some(failure) = &test.failure {
                let _ = writeln!(out, "      {}", failure.replace('\n', "\n      "));
                for line in &test.console {
                    let _ = writeln!(out, "      [{} {}] {}", line.module, line.level, line.text);
                }
            }
        }
    }
    let (passed, failed, skipped) = report.counts();
    let total: Duration = report.files.iter().map(|file| file.took).sum();
    let _ = writeln!(out, "\n{passed} passed, {failed} failed, {skipped} skipped ({})", milliseconds(total));
    out
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn json(report: &TestReport) -> String {
    let (passed, failed, skipped) = report.counts();
    let of_test = |test: &TestOutcome| {
        let console: Vec<_> = test
            .console
            .iter()
            .map(|line| json!({ "level": line.level, "module": line.module, "text": line.text }))
            .collect();
        json!({
            "name": test.name, "failure": test.failure, "skipped": test.skipped,
            "seconds": test.took.as_secs_f64(), "console": console,
        })
    };
    let of_file = |file: &FileReport| {
        json!({
            "file": file.path.display().to_string(), "error": file.error, "seconds": file.took.as_secs_f64(),
            "tests": file.tests.iter().map(of_test).collect::<Vec<_>>(),
        })
    };
    let files: Vec<_> = report.files.iter().map(of_file).collect();
    let all = json!({ "passed": passed, "failed": failed, "skipped": skipped, "files": files });
    format!("{all:#}\n")
}

fn junit(report: &TestReport) -> String {
    let (passed, failed, skipped) = report.counts();
    let all = passed + failed + skipped;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites tests=\"{all}\" failures=\"{failed}\" skipped=\"{skipped}\">");
    for file in &report.files {
        let name = escape(&file.path.display().to_string());
        let failures = file.tests.iter().filter(|test| test.failure.is_some()).count();
        let skipped = file.tests.iter().filter(|test| test.skipped).count();
        let errors = usize::from(file.error.is_some());
        let (tests, seconds) = (file.tests.len() + errors, file.took.as_secs_f64());
        let _ = writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" \
             time=\"{seconds:.3}\">"
        );
        if let Some(error) = &file.error {
            let error = escape(error);
            let _ = writeln!(
                out,
                "    <testcase classname=\"{name}\" name=\"(file)\"><error message=\"{error}\"/></testcase>"
            );
        }
        for test in &file.tests {
            let (title, seconds) = (escape(&test.name), test.took.as_secs_f64());
            let _ = write!(out, "    <testcase classname=\"{name}\" name=\"{title}\" time=\"{seconds:.3}\">");
            if test.skipped {
                out.push_str("<skipped/>");
            }
            if let Some(failure) = &test.failure {
                let message = escape(failure.lines().next().unwrap_or_default());
                let _ = write!(out, "<failure message=\"{message}\">{}</failure>", escape(failure));
            }
            if !test.console.is_empty() {
                let lines = test
                    .console
                    .iter()
                    .map(|line| format!("[{} {}] {}\n", line.module, line.level, line.text));
                let _ = write!(out, "<system-out>{}</system-out>", escape(&lines.collect::<String>()));
            }
            out.push_str("</testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            // XML has no other control characters, however they are written.
            character if character.is_control() => out.push('\u{fffd}'),
            character => out.push(character),
        }
    }
    out
}
