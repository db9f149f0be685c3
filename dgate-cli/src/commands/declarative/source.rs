//! From files to resources that shall be there.

use std::cell::OnceCell;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use dgate_core::key::DEFAULT_NAMESPACE;
use dgate_core::{Kind, closest, decode, with_kind};
use serde_json::{Map, Value};

use super::lines::Lines;
use crate::commands::resource::inline_files;
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
    /// What file names in it are relative to.
    base: PathBuf,
    /// Found out once, when something is to be said of a resource.
    lines: OnceCell<Lines>,
}

/// A resource that shall be there.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) kind: Kind,
    /// In canonical spelling, with the content of files.
    pub(super) value: Value,
    /// Which of the texts it is in.
    text: usize,
    /// Which of the YAML documents it is in.
    document: usize,
    /// Where in the document.
    pointer: String,
}

/// Everything that shall be there.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    texts: Vec<Text>,
    pub(super) resources: Vec<Wish>,
    /// Whose it is, if the files say so.
    pub(super) owner: Option<String>,
}

/// YAML 1.2: `yes` and `on` are words.
pub(super) fn options() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}

impl Wishes {
    /// Reads files and folders. Resources without a namespace get the given one.
    ///
    /// # Errors
    /// Everything that cannot be read.
    pub(super) fn read(paths: &[PathBuf], namespace: Option<&str>) -> Result<Self, Failure> {
        let mut wishes = Self::default();
        let mut problems = Vec::new();
        for path in paths {
            for text in texts(path)? {
                wishes.texts.push(text);
                wishes.add_last(namespace, &mut problems);
            }
        }
        if problems.is_empty() {
            return Ok(wishes);
        }
        Err(Failure::new(Exit::Invalid, "the files cannot be used").with_details(problems))
    }

    /// `route/default/hello`, as servers name it.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.resources.iter().map(Wish::name)
    }

    /// Says in which file and line a resource stands.
    pub(super) fn place(&self, index: usize) -> String {
        let Some(wish) = self.resources.get(index) else { return String::new() };
        self.place_of(wish.text, wish.document, &wish.pointer)
    }

    fn place_of(&self, text: usize, document: usize, pointer: &str) -> String {
        let Some(text) = self.texts.get(text) else { return String::new() };
        match text.lines.get_or_init(|| Lines::of(&text.text)).at(document, pointer) {
            Some(line) if !is_toml(&text.name) => format!("{}:{line}", text.name),
            _ => text.name.clone(),
        }
    }

    /// Reads the text that was added last.
    fn add_last(&mut self, namespace: Option<&str>, problems: &mut Vec<Detail>) {
        let index = self.texts.len() - 1;
        let documents = match parse(&self.texts[index]) {
            Ok(documents) => documents,
            Err(detail) => return problems.push(detail),
        };
        for (number, document) in documents.into_iter().enumerate() {
            let found = match document {
                Value::Array(items) => items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| (format!("/{at}"), kind_of(item)))
                    .collect(),
                Value::Object(object) if object.contains_key("kind") => {
                    vec![(String::new(), kind_of(Value::Object(object)))]
                }
                Value::Object(object) => self.lists(object, &self.texts[index].name.clone(), problems),
                _ => vec![(String::new(), Err("these are no resources".to_owned()))],
            };
            for (pointer, resource) in found {
                // Asked only for what is wrong: it costs reading the text again.
                let place = || self.place_of(index, number, &pointer);
                match resource {
                    Ok((kind, mut value)) => {
                        let found = prepare(kind, &mut value, namespace, &self.texts[index].base);
                        problems.extend(found.into_iter().map(|detail| Detail { file: place(), ..detail }));
                        self.resources.push(Wish { kind, value, text: index, document: number, pointer });
                    }
                    Err(message) => problems.push(Detail { file: place(), message, ..Detail::default() }),
                }
            }
        }
    }

    /// An object of lists, as in `init_resources`, with `version` and `owner` beside them.
    fn lists(
        &mut self,
        object: Map<String, Value>,
        file: &str,
        problems: &mut Vec<Detail>,
    ) -> Vec<(String, Result<(Kind, Value), String>)> {
        let mut found = Vec::new();
        for (name, value) in object {
            let mut wrong = |message: String, help: Option<String>| {
                let pointer = format!("/{}", decode::escape(&name));
                problems.push(Detail { file: file.to_owned(), pointer, message, help, ..Detail::default() });
            };
            match (name.as_str(), value) {
                ("version", Value::String(version)) if version == "v1" => {}
                ("version", _) => wrong("only `v1` is known".to_owned(), None),
                ("owner", Value::String(owner)) => match self.owner.replace(owner.clone()) {
                    Some(other) if other != owner => {
                        wrong(format!("another file says that the owner is `{other}`"), None);
                    }
                    _ => {}
                },
                (plural, value) => {
                    match (Kind::ALL.into_iter().find(|kind| kind.plural() == plural), value) {
                        (Some(kind), Value::Array(items)) => {
                            let items = items.into_iter().enumerate();
                            found.extend(
                                items.map(|(at, item)| (format!("/{plural}/{at}"), Ok((kind, item)))),
                            );
                        }
                        (Some(_), Value::Null) => {}
                        (Some(_), _) => wrong("this must be a list".to_owned(), None),
                        (None, _) => {
                            let known = ["version", "owner"].into_iter().chain(Kind::ALL.map(Kind::plural));
                            let help = closest(plural, known).map(|meant| format!("did you mean `{meant}`?"));
                            wrong(format!("`{plural}` is no list of resources"), help);
                        }
                    }
                }
            }
        }
        found
    }
}

