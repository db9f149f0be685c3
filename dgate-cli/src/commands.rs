//! The commands, a file or folder for each.

mod canary;
mod cluster;
mod completion;
mod declarative;
mod explain;
mod export;
mod history;
mod import;
mod job;
mod logs;
mod man;
mod module;
mod plan;
pub(crate) mod resource;
mod tags;
mod top;
mod version;

use clap::Subcommand;
use dgate_core::Kind;

use crate::commands::resource::Verbs;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A world of its own: names, routes and documents.
    #[command(visible_alias = "ns", alias = "namespaces")]
    Namespace(Verbs),
    /// Upstream endpoints with their balancing and health rules.
    #[command(visible_alias = "svc", alias = "services")]
    Service(Verbs),
    /// Which requests go where, and through which modules.
    #[command(visible_alias = "rt", alias = "routes")]
    Route(Verbs),
    /// TypeScript or JavaScript in the request path.
    #[command(visible_alias = "mod", alias = "modules")]
    Module(module::Module),
    /// Host patterns that lead to a namespace.
    #[command(visible_alias = "dom", alias = "domains")]
    Domain(Verbs),
    /// A named set of documents.
    #[command(visible_alias = "col", alias = "collections")]
    Collection(Verbs),
    /// One JSON value of a collection.
    #[command(visible_alias = "doc", alias = "documents")]
    Document(Verbs),
    /// A value that modules may read and nobody may print.
    #[command(visible_alias = "sec", alias = "secrets")]
    Secret(Verbs),
    /// A module that runs on a schedule or on events.
    #[command(alias = "jobs")]
    Job(job::Job),
    /// A TCP address and what to do with its connections.
    #[command(alias = "listeners")]
    Listener(Verbs),
    /// A wire format for TCP connections.
    #[command(alias = "protocols")]
    Protocol(Verbs),
    /// Make everything be there that files list. Nothing is deleted.
    Apply(declarative::Apply),
    /// The same, and delete what the same owner made and no longer lists.
    Sync(declarative::Sync),
    /// Show what `apply` (with an owner: `sync`) would do.
    Diff(declarative::Diff),
    /// Check files, without a server or against one.
    Validate(declarative::Validate),
    /// Show the nodes that make up the gateway.
    Cluster(cluster::Cluster),
    /// Tell what the gateway would do with a request, and why.
    Explain(explain::Explain),
    /// Show how busy the routes are.
    Top(top::Top),
    /// Show the server's log as it is written.
    Logs(logs::Logs),
    /// Turn other descriptions into resources for `apply`.
    Import(import::Import),
    /// Write everything that is configured, as `apply` reads it.
    Export(export::Export),
    /// Show what was changed, when and by whom.
    #[command(alias = "changelog")]
    Log(history::Log),
    /// Go back to the configuration of an earlier revision.
    Rollback(history::Rollback),
    /// Give a share of a route's requests something new; widen, promote or abort it.
    Canary(canary::Canary),
    /// Explain who gets what, and list what will change with time.
    Tags(tags::Tags),
    /// Print a script that completes this program's words in a shell.
    Completion(completion::Completion),
    /// Print the manual page, or write all of them into a directory.
    Man(man::Man),
    /// Print the version of this program and of the server.
    Version(version::Version),
}

/// Does what a command says.
///
/// # Errors
/// Why it could not be done.
pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Namespace(Verbs { verb }) => verb.run(Kind::Namespace, context).await,
        Command::Service(Verbs { verb }) => verb.run(Kind::Service, context).await,
        Command::Route(Verbs { verb }) => verb.run(Kind::Route, context).await,
        Command::Module(module) => module.run(context).await,
        Command::Domain(Verbs { verb }) => verb.run(Kind::Domain, context).await,
        Command::Collection(Verbs { verb }) => verb.run(Kind::Collection, context).await,
        Command::Document(Verbs { verb }) => verb.run(Kind::Document, context).await,
        Command::Secret(Verbs { verb }) => verb.run(Kind::Secret, context).await,
        Command::Job(job) => job.run(context).await,
        Command::Listener(Verbs { verb }) => verb.run(Kind::Listener, context).await,
        Command::Protocol(Verbs { verb }) => verb.run(Kind::Protocol, context).await,
        Command::Apply(apply) => apply.run(context).await,
        Command::Sync(sync) => sync.run(context).await,
        Command::Diff(diff) => diff.run(context).await,
        Command::Validate(validate) => validate.run(context).await,
        Command::Cluster(cluster) => cluster.run(context).await,
        Command::Explain(explain) => explain.run(context).await,
        Command::Top(top) => top.run(context).await,
        Command::Logs(logs) => logs.run(context).await,
        Command::Import(import) => import.run(context),
        Command::Export(export) => export.run(context).await,
        Command::Log(log) => log.run(context).await,
        Command::Rollback(rollback) => rollback.run(context).await,
        Command::Canary(canary) => canary.run(context).await,
        Command::Tags(tags) => tags.run(context).await,
        Command::Completion(completion) => completion.run(context),
        Command::Man(man) => man.run(context),
        Command::Version(version) => version.run(context).await,
    }
}
