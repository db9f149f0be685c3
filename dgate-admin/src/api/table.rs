//! What the API can do: one line for each method of each path. The router, the check of roles and the OpenAPI document
//! are made from it.

use dgate_core::Kind;
use dgate_core::explain::Explanation;
use http::Method;

use super::call::Call;
use super::endpoint::{Access, Carries, Endpoint, Handler, Parameter, Takes, described};
use super::model::{
    Apply, ChangelogEntry, ChangelogSummary, Connections, Explain, Explained, ModuleRan, Named,
    NamedDocument, NamedNamespace, Node, Plan, Rollback, RunModule, Session, Stats, UpstreamService,
};
use super::{
    apply, changelog, cluster, events, explain, export, list, logs, probes, resource, run, tags, watch,
};
use crate::auth::Role;

const DRY_RUN: Parameter = Parameter::flag("dry_run", "Say what would change, and change nothing.");
const MESSAGE: Parameter = Parameter::text("message", "What it is for; kept in the changelog.");
const CASCADE: Parameter =
    Parameter::flag("cascade", "Delete what refers to it as well, and a namespace with all that is in it.");
const NAMESPACE: Parameter = Parameter::text("namespace", "Only this namespace.");
const ITS_NAMESPACE: Parameter = Parameter::text("namespace", "Its namespace; `default` when absent.");
const COLLECTION: Parameter = Parameter::text("collection", "Only this collection.");
const ITS_COLLECTION: Parameter = Parameter::text("collection", "Its collection.");
const LIMIT: Parameter = Parameter::number("limit", "How many at most, from 1 to 1000.");
const CURSOR: Parameter = Parameter::text("cursor", "Where to go on: `next_cursor` of the page before.");
const TAG: Parameter = Parameter::text("tag", "Only those with this tag.");
const TEXT: Parameter = Parameter::text("q", "Only those whose name contains this, in any case.");
const SINCE: Parameter = Parameter::number("since", "What comes after this revision.");

macro_rules! handler {
    ($function:path) => {
        (|call: Call| Box::pin($function(call))) as Handler
    };
}

/// Every endpoint.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = probes();
    all.extend(Kind::ALL.into_iter().flat_map(of_kind));
    all.extend(gateway());
    all
}

fn get(path: &str, id: &str, handler: Handler) -> Endpoint {
    Endpoint::new(Method::GET, path, id, handler)
}

fn probes() -> Vec<Endpoint> {
    let text = Carries::Other("text/plain");
    let json = Carries::Other("application/json");
    let probe = |path, id, handler| {
        get(path, id, handler)
            .group("probes")
            .access(Access::Open)
            .answers(200, "It wants requests.", json)
            .answers(503, "It is starting or stopping.", json)
    };
    vec![
        get("/", "index", handler!(probes::index))
            .group("probes")
            .summary("What there is")
            .answers(200, "A text.", text),
        get("/livez", "livez", handler!(probes::livez))
            .group("probes")
            .access(Access::Open)
            .summary("Whether the process is alive")
            .answers(200, "It is.", text),
        probe("/readyz", "readyz", handler!(probes::readyz)).summary("Whether the server wants requests"),
        probe("/healthz", "healthz", handler!(probes::healthz)).summary("The same, for people"),
        probe("/health", "health", handler!(probes::health)).summary("The same, as in DGate 1 and 2"),
        get("/metrics", "metrics", handler!(probes::metrics))
            .group("probes")
            .summary("Metrics as text, for Prometheus")
            .answers(200, "The metrics.", text)
            .fails(&[404]),
    ]
}

