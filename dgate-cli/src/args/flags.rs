//! Fields as options: `--name hello` is `name=hello`.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};
use dgate_core::{Kind, decode, with_kind};
use serde_json::json;

/// The verbs whose words are fields.
const VERBS: [&str; 5] = ["create", "set", "get", "delete", "edit"];

/// Options that mean the same as the fields of their names.
const PARTS: [&str; 2] = ["namespace", "collection"];

/// A command line without fields as options.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) words: Vec<OsString>,
    /// Options that are fields as well, and were taken for options.
    pub(super) doubtful: Vec<String>,
}

/// Turns options that are fields of a kind into words `key=value`. What is an option already stays one, and so does what
/// nobody knows: it is refused like any other.
pub(super) fn as_words(words: impl IntoIterator<Item = OsString>, command: &Command) -> Words {
    let mut words = words.into_iter().peekable();
    let mut out = Vec::new();
    let mut doubtful = Vec::new();
    let mut here = command;
    let mut path: Vec<&str> = Vec::new();
    out.extend(words.next());
    while let Some(word) = words.next() {
        let Some(text) = word.to_str().map(str::to_owned) else {
            out.push(word);
            continue;
        };
        if text == "--" {
            out.push(word);
            out.extend(words.by_ref());
        } else if let Some(option) = text.strip_prefix("--") {
            let (name, inside) =
                option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
            if let Some(known) = known(command, here, |arg| arg.get_long() == Some(name)) {
                let sets_fields = matches!(path.as_slice(), [_, "create" | "set"]);
                if sets_fields && !PARTS.contains(&name) && Field::of(&path, name).is_some() {
                    doubtful.push(name.to_owned());
                }
                out.push(word);
                if inside.is_none() && takes_value(known) {
                    out.extend(words.next());
                }
            } else if let Some(field) = Field::of(&path, name) {
                let value = match inside {
                    Some(value) => Some(value.to_owned()),
                    None if field.is_flag
                        && !words.peek().is_some_and(|next| next == "true" || next == "false") =>
                    {
                        Some("true".to_owned())
                    }
                    None => words.next().map(|next| next.to_string_lossy().into_owned()),
                };
                match value {
                    Some(value) => field.add(&value, &mut out),
                    None => out.push(word),
                }
            } else {
                out.push(word);
            }
        } else if let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            let last = letters.chars().last();
            let needs = known(command, here, |arg| arg.get_short() == last).is_some_and(takes_value);
            // `-nshop` holds its value.
            let first_needs = letters.len() > 1
                && known(command, here, |arg| arg.get_short() == letters.chars().next())
                    .is_some_and(takes_value);
            out.push(word);
            if needs && !first_needs {
                out.extend(words.next());
            }
        } else {
            if let Some(next) = here.find_subcommand(&text) {
                path.push(next.get_name());
                here = next;
            }
            out.push(word);
        }
    }
    Words { words: out, doubtful }
}

fn known<'c>(root: &'c Command, here: &'c Command, is_it: impl Fn(&Arg) -> bool) -> Option<&'c Arg> {
    here.get_arguments().chain(root.get_arguments()).find(|arg| is_it(arg))
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// A field that is given as an option.
struct Field {
    key: String,
    /// Stands behind the value: `_ms` in a name does.
    unit: &'static str,
    is_flag: bool,
    is_list: bool,
}

impl Field {
    /// The field of a kind that an option of one of its verbs names, in whichever spelling.
    fn of(path: &[&str], option: &str) -> Option<Self> {
        let [kind, verb] = path else { return None };
        let kind: Kind = VERBS.contains(verb).then(|| kind.parse().ok())??;
        let (first, rest) =
            option.split_once('.').map_or((option, None), |(first, rest)| (first, Some(rest)));
        let (first, unit) = with_kind!(kind, R => {
            let mut object = json!({ first: 0 });
            decode::canonicalize::<R>(&mut object).ok()?;
            let (name, value) = object.as_object()?.iter().next()?;
            let schema = decode::json_schema::<R>();
            let unit = if value.as_str().is_some_and(|value| value.ends_with("ms")) { "ms" } else { "" };
            schema["properties"].as_object()?.contains_key(name).then(|| (name.clone(), unit))?
        });
        let key = rest.map_or(first.clone(), |rest| format!("{first}.{rest}"));
        let pointer = format!("/{}", key.replace('.', "/"));
        let types = with_kind!(kind, R => decode::types_at::<R>(&pointer));
        let allows = |name: &str| types.iter().any(|known| known == name);
        Some(Self { key, unit, is_flag: allows("boolean"), is_list: allows("array") })
    }

    /// Adds it as a word. A list may be given item by item.
    fn add(&self, value: &str, out: &mut Vec<OsString>) {
        let beginning = format!("{}=", self.key);
        let before = out.iter_mut().find(|word| word.to_string_lossy().starts_with(&beginning));
        match before {
            Some(list) if self.is_list => list.push(format!(",{value}")),
            _ => out.push(format!("{beginning}{value}{}", self.unit).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> String {
        let words = std::iter::once("dgate-cli").chain(line.split(' ')).map(OsString::from);
        let words = as_words(words, &crate::args::command());
        assert_eq!(words.doubtful.is_empty(), !line.contains("create x --timeout"), "{line}");
        let words: Vec<_> = words.words.iter().skip(1).map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn fields_may_be_options() {
        for (line, expected) in [
            (
                "route create --name hello --paths /a --service s",
                "route create name=hello paths=/a service=s",
            ),
            ("rt mk --name=hello --paths /a --paths /b", "rt mk name=hello paths=/a,/b"),
            ("rt mk hello --strip-path --paths /a", "rt mk hello strip_path=true paths=/a"),
            ("rt set hello --stripPath false", "rt set hello strip_path=false"),
            ("svc set api --tls.skip_verify", "svc set api tls.skip_verify=true"),
            ("svc set api --request_timeout_ms 250", "svc set api request_timeout=250ms"),
            ("mod mk --name m --moduleType javascript", "mod mk name=m type=javascript"),
            ("-n shop rt get --name hello -o json", "-n shop rt get name=hello -o json"),
            ("doc get --id 7 --collection users", "doc get id=7 --collection users"),
            // Options stay what they are.
            ("rt create x --message why --dry-run", "rt create x --message why --dry-run"),
            ("--admin http://route rt create --name x", "--admin http://route rt create name=x"),
            ("-Vn create rt create --name x", "-Vn create rt create name=x"),
            ("-nshop rt create --name x", "-nshop rt create name=x"),
            ("rt create -- --name x", "rt create -- --name x"),
            ("rt create --nonsense x", "rt create --nonsense x"),
            ("rt create x --timeout 5s", "rt create x --timeout 5s"),
            ("rt get x --timeout 5s", "rt get x --timeout 5s"),
            ("rt ls --name x", "rt ls --name x"),
            ("module deploy --name x f.ts", "module deploy --name x f.ts"),
            ("rt create --name", "rt create --name"),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }
}
