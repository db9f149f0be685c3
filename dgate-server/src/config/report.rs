//! Problems as people want to see them: where, what, and how to mend it.

use std::fmt::Write as _;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use dgate_core::text::{Position, Spans};
use dgate_core::{Problem, Problems, Severity};

use super::load::Source;

/// All problems of a source, each with its place, a snippet and advice. `color` for terminals.
pub fn render(problems: &Problems, source: &Source, color: bool) -> String {
    let spans = Spans::of(&source.text, source.format);
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for problem in problems {
        let place = place(problem, source, &spans);
        let _ = writeln!(out, "{}\n", one(problem, place, source, &renderer));
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let plural = if errors == 1 { "" } else { "s" };
    if errors > 0 {
        let _ = writeln!(out, "{errors} error{plural} in {}", source.name);
    }
    out
}

fn one(problem: &Problem, place: Option<Position>, source: &Source, renderer: &Renderer) -> String {
    let title = match &problem.key {
        Some(key) => format!("{key}: {}", problem.message),
        None => problem.message.clone(),
    };
    let level = if problem.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(title);
    let help = problem.help.as_deref().unwrap_or("here");
    let report = match place.map(|place| byte_range(&source.text, place)) {
        Some(range) => title.element(
            Snippet::source(&source.text)
                .path(&source.name)
                .annotation(AnnotationKind::Primary.span(range).label(help)),
        ),
        None => {
            let at =
                if problem.pointer.is_empty() { String::new() } else { format!("{}: ", problem.pointer) };
            let help = problem.help.as_deref().map_or_else(String::new, |help| format!(" ({help})"));
            return format!("error: {}: {at}{}{help}", source.name, problem.message);
        }
    };
    renderer.render(&[report])
}

/// Where a problem stands: at its key when the key is the problem, else at its value.
fn place(problem: &Problem, source: &Source, spans: &Spans) -> Option<Position> {
    if source.text.is_empty() {
        return None;
    }
    if let Some(at) = source.syntax_error_at {
        return Some(at);
    }
    let base = problem.key.as_ref().and_then(|key| source.places.get(key)).map_or("", String::as_str);
    let pointer = format!("{base}{}", problem.pointer);
    if problem.message.ends_with("by this version") {
        return spans.key(&pointer);
    }
    spans.problem(&pointer, &problem.message)
}

fn byte_range(text: &str, place: Position) -> std::ops::Range<usize> {
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 == place.line {
            let chars: Vec<_> =
                line.trim_end_matches(['\n', '\r']).char_indices().map(|(at, _)| at).collect();
            let end_of_line = line.trim_end_matches(['\n', '\r']).len();
            let from = chars.get(place.column - 1).copied().unwrap_or(end_of_line);
            let to = chars.get(place.column - 1 + place.length).copied().unwrap_or(end_of_line);
            // An annotation of nothing shows nothing.
            let to = to.max((from + 1).min(line.len()));
            return start + from..start + to;
        }
        start += line.len();
    }
    // The end of the text.
    text.len().saturating_sub(1)..text.len()
}

/// A path as people write it.
pub(super) fn display_name(path: &Path) -> String {
    path.display().to_string()
}