/// What can be done with resources of a kind: the same for all kinds.
fn of_kind(kind: Kind) -> Vec<Endpoint> {
    let (name, plural) = (kind.as_str(), kind.plural());
    let root = format!("/api/v1/{name}");
    let one = match kind {
        Kind::Namespace => format!("{root}/{{name}}"),
        Kind::Document => format!("{root}/{{namespace}}/{{collection}}/{{+id}}"),
        _ => format!("{root}/{{namespace}}/{{name}}"),
    };
    let role = if kind == Kind::Namespace { Role::Admin } else { Role::Editor };
    let names: Takes = Takes::Value(match kind {
        Kind::Namespace => described::<NamedNamespace>,
        Kind::Document => described::<NamedDocument>,
        _ => described::<Named>,
    });
    let new = |method, path: &str, id: String, handler| Endpoint::new(method, path, id, handler).about(kind);
    let writes = |endpoint: Endpoint| {
        let endpoint = endpoint.access(Access::Write(role)).query(&[DRY_RUN, MESSAGE]).conditional();
        endpoint.fails(&[400, 408, 409, 412, 413, 415, 422])
    };
    let puts = |endpoint: Endpoint| {
        writes(endpoint)
            .takes(Takes::Resource)
            .answers(201, "It is new, and live.", Carries::Resource)
            .answers(200, "It is live, or what would be done.", Carries::ResourceOrPlan)
    };
    let listed = match kind {
        Kind::Namespace => vec![],
        Kind::Document => vec![NAMESPACE, COLLECTION],
        _ => vec![NAMESPACE],
    };
    let mut all = vec![
        new(Method::GET, &root, format!("list_{plural}"), handler!(list::list))
            .summary("List them")
            .query(&listed)
            .query(&[TAG, TEXT, LIMIT, CURSOR])
            .answers(200, "A page of them.", Carries::Resources)
            .fails(&[400]),
        puts(new(Method::PUT, &root, format!("put_named_{name}"), handler!(resource::put_named)))
            .summary("Create or replace one, named in the body"),
        puts(new(Method::POST, &root, format!("post_{name}"), handler!(resource::put_named)))
            .summary("The same"),
        writes(new(Method::DELETE, &root, format!("delete_named_{name}"), handler!(resource::delete_named)))
            .summary("Delete one, named in the body")
            .query(&[CASCADE])
            .takes(names)
            .answers(200, "It is gone, or what would be done.", Carries::DeletedOrPlan)
            .fails(&[404]),
        new(Method::GET, &one, format!("get_{name}"), handler!(resource::get))
            .summary("Read one")
            .conditional()
            .answers(200, "The resource.", Carries::Resource)
            .answers(304, "It is still the one that `If-None-Match` names.", Carries::Nothing)
            .fails(&[404]),
        puts(new(Method::PUT, &one, format!("put_{name}"), handler!(resource::put)))
            .summary("Create or replace one"),
        writes(new(Method::PATCH, &one, format!("patch_{name}"), handler!(resource::patch)))
            .summary("Change some of its fields")
            .takes(Takes::Patch)
            .answers(200, "It is live, or what would be done.", Carries::ResourceOrPlan)
            .fails(&[404]),
        writes(new(Method::DELETE, &one, format!("delete_{name}"), handler!(resource::delete)))
            .summary("Delete one")
            .query(&[CASCADE])
            .answers(200, "It is gone, or what would be done.", Carries::DeletedOrPlan)
            .fails(&[404]),
    ];
    let short = match kind {
        Kind::Namespace => None,
        Kind::Document => Some((format!("{root}/{{id}}"), vec![ITS_NAMESPACE, ITS_COLLECTION])),
        _ => Some((format!("{root}/{{name}}"), vec![ITS_NAMESPACE])),
    };
    all.extend(short.map(|(path, query)| {
        new(Method::GET, &path, format!("get_{name}_as_in_dgate_1"), handler!(resource::get))
            .summary("Read one, as in DGate 1")
            .query(&query)
            .conditional()
            .answers(200, "The resource.", Carries::Resource)
            .answers(304, "It is still the one that `If-None-Match` names.", Carries::Nothing)
            .fails(&[400, 404])
    }));
    all
}

