//! Many resources at once: all or none.

use std::str::FromStr;

use dgate_core::apply::{Change, ChangeSet, Mode};
use dgate_core::resource::AnyResource;
use dgate_core::{Key, Kind, Problem, Problems, closest};
use serde_json::Value;

use super::answer::Answer;
use super::call::Call;
use super::changes::plan;
use super::endpoint::Reply;
use super::etag::expected_revision;
use super::failure::Failure;
use super::model::{Apply, ApplyMode, Fault};
use super::state::State;
use super::written;

/// `POST /apply`
pub(crate) async fn apply(mut call: Call) -> Reply {
    let wish: Apply = call.read()?;
    let dry_run = wish.dry_run || call.query.flag("dry_run")?;
    if wish.mode == ApplyMode::Sync && wish.owner.is_none() {
        let problem =
            Problem::error("/owner", "`sync` deletes what the owner no longer lists: it needs an `owner`");
        return Err(Failure::invalid(problem.into()));
    }
    if let Some(owner) = wish.owner.as_deref()
        && let Some(fault) = dgate_core::key::name_fault(owner)
    {
        return Err(Failure::invalid(Problem::error("/owner", format!("owner `{owner}` {fault}")).into()));
    }
    let resources = read_all(&call.state, wish.resources).await?;
    let deleted = deleted(&wish.delete)?;
    let tagged = expected_revision(&call.parts.headers)?;
    let changes = ChangeSet {
        changes: resources
            .into_iter()
            .map(Change::Put)
            .chain(deleted.into_iter().map(Change::Delete))
            .collect(),
        mode: if wish.mode == ApplyMode::Sync { Mode::Sync } else { Mode::Apply },
        owner: wish.owner.map(Into::into),
        cascade: wish.cascade,
        dry_run,
        expect_revision: wish.expect_revision.or(tagged),
        author: call.author(wish.message),
        within: call.who.namespaces.clone(),
        ..ChangeSet::new()
    };
    if call.who.role < crate::auth::Role::Admin {
        refuse_namespaces(&changes)?;
    }
    let applied = call.state.context.applier.apply(changes).await?;
    let plan = plan(&call.state, &applied, dry_run);
    Ok(Answer::new(plan, applied.revision).warnings(applied.warnings).into_response())
}

/// What shall not be there any more.
fn deleted(names: &[String]) -> Result<Vec<Key>, Failure> {
    let mut problems = Problems::new();
    let mut keys = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match key(name) {
            Some(key) => keys.push(key),
            None => problems.push(
                Problem::error(format!("/delete/{index}"), format!("`{name}` names no resource"))
                    .with_help("write `route/default/hello`, `namespace/shop` or `document/default/users/7`"),
            ),
        }
    }
    if problems.has_errors() { Err(Failure::invalid(problems)) } else { Ok(keys) }
}

/// `kind/namespace/name`; namespaces are in none.
fn key(name: &str) -> Option<Key> {
    let (kind, rest) = name.split_once('/')?;
    let kind = Kind::from_str(kind).ok()?;
    if kind == Kind::Namespace {
        return (!rest.is_empty() && !rest.contains('/')).then(|| Key::new(kind, "", rest));
    }
    let (namespace, name) = rest.split_once('/')?;
    let is_name = !name.is_empty() && (kind == Kind::Document || !name.contains('/'));
    (is_name && !namespace.is_empty()).then(|| Key::new(kind, namespace, name))
}

/// Namespaces are changed by administrators only.
fn refuse_namespaces(changes: &ChangeSet) -> Result<(), Failure> {
    let mut keys = changes.changes.iter().map(Change::key);
    match keys.find(|key| key.kind == Kind::Namespace) {
        Some(key) => {
            Err(Failure::forbidden(format!("{key}: namespaces are changed by the role `admin` only")))
        }
        None => Ok(()),
    }
}

/// Reads all resources, and tells all that is wrong with any of them.
async fn read_all(state: &State, written: Value) -> Result<Vec<AnyResource>, Failure> {
    let mut problems = Problems::new();
    let mut resources = Vec::new();
    for (at, kind, value) in places(written, &mut problems) {
        match written::resource(state, kind, value).await {
            Ok(resource) => resources.push(resource),
            Err(failure) => match failure.problems() {
                Some(faults) => problems.extend(Problems::below(faults, &at)),
                None => return Err(failure),
            },
        }
    }
    if problems.has_errors() { Err(Failure::invalid(problems)) } else { Ok(resources) }
}

/// Each object with its kind, and where it stands in the body.
fn places(written: Value, problems: &mut Problems) -> Vec<(String, Kind, Value)> {
    match written {
        Value::Object(lists) => {
            let mut all = Vec::new();
            for (name, list) in lists {
                let at = format!("/resources/{}", dgate_core::decode::escape(&name));
                // An export says so, and may be applied as it is.
                if name == "version" && list == "v1" {
                    continue;
                }
                match (kind_of_list(&name), list) {
                    (Some(kind), Value::Array(items)) => {
                        let item = |(index, item)| (format!("{at}/{index}"), kind, item);
                        all.extend(items.into_iter().enumerate().map(item));
                    }
                    (Some(_), _) => problems.push(Problem::error(at, format!("`{name}` must be a list"))),
                    (None, _) => {
                        let known = closest(&name, Kind::ALL.map(Kind::plural));
                        let help = known.map_or_else(
                            || format!("there are {}", Kind::ALL.map(Kind::plural).join(", ")),
                            |known| format!("did you mean `{known}`?"),
                        );
                        problems.push(Problem::error(at, format!("unknown field `{name}`")).with_help(help));
                    }
                }
            }
            all
        }
        Value::Array(items) => {
            let mut all = Vec::new();
            for (index, mut item) in items.into_iter().enumerate() {
                let at = format!("/resources/{index}");
                let kind = item.as_object_mut().and_then(|object| object.remove("kind"));
                let found = kind.as_ref().and_then(Value::as_str).map(Kind::from_str);
                match found {
                    Some(Ok(kind)) => all.push((at, kind, item)),
                    Some(Err(error)) => {
                        problems.push(Problem::error(format!("{at}/kind"), error.to_string()));
                    }
                    None => problems.push(Problem::error(at, "the resource does not say its `kind`")),
                }
            }
            all
        }
        _ => {
            problems.push(Problem::error("/resources", "`resources` must be an object of lists, or a list"));
            Vec::new()
        }
    }
}

fn kind_of_list(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.plural() == name)
}

impl Failure {
    /// What is wrong with what was sent, if that is why.
    pub(crate) fn problems(&self) -> Option<Problems> {
        let problem = |fault: &Fault| {
            Problem::error(fault.pointer.clone(), fault.detail.clone()).with_help_if(fault.help.clone())
        };
        (!self.faults().is_empty()).then(|| self.faults().iter().map(problem).collect())
    }
}
