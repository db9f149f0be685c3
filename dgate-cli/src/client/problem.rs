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
    failure.help = text("help").map(str::to_owned).or_else(|| advice(status).map(str::to_owned));
    failure
}

fn detail(error: &Value) -> Detail {
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let place = [text("resource"), text("pointer")];
    let place = place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let help = Some(text("help")).filter(|help| !help.is_empty()).map(str::to_owned);
    Detail { place, message: text("detail").to_owned(), help }
}

/// The first line of a body that is no JSON.
fn body_line(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() || line.starts_with('<') { String::new() } else { format!(": {line}") }
}

fn advice(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some("log in with `--auth USER`, `--api-key KEY` or `--token TOKEN`"),
        StatusCode::PRECONDITION_FAILED => Some("it was changed meanwhile: look at it again, and try again"),
        _ => None,
    }
}