impl Wish {
    fn name(&self) -> String {
        let text = |field: &str| self.value[field].as_str().unwrap_or_default();
        let namespace = self.value["namespace"].as_str().unwrap_or(DEFAULT_NAMESPACE);
        match self.kind {
            Kind::Namespace => format!("namespace/{}", text("name")),
            Kind::Document => format!("document/{namespace}/{}/{}", text("collection"), text("id")),
            kind => format!("{kind}/{namespace}/{}", text("name")),
        }
    }
}

/// Takes `kind` out of a resource.
fn kind_of(mut value: Value) -> Result<(Kind, Value), String> {
    let Some(object) = value.as_object_mut() else { return Err("this is no resource".to_owned()) };
    match object.remove("kind") {
        Some(Value::String(kind)) => {
            Kind::from_str(&kind).map(|kind| (kind, value)).map_err(|error| error.to_string())
        }
        _ => Err("the resource does not say its `kind`".to_owned()),
    }
}

/// The canonical spelling, a namespace, and the content of files.
fn prepare(kind: Kind, value: &mut Value, namespace: Option<&str>, base: &Path) -> Vec<Detail> {
    let mut problems = with_kind!(kind, R => decode::canonicalize::<R>(value)).err().unwrap_or_default();
    if let (Some(namespace), Some(object)) = (namespace, value.as_object_mut())
        && kind != Kind::Namespace
    {
        object.entry("namespace").or_insert_with(|| namespace.into());
    }
    problems.extend(inline_files(kind, value, base));
    problems.iter().map(Detail::from).collect()
}

fn texts(path: &Path) -> Result<Vec<Text>, Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(Exit::Failed, format!("{} cannot be read: {error}", path.display()))
    };
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| Failure::new(Exit::Failed, format!("standard input cannot be read: {error}")))?;
        return Ok(vec![Text {
            name: "standard input".to_owned(),
            text,
            base: PathBuf::from("."),
            lines: OnceCell::new(),
        }]);
    }
    let mut files = Vec::new();
    if path.is_dir() {
        walk(path, &mut files).map_err(|error| failed(path, error))?;
        files.sort();
        if files.is_empty() {
            return Err(Failure::usage(format!("there is no YAML, JSON or TOML file in {}", path.display())));
        }
    } else {
        files.push(path.to_owned());
    }
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).map_err(|error| failed(&file, error))?;
        let base = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Text { name: file.display().to_string(), text, base: base.to_owned(), lines: OnceCell::new() })
    };
    files.into_iter().map(read).collect()
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

