//! From files to resources that shall be there.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;

use dgate_core::key::DEFAULT_NAMESPACE;
use dgate_core::text::{Interpolated, coerce};
use dgate_core::{Kind, closest, decode, with_kind};
use serde_json::{Map, Value};

#[cfg(test)]
use super::count;
use super::text::{Document, Text};
use crate::commands::resource::inline_files;
use crate::exit::Exit;
use crate::failure::{Detail, Failure};

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
    /// Where each is among the resources, by name. Found out once, when something is to be said of one.
    by_name: OnceCell<HashMap<String, usize>>,
}

/// What is found in a document: a pointer, and the resource there or why it is none.
type Found = (String, Result<(Kind, Value), String>);

impl Wishes {
    /// Reads files and folders. Resources without a namespace get the given one.
    ///
    /// # Errors
    /// Everything that cannot be read.
    pub(super) fn read(paths: &[PathBuf], namespace: Option<&str>) -> Result<Self, Failure> {
        let mut wishes = Self::default();
        let mut problems = Vec::new();
        for path in paths {
            for text in Text::all_of(path)? {
                wishes.texts.push(text);
                wishes.add_last(namespace, &mut problems);
            }
        }
        if problems.is_empty() {
            return Ok(wishes);
        }
        Err(Failure::new(Exit::Invalid, "the files cannot be used").with_details(problems))
    }

    /// The name of a resource as servers tell it: `route/default/hello`.
    pub(super) fn name(&self, index: usize) -> String {
        self.resources.get(index).map(Wish::name).unwrap_or_default()
    }

    /// Which resource has a name; the first one if several have it.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let by_name = self.by_name.get_or_init(|| {
            let mut by_name = HashMap::with_capacity(self.resources.len());
            for (index, wish) in self.resources.iter().enumerate() {
                by_name.entry(wish.name()).or_insert(index);
            }
            by_name
        });
        by_name.get(name).copied()
    }

    /// Says in which file and line it stands what a message about a resource is about.
    pub(super) fn place(&self, index: usize, pointer: &str, message: &str) -> String {
        let Some(wish) = self.resources.get(index) else { return String::new() };
        let Some(text) = self.texts.get(wish.text) else { return String::new() };
        text.place(wish.document, &format!("{}{pointer}", wish.pointer), message)
    }

    /// Reads the text that was added last.
    fn add_last(&mut self, namespace: Option<&str>, problems: &mut Vec<Detail>) {
        let index = self.texts.len() - 1;
        let documents = match self.texts[index].documents() {
            Ok(documents) => documents,
            Err(details) => return problems.extend(details),
        };
        for (number, Document { value, mut interpolated }) in documents.into_iter().enumerate() {
            let found = match value {
                Value::Array(items) => items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| (format!("/{at}"), kind_of(item)))
                    .collect(),
                Value::Object(object) if object.contains_key("kind") => {
                    vec![(String::new(), kind_of(Value::Object(object)))]
                }
                Value::Object(object) => self.lists(object, index, number, problems),
                _ => vec![(String::new(), Err("these are no resources".to_owned()))],
            };
            for (pointer, resource) in found {
                let text = &self.texts[index];
                // Asked only for what is wrong: it costs reading the text again.
                let place =
                    |inside: &str, message: &str| text.place(number, &format!("{pointer}{inside}"), message);
                match resource {
                    Ok((kind, mut value)) => {
                        let interpolated = interpolated.remove(&pointer).unwrap_or_default();
                        let found = prepare(kind, &mut value, &interpolated, namespace, &text.base);
                        problems.extend(found.into_iter().map(|detail| Detail {
                            file: place(&detail.pointer, &detail.message),
                            ..detail
                        }));
                        self.resources.push(Wish { kind, value, text: index, document: number, pointer });
                    }
                    Err(message) => {
                        problems.push(Detail { file: place("", &message), message, ..Detail::default() });
                    }
                }
            }
        }
    }

    /// An object of lists, as in `init_resources`, with `version` and `owner` beside them.
    fn lists(
        &mut self,
        object: Map<String, Value>,
        text: usize,
        document: usize,
        problems: &mut Vec<Detail>,
    ) -> Vec<Found> {
        let text = &self.texts[text];
        let mut found = Vec::new();
        for (name, value) in object {
            let mut wrong = |message: String, help: Option<String>| {
                let pointer = format!("/{}", decode::escape(&name));
                let file = text.place(document, &pointer, "unknown field");
                problems.push(Detail { file, pointer, message, help, ..Detail::default() });
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
        #[cfg(test)]
        count::one_more_name();
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
fn prepare(
    kind: Kind,
    value: &mut Value,
    interpolated: &[Interpolated],
    namespace: Option<&str>,
    base: &std::path::Path,
) -> Vec<Detail> {
    with_kind!(kind, R => coerce(value, interpolated, decode::types_at::<R>));
    let mut problems = with_kind!(kind, R => decode::canonicalize::<R>(value)).err().unwrap_or_default();
    if let (Some(namespace), Some(object)) = (namespace, value.as_object_mut())
        && kind != Kind::Namespace
    {
        object.entry("namespace").or_insert_with(|| namespace.into());
    }
    problems.extend(inline_files(kind, value, base));
    problems.iter().map(Detail::from).collect()
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
        let names: Vec<_> = (0..wishes.resources.len()).map(|index| wishes.name(index)).collect();
        assert_eq!(
            names,
            ["service/shop/s", "route/shop/r", "module/shop/m", "document/x/c/1", "namespace/n"]
        );
        assert_eq!(wishes.owner.as_deref(), Some("edge"));
        assert_eq!(wishes.resources[1].value["strip_path"], true);
        for (index, pointer, end) in [
            (0, "", "a.yaml:3"),
            (1, "/strip_path", "c.yml:3"),
            (2, "/name", "c.yml:5"),
            (4, "/name", "e.toml:2"),
        ] {
            let place = wishes.place(index, pointer, "");
            assert!(place.ends_with(end), "{place}");
        }
    }

    #[test]
    fn a_thousand_places_are_told_by_reading_and_naming_once() {
        const MANY: usize = 1_000;
        let lines = (0..MANY).map(|number| format!("- {{name: r{number}, paths: [/]}}\n"));
        let text = format!("routes:\n{}", lines.collect::<String>());
        let wishes = read(&[("a.yaml", &text)], None).unwrap();
        let before = (count::names(), count::readings());
        for number in 0..MANY {
            let found = wishes.find(&format!("route/default/r{number}")).unwrap();
            let place = wishes.place(found, "/paths", "");
            assert!(place.ends_with(&format!("a.yaml:{}", number + 2)), "{place}");
        }
        assert_eq!((count::names() - before.0, count::readings() - before.1), (MANY, 1));
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
            "a.yaml:1 /version: only `v1` is known",
            "a.yaml:2 /routs: `routs` is no list of resources\n    help: did you mean `routes`?",
            "a.yaml:3 /services: this must be a list",
            "b.yaml:1 /owner: another file says that the owner is `one`",
            "c.yaml:1: the resource does not say its `kind`",
            "c.yaml:2: `rout` is not a resource kind",
            "c.yaml:3: this is no resource",
            "d.yaml:2: ",
            "e.toml:2: ",
            "f.yaml:3 /payload_file: ",
            "g.yaml:4 /strip_path: `strip_path` is given twice",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
        assert_eq!(failure.exit(), Exit::Invalid);
    }
}