fn gateway() -> Vec<Endpoint> {
    let post = |path: &str, id: &str, handler| Endpoint::new(Method::POST, path, id, handler);
    vec![
        get("/api/v1/openapi.json", "openapi", handler!(probes::openapi))
            .summary("This description")
            .answers(200, "OpenAPI 3.1.", Carries::Other("application/json")),
        get("/api/v1/session", "session", handler!(probes::session))
            .summary("Who asks, and what they may do")
            .answers(200, "Who asks.", Carries::Data(described::<Session>)),
        get("/api/v1/stats", "stats", handler!(probes::stats)).summary("How the server stands").answers(
            200,
            "How it stands.",
            Carries::Data(described::<Stats>),
        ),
        get("/api/v1/cluster", "cluster", handler!(cluster::cluster))
            .summary("The nodes, what runs on them, and how much they have to do")
            .answers(200, "The nodes.", Carries::List(described::<Node>)),
        get("/api/v1/upstreams", "upstreams", handler!(probes::upstreams))
            .summary("Services, their endpoints and their health")
            .answers(200, "The services.", Carries::List(described::<UpstreamService>)),
        get("/api/v1/connections", "connections", handler!(probes::connections))
            .summary("Who is connected, and to whom")
            .answers(200, "The connections.", Carries::Data(described::<Connections>)),
        post("/api/v1/apply", "apply", handler!(apply::apply))
            .summary("Make many resources be there, all or none")
            .query(&[DRY_RUN])
            .conditional()
            .takes(Takes::Value(described::<Apply>))
            .answers(200, "What was done, or would be.", Carries::Data(described::<Plan>))
            .fails(&[400, 408, 409, 412, 413, 415, 422]),
        get("/api/v1/export", "export", handler!(export::export))
            .summary("Everything that is configured, as `apply` takes it")
            .query(&[
                NAMESPACE,
                Parameter::text("owner", "Only what belongs to this owner."),
                Parameter::flag("documents", "With all documents."),
            ])
            .answers(200, "Lists of resources, by kind.", Carries::Data(any))
            .fails(&[400]),
        get("/api/v1/changelog", "list_changelog", handler!(changelog::list))
            .summary("What was changed, oldest first; the latest ones without `since`")
            .group("changelog")
            .query(&[SINCE, LIMIT])
            .answers(200, "Revisions.", Carries::List(described::<ChangelogSummary>))
            .fails(&[400]),
        get("/api/v1/changelog/{revision}", "get_changelog", handler!(changelog::get))
            .summary("What one revision changed")
            .group("changelog")
            .answers(200, "The revision.", Carries::Data(described::<ChangelogEntry>))
            .fails(&[400, 404]),
        post("/api/v1/changelog/{revision}/rollback", "rollback", handler!(changelog::rollback))
            .summary("Go back to a revision, as a new revision")
            .group("changelog")
            .access(Access::Write(Role::Admin))
            .query(&[DRY_RUN])
            .takes(Takes::Optional(described::<Rollback>))
            .answers(200, "What was done, or would be.", Carries::Data(described::<Plan>))
            .fails(&[400, 404, 408, 409, 410, 413, 415, 422]),
        get("/api/v1/watch", "watch", handler!(watch::watch))
            .summary("Revisions as they go live; resumes after `Last-Event-ID`")
            .group("changelog")
            .query(&[SINCE])
            .answers(
                200,
                "Events `change` with a revision each, and `reset`.",
                Carries::Other("text/event-stream"),
            )
            .fails(&[400]),
        get("/api/v1/events", "events", handler!(events::follow))
            .summary("What happens, as it happens: changes, endpoints that go up and down, what modules emit")
            .query(&[Parameter::text(
                "name",
                "Only events of this name, such as `order.paid`; a `*` at its end stands for anything.",
            )])
            .answers(
                200,
                "Events `event` with a JSON object each, and `dropped`.",
                Carries::Other("text/event-stream"),
            ),
        get("/api/v1/logs", "logs", handler!(logs::follow))
            .summary("Lines of the log as they are written")
            .access(Access::Read(Role::Admin))
            .query(&[
                Parameter::text("level", "The least severe level: error, warn, info, debug or trace."),
                Parameter::text("target", "Only lines whose target begins with this."),
                Parameter::text("q", "Only lines that contain this."),
            ])
            .answers(
                200,
                "Events `line` with a JSON object each, and `dropped`.",
                Carries::Other("text/event-stream"),
            ),
        post("/api/v1/module/{namespace}/{name}/run", "run_module", handler!(run::run))
            .summary("Try a module with one request, apart from what serves")
            .about(Kind::Module)
            .takes(Takes::Value(described::<RunModule>))
            .answers(200, "What came of it.", Carries::Data(described::<ModuleRan>))
            .fails(&[404, 408, 413, 415, 422]),
        post("/api/v1/tags/explain", "explain_tags", handler!(explain::explain_tags))
            .summary("The same as `/explain`, in the order of the decisions")
            .group("tags")
            .access(Access::Read(Role::Viewer))
            .takes(Takes::Value(described::<Explain>))
            .answers(200, "The explanation.", Carries::Data(described::<Explanation>))
            .fails(&[400, 408, 413, 415, 422]),
        get("/api/v1/tags/plan", "plan_tags", handler!(tags::plan))
            .summary("What will change with time, by the tags of the server and of namespaces")
            .group("tags")
            .query(&[Parameter::text("until", "How far ahead is looked, as RFC 3339; a year when absent.")])
            .answers(200, "The edges, the earliest first.", Carries::List(any))
            .fails(&[400]),
        post("/api/v1/explain", "explain", handler!(explain::explain))
            .summary("What the gateway would do with a request, and why")
            .access(Access::Read(Role::Viewer))
            .takes(Takes::Value(described::<Explain>))
            .answers(200, "Every candidate, and who wins.", Carries::Data(described::<Explained>))
            .fails(&[400, 408, 413, 415, 422]),
    ]
}

fn any(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object" })
}