fn is_toml(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

/// The documents of a text. JSON is a part of YAML.
fn parse(text: &Text) -> Result<Vec<Value>, Detail> {
    let wrong = |file: String, message: String| Detail { file, message, ..Detail::default() };
    if is_toml(&text.name) {
        return toml::from_str(&text.text).map(|value| vec![value]).map_err(|error| {
            let before = error.span().and_then(|span| text.text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            wrong(format!("{}:{line}", text.name), error.message().to_owned())
        });
    }
    serde_saphyr::from_multiple_with_options(&text.text, options()).map_err(|error| {
        let line = error.location().map_or_else(String::new, |location| format!(":{}", location.line()));
        let whole = error.without_snippet().to_string();
        let first = whole.lines().next().unwrap_or_default();
        let message = first.split(" at line ").next().unwrap_or(first).trim_end_matches(':');
        // Advice for programmers.
        let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or(message);
        wrong(format!("{}{line}", text.name), message.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)], namespace: Option<&str>) -> Result<Wishes, Failure> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Wishes::read(&[folder.path().to_owned()], namespace)
    }

    #[test]
    fn every_form_is_read() {
        let files = [
            ("a.yaml", "version: v1\nowner: edge\nservices: [{name: s, urls: [http://a]}]\nroutes:\n"),
            ("b/c.yml", "kind: route\nname: r\nstripPath: true\n---\n- {kind: modules, name: m}\n"),
            ("d.json", r#"{"documents": [{"id": "1", "collection": "c", "namespace": "x", "data": 1}]}"#),
            ("e.toml", "[[namespaces]]\nname = 'n'\n"),
            (".hidden.yaml", "nonsense"),
            ("readme.md", "nonsense"),
        ];
        let wishes = read(&files, Some("shop")).unwrap();
        let names: Vec<_> = wishes.names().collect();
        assert_eq!(
            names,
            ["service/shop/s", "route/shop/r", "module/shop/m", "document/x/c/1", "namespace/n"]
        );
        assert_eq!(wishes.owner.as_deref(), Some("edge"));
        assert_eq!(wishes.resources[1].value["strip_path"], true);
        assert!(wishes.place(0).ends_with("a.yaml:3"), "{}", wishes.place(0));
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_place() {
        let files = [
            ("a.yaml", "version: v2\nrouts: []\nservices: {}\nowner: one\n"),
            ("b.yaml", "owner: two\n"),
            ("c.yaml", "- name: x\n- {kind: rout, name: y}\n- 5\n"),
            ("d.yaml", "a: [1\nb: 2\n"),
            ("e.toml", "a = 1\nb =\n"),
            ("f.yaml", "modules:\n- name: m\n  payload_file: missing.ts\n"),
            ("g.yaml", "routes:\n- name: m\n  stripPath: true\n  strip_path: true\n"),
        ];
        let failure = read(&files, None).unwrap_err();
        let said = anstream::adapter::strip_str(&failure.to_string()).to_string();
        for line in [
            "a.yaml /version: only `v1` is known",
            "a.yaml /routs: `routs` is no list of resources\n    help: did you mean `routes`?",
            "a.yaml /services: this must be a list",
            "b.yaml /owner: another file says that the owner is `one`",
            "c.yaml:1: the resource does not say its `kind`",
            "c.yaml:2: `rout` is not a resource kind",
            "c.yaml:3: this is no resource",
            "d.yaml:2: ",
            "e.toml:2: ",
            "f.yaml:2 /payload_file: ",
            "g.yaml:2 /strip_path: `strip_path` is given twice",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
        assert_eq!(failure.exit(), Exit::Invalid);
    }
}
