//! `module test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dgate_modules::local::{self, FileRole, Network, Project, Reporter, TestOptions, TestReport};

use super::watch::{Imported, Watch};
use super::{network, project};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format};

/// What is tested, and how it is told.
#[derive(Debug, Args)]
#[command(after_help = "Tests import `dgate/test`; see `dgate-cli module init` for a beginning.")]
pub(crate) struct Test {
    /// A folder of modules with `*.test.ts`, or one such file.
    #[arg(default_value_os_t = super::here())]
    path: PathBuf,
    /// Run them again whenever a file changes that they read or import: tests, their modules, YAML files.
    #[arg(long)]
    watch: bool,
    /// Only tests whose name contains this.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How results are told; `pretty` when absent.
    #[arg(long, value_enum)]
    reporter: Option<ReporterArg>,
    /// Write the reporter's results to this file, and those for people to standard output.
    #[arg(long, value_name = "FILE", requires = "reporter")]
    report_file: Option<PathBuf>,
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
        let reporter = self.reporter(context)?;
        if !self.watch {
            return self.run_once(self.project()?, reporter, context, &mut None).await;
        }
        // What is not there at all is a slip of the pen, and nothing to wait for.
        self.project()?;
        let mut watch = Watch::new(&self.path);
        loop {
            watch.remember();
            let mut imported = None;
            let project = match self.project() {
                Ok(project) if watch.learn(project.sources()) => self.project(),
                read => read,
            };
            let tested = match project {
                Ok(project) => self.run_once(project, reporter, context, &mut imported).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = tested {
                context.output.fail(&failure);
            }
            context.output.say("waiting for changes; Ctrl-C ends it");
            let changes = watch.changes(&imported).await;
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            context.output.say(changes.join(", "));
        }
    }

    async fn run_once(
        &self,
        project: Project,
        reporter: Reporter,
        context: &Context,
        imported: &mut Imported,
    ) -> Result<Exit, Failure> {
        if project.tests().is_empty() {
            return Err(self.no_tests());
        }
        let mut options = TestOptions::default();
        options.filter.clone_from(&self.filter);
        if self.network {
            options.network = Network { fetch: Some(network::client(context)?) };
        }
        let report = local::test(&project, &options).await;
        *imported = sources(&report, &project);
        match &self.report_file {
            None => output::text(reporter.write(&report).trim_end())?,
            Some(file) => {
                output::text(Reporter::Pretty.write(&report).trim_end())?;
                std::fs::write(file, reporter.write(&report)).map_err(|error| {
                    Failure::new(Exit::Failed, format!("{} cannot be written: {error}", file.display()))
                })?;
            }
        }
        if report.counts() == (0, 0, 0) {
            return Err(match &self.filter {
                Some(text) => Failure::new(Exit::NotFound, format!("no test has a name with `{text}` in it")),
                None => Failure::new(Exit::NotFound, "the files have no tests")
                    .with_help("a test is made by `test(name, body)` of `dgate/test`"),
            });
        }
        Ok(if report.is_fine() { Exit::Success } else { Exit::TestsFailed })
    }

    fn project(&self) -> Result<Project, Failure> {
        let project = project(&self.path, &self.allow)?;
        Ok(if self.path.is_file() { project.only_tests(&self.path) } else { project })
    }

    /// The reporter that is asked for, also by `-o json`.
    fn reporter(&self, context: &Context) -> Result<Reporter, Failure> {
        match (self.reporter, context.output.format) {
            (Some(reporter), _) => Ok(reporter.into()),
            (None, None | Some(Format::Table | Format::Wide)) => Ok(Reporter::Pretty),
            (None, Some(Format::Json)) => Ok(Reporter::Json),
            (None, Some(Format::Yaml | Format::Name)) => {
                let message = "results of tests are written for people, as JSON or as JUnit XML";
                Err(Failure::usage(message).with_help("use `--reporter pretty|json|junit`"))
            }
        }
    }

    fn no_tests(&self) -> Failure {
        let (path, exit) = (self.path.display(), Exit::NotFound);
        if FileRole::of(&self.path) != Some(FileRole::Module) || !self.path.is_file() {
            let help =
                "tests stand in `NAME.test.ts`; `dgate-cli module init NAME` writes some to begin with";
            return Failure::new(exit, format!("no `*.test.ts` in {path}")).with_help(help);
        }
        let tests = self.path.with_extension("test.ts");
        let help = if tests.is_file() {
            format!("its tests: `dgate-cli module test {}`", tests.display())
        } else {
            format!("its tests would stand in {}", tests.display())
        };
        Failure::new(exit, format!("{path} is a module, and no file with tests")).with_help(help)
    }
}

/// The files of all modules that tests import; nothing if that is not known of some.
fn sources(report: &TestReport, project: &Project) -> Imported {
    let mut sources = std::collections::BTreeSet::new();
    for file in &report.files {
        let modules = file.modules.as_ref()?;
        sources.extend(modules.iter().filter_map(|module| project.file_of(module)).map(ToOwned::to_owned));
    }
    Some(sources)
}
