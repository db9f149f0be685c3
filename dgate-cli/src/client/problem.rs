//! What an answer with an error status says, as a failure.

use http::StatusCode;
use serde_json::Value;

use super::Answer;
use crate::exit::Exit;
use crate::failure::{Detail, Failure};

/// Reads problem+json (RFC 9457), the errors of DGate 1 and 2, or whatever text there is.
pub(super) fn failure(answer: &Answer, target: &str) -> Failure {
    let status = answer.status;
    let text = |name: &str| answer.body[name].as_str().filter(|text| !text.is_empty());
    let message = text("detail").or_else(|| text("error")).or_else(|| text("title"));
    let message = match message {
        Some(message) => message.to_owned(),
        None => format!("{target}: {status}{}", body_line(answer)),
    };
    let mut failure = Failure::new(Exit::of_status(status), message);
    failure.details = answer.body["errors"].as_array().into_iter().flatten().map(detail).collect();
    let kind = text("type").and_then(|name| name.rsplit(':').next()).unwrap_or_default();
    if kind == "in_use" {
        failure.details.iter_mut().for_each(without_repetition);
    }
    if !failure.details.is_empty()
        && let Some(summary) = summary(kind)
    {
        // What the server says in one line is said by the details.
        summary.clone_into(&mut failure.message);
    }
    failure.help = text("help").map(str::to_owned).or_else(|| advice(status, kind).map(str::to_owned));
    failure
}

/// What is used is named by the message, and how to go on is said once, for the command line.
fn without_repetition(detail: &mut Detail) {
    if detail.message.starts_with(&format!("{} ", detail.resource)) {
        detail.resource.clear();
        detail.help = None;
    }
}

fn detail(error: &Value) -> Detail {
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    Detail {
        file: String::new(),
        resource: text("resource"),
        pointer: text("pointer"),
        message: text("detail"),
        help: Some(text("help")).filter(|help| !help.is_empty()),
    }
}

/// What an answer that is no failure warns of.
pub(crate) fn warnings(answer: &Answer) -> Vec<Detail> {
    answer.body["warnings"].as_array().into_iter().flatten().map(detail).collect()
}

/// The first line of a body that is no JSON.
fn body_line(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() || line.starts_with('<') { String::new() } else { format!(": {line}") }
}

fn summary(kind: &str) -> Option<&'static str> {
    match kind {
        "invalid" => Some("this is not valid"),
        "in_use" => Some("something refers to it"),
        _ => None,
    }
}

fn advice(status: StatusCode, kind: &str) -> Option<&'static str> {
    match status {
        _ if kind == "in_use" => Some("`--cascade` deletes that, too"),
        StatusCode::UNAUTHORIZED => Some("log in with `--auth USER`, `--api-key KEY` or `--token TOKEN`"),
        StatusCode::CONFLICT if kind == "conflict" => {
            Some("it was changed meanwhile: look at it again, and try again")
        }
        StatusCode::PRECONDITION_FAILED => Some("it was changed meanwhile: look at it again, and try again"),
        _ => None,
    }
}
