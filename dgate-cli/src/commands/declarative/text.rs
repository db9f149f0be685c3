//! One text that says what shall be there, and where in it something stands.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use dgate_core::Problems;
use dgate_core::text::{Format, Interpolated, Sources, Spans, interpolate};
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::{Detail, Failure};

/// The kinds of files that a folder is searched for.
const EXTENSIONS: [&str; 4] = ["yaml", "yml", "json", "toml"];

/// A text, and where it comes from.
#[derive(Debug)]
pub(super) struct Text {
    /// For people.
    name: String,
    text: String,
    format: Format,
    /// What file names in it are relative to.
    pub(super) base: PathBuf,
    /// Found out once, when something is to be said of a resource.
    spans: OnceCell<Vec<Spans>>,
}

/// One document of a text.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    /// What was put in the place of references, by the pointer of the resource that it is in.
    pub(super) interpolated: HashMap<String, Vec<Interpolated>>,
}

impl Text {
    /// The texts of a file, of all files in a folder, or of standard input.
    ///
    /// # Errors
    /// When something cannot be read.
    pub(super) fn all_of(path: &Path) -> Result<Vec<Self>, Failure> {
        if path == Path::new("-") {
            return Ok(vec![Self::standard_input()?]);
        }
        if !path.is_dir() {
            return Ok(vec![Self::of_file(path)?]);
        }
        let mut files = Vec::new();
        walk(path, &mut files).map_err(|error| unreadable(path, &error))?;
        files.sort();
        if files.is_empty() {
            return Err(Failure::usage(format!("there is no YAML, JSON or TOML file in {}", path.display())));
        }
        files.iter().map(|file| Self::of_file(file)).collect()
    }

    fn of_file(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        let base = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self {
            name: path.display().to_string(),
            text,
            format: Format::of(path),
            base: base.to_owned(),
            spans: OnceCell::new(),
        })
    }

    fn standard_input() -> Result<Self, Failure> {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| Failure::new(Exit::Failed, format!("standard input cannot be read: {error}")))?;
        let name = "standard input".to_owned();
        Ok(Self { name, text, format: Format::Yaml, base: PathBuf::from("."), spans: OnceCell::new() })
    }

    /// What the text says, with variables and files in the place of references to them.
    ///
    /// # Errors
    /// What is wrong with the text, or all references that lead to nothing.
    pub(super) fn documents(&self) -> Result<Vec<Document>, Vec<Detail>> {
        let values = self.format.parse_all(&self.text).map_err(|error| {
            let line = error.at.map_or_else(String::new, |at| format!(":{}", at.line));
            let file = format!("{}{line}", self.name);
            vec![Detail { file, message: error.message, ..Detail::default() }]
        })?;
        let mut wrong = Vec::new();
        let read = values.into_iter().enumerate().map(|(number, mut value)| {
            let mut problems = Problems::new();
            let done = interpolate(&mut value, &Outside { base: &self.base }, &mut problems);
            wrong.extend(problems.iter().map(|problem| Detail {
                file: self.place(number, &problem.pointer, &problem.message),
                ..Detail::from(problem)
            }));
            Document { interpolated: by_resource(&value, done), value }
        });
        let documents = read.collect();
        if wrong.is_empty() { Ok(documents) } else { Err(wrong) }
    }

    /// The file, and the line of what a message about a pointer in a document is about.
    pub(super) fn place(&self, document: usize, pointer: &str, message: &str) -> String {
        let all = self.spans.get_or_init(|| {
            #[cfg(test)]
            super::count::one_more_reading();
            Spans::of_all(&self.text, self.format)
        });
        let spans = all.get(document);
        match spans.and_then(|spans| spans.problem(pointer, message)) {
            Some(place) => format!("{}:{}", self.name, place.line),
            None => self.name.clone(),
        }
    }
}

/// Resources stand in a list, in an object of lists, or alone.
fn by_resource(document: &Value, done: Vec<Interpolated>) -> HashMap<String, Vec<Interpolated>> {
    let depth = match document {
        Value::Array(_) => 1,
        Value::Object(object) if object.contains_key("kind") => 0,
        _ => 2,
    };
    let mut all: HashMap<String, Vec<Interpolated>> = HashMap::new();
    for one in done {
        let end = one.pointer.match_indices('/').nth(depth).map_or(one.pointer.len(), |(at, _)| at);
        let (resource, pointer) = one.pointer.split_at(end);
        let inside = Interpolated { pointer: pointer.to_owned(), written: one.written.clone() };
        all.entry(resource.to_owned()).or_default().push(inside);
    }
    all
}

/// The variables of this process, and files beside the text.
struct Outside<'t> {
    base: &'t Path,
}

impl Sources for Outside<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let path = self.base.join(path);
        std::fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("{} cannot be read: {error}", path.display()))
}

/// All files of a folder and the folders in it, without hidden ones.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|found| EXTENSIONS.iter().any(|known| found == *known)) {
            files.push(path);
        }
    }
    Ok(())
}
