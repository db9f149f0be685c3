//! `module test`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use dgate_modules::local::{self, Network, Reporter, TestOptions};

use super::{network, project};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// How often files are looked at with `--watch`.
const LOOK: Duration = Duration::from_millis(300);

/// What is tested, and how it is told.
#[derive(Debug, Args)]
#[command(after_help = "Tests import `dgate/test`; see `dgate-cli module init` for a beginning.")]
pub(crate) struct Test {
    /// A folder of modules with `*.test.ts`, or one such file.
    #[arg(default_value_os_t = super::here())]
    path: PathBuf,
    /// Run them again whenever a file changes.
    #[arg(long)]
    watch: bool,
    /// Only tests whose name contains this.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How results are told.
    #[arg(long, value_enum, default_value = "pretty")]
    reporter: ReporterArg,
    /// A permission that modules have besides those in files. May be given several times.
    #[arg(long, value_name = "PERMISSION")]
    allow: Vec<String>,
    /// Let `fetch` reach the network, as far as permissions go. Without it, tests use `mockFetch`.
    #[arg(long)]
    network: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReporterArg {
    /// For people.
    Pretty,
    /// XML for CI servers.
    Junit,
    /// For programs.
    Json,
}

impl From<ReporterArg> for Reporter {
    fn from(written: ReporterArg) -> Self {
        match written {
            ReporterArg::Pretty => Self::Pretty,
            ReporterArg::Junit => Self::Junit,
            ReporterArg::Json => Self::Json,
        }
    }
}

impl Test {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        if !self.watch {
            return self.run_once(context).await;
        }
        loop {
            let before = times(&self.directory());
            if let Err(failure) = self.run_once(context).await {
                context.output.say(failure);
            }
            context.output.say("waiting for changes; Ctrl-C ends it");
            while times(&self.directory()) == before {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    async fn run_once(&self, context: &Context) -> Result<Exit, Failure> {
        let project = project(&self.path, &self.allow)?;
        let project = if self.path.is_file() { project.only_tests(&self.path) } else { project };
        if project.tests().is_empty() {
            return Err(Failure::new(Exit::NotFound, format!("no `*.test.ts` in {}", self.path.display())));
        }
        let mut options = TestOptions::default();
        options.filter.clone_from(&self.filter);
        if self.network {
            options.network = Network { fetch: Some(network::client(context)?) };
        }
        let report = local::test(&project, &options).await;
        output::text(Reporter::from(self.reporter).write(&report).trim_end())?;
        let nothing = report.counts() == (0, 0, 0);
        if nothing {
            return Err(Failure::new(Exit::NotFound, "no test has such a name"));
        }
        Ok(if report.is_fine() { Exit::Success } else { Exit::TestsFailed })
    }

    fn directory(&self) -> PathBuf {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if self.path.is_file() { parent.map_or_else(super::here, Path::to_owned) } else { self.path.clone() }
    }
}

/// When the files of a folder were changed last.
fn times(directory: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.modified().ok()?))).collect()
}
