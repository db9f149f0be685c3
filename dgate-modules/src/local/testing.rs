//! Runs `*.test.ts`, each file in a runtime of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use dgate_core::resource::{AnyResource, Module, ModuleLimits, Route};
use dgate_core::units::HumanDuration;
use dgate_core::{Body, Problems, Severity};
use http::Request;

use super::project::module;
use super::{LocalGateway, Network, Project, ProjectError};
use crate::ConsoleLine;
use crate::engine::Task;
use crate::exchange::{DraftBody, Exchange, RequestInfo, RequestPart};
use crate::failure::Failure;
use crate::hook::Hook;
use crate::pool::Place;
use crate::program::{self, Library, Program, TEST_RUNNER};

/// How tests are run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TestOptions {
    /// Only those whose name contains this.
    pub filter: Option<String>,
    /// What they may reach; nothing by default.
    pub network: Network,
}

/// What came of all tests.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TestReport {
    /// Each file with its tests.
    pub files: Vec<FileReport>,
}

/// What came of the tests of a file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Each test, in order.
    pub tests: Vec<TestOutcome>,
    /// Why none could be run, when that is so.
    pub error: Option<String>,
    /// The modules that it imports, directly or through others; nothing when that could not be told.
    pub modules: Option<Vec<String>>,
    /// How long all of it took.
    pub took: Duration,
}

/// What came of a test.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestOutcome {
    /// Its name.
    pub name: String,
    /// What went wrong and where; nothing when it passed.
    pub failure: Option<String>,
    /// Whether it was left out.
    pub skipped: bool,
    /// How long it took.
    pub took: Duration,
    /// What was written to the console meanwhile.
    pub console: Vec<ConsoleLine>,
}

impl TestReport {
    /// How many passed, failed and were skipped; a file that could not be run counts as a failure.
    pub fn counts(&self) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for file in &self.files {
            counts.1 += usize::from(file.error.is_some());
            for test in &file.tests {
                match test {
                    TestOutcome { skipped: true, .. } => counts.2 += 1,
                    TestOutcome { failure: None, .. } => counts.0 += 1,
                    _ => counts.1 += 1,
                }
            }
        }
        counts
    }

    /// Whether nothing failed.
    pub fn is_fine(&self) -> bool {
        self.counts().1 == 0
    }
}

/// Runs all tests of a project. Modules have the permissions that the project gives them, and the same limits on memory and
/// nesting as in a server; a test may compute for 5 s and take 30 s.
pub async fn test(project: &Project, options: &TestOptions) -> TestReport {
    let mut report = TestReport::default();
    for path in project.tests() {
        let started = Instant::now();
        let (path, tests, took) = (path.clone(), Vec::new(), Duration::ZERO);
        let mut file = FileReport { path, tests, error: None, modules: None, took };
        file.error = run_file(project, options, &mut file).await.err();
        file.took = started.elapsed();
        report.files.push(file);
    }
    report
}

async fn run_file(project: &Project, options: &TestOptions, report: &mut FileReport) -> Result<(), String> {
    let path = &report.path;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let source = std::fs::read_to_string(path)
        .map_err(|source| ProjectError::Unreadable { path: path.clone(), source }.to_string())?;
    let project = with_tests(project, module(stem, source, path));
    let started = LocalGateway::start(&project, options.network.clone()).await;
    let gateway = started.map_err(|problems| lines(&problems))?;
    let program = Suite::program(&gateway)?;
    let imported = program.modules.iter().map(|module| module.name.to_string());
    report.modules = Some(imported.filter(|name| name != TEST_RUNNER && name != stem).collect());
    let suite = Suite::open(&gateway, program).await?;
    let listed = suite.run(None).await.map_err(|failure| failure.with_trace())?;
    let tests: Vec<Listed> = serde_json::from_slice(&listed).map_err(|error| error.to_string())?;
    let only = tests.iter().any(|test| test.only);
    for (number, test) in tests.iter().enumerate() {
        let filtered = options.filter.as_ref().is_some_and(|filter| !test.name.contains(filter));
        if filtered {
            continue;
        }
        let skipped = test.skip || (only && !test.only);
        let mut outcome = TestOutcome {
            name: test.name.clone(),
            failure: None,
            skipped,
            took: Duration::ZERO,
            console: Vec::new(),
        };
        if !skipped {
            gateway.clear_documents().await.map_err(|problems| lines(&problems))?;
            let started = Instant::now();
            outcome.failure = suite.run(Some(number)).await.err().map(|failure| told(failure).with_trace());
            outcome.took = started.elapsed();
            outcome.console = gateway.take_console();
        }
        report.tests.push(outcome);
    }
    Ok(())
}

/// The same without what runs the tests.
fn told(mut failure: Failure) -> Failure {
    failure.trace.retain(|line| !line.contains(&format!("({TEST_RUNNER}.")));
    failure
}

#[derive(serde::Deserialize)]
struct Listed {
    name: String,
    skip: bool,
    only: bool,
}

fn lines(problems: &Problems) -> String {
    // Warnings are about the route that tests are called through, and about nobody's else.
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A project with a module of tests, and one that runs them.
fn with_tests(project: &Project, mut tests: Module) -> Project {
    let mut project = project.without_routes();
    tests.permissions = vec!["*".to_owned()];
    let source = format!(
        "import './{}';
         import {{ list, run }} from 'dgate:tests';
         export async function requestHandler(ctx) {{
           const number = ctx.query().get('number');
           if (number === null) return ctx.response().json(list());
           await run(Number(number));
           ctx.response().status(204).end();
         }}",
        tests.name
    );
    let mut runner = Module::new(TEST_RUNNER, source);
    runner.permissions = vec!["*".to_owned()];
    runner.limits = ModuleLimits { cpu: Some(HumanDuration::from_secs(5)), ..ModuleLimits::default() };
    project.add(AnyResource::from(tests));
    project.add(AnyResource::from(runner));
    project.add(AnyResource::from(Route::new("dgate.tests", "/**")));
    project
}

/// The tests of a file, ready to be run.
struct Suite<'g> {
    gateway: &'g LocalGateway,
    deployed: std::sync::Arc<crate::pool::Deployed>,
    place: std::cell::Cell<Option<Place>>,
}

impl<'g> Suite<'g> {
    fn program(gateway: &LocalGateway) -> Result<Program, String> {
        let namespace = gateway.namespace().ok_or("there is no namespace")?;
        let names = [TEST_RUNNER.to_owned()];
        program::build(&Library::default(), &namespace, &names, &crate::limits::Rules::default())
            .map_err(|problems| lines(&problems))
    }

    async fn open(gateway: &'g LocalGateway, program: Program) -> Result<Self, String> {
        let deployed = gateway.runner.deploy(program).await;
        let deployed = deployed.map_err(|(_, failure)| failure.with_trace())?;
        Ok(Self { gateway, deployed, place: std::cell::Cell::new(None) })
    }

    /// Runs the test of a number, or lists all; what the runner answered.
    async fn run(&self, number: Option<usize>) -> Result<Vec<u8>, Failure> {
        let target = number.map_or("/".to_owned(), |number| format!("/?number={number}"));
        let internal = |why: &str| Failure::new(crate::failure::FailureKind::Internal, why);
        let mut request =
            Request::get(target).body(Body::empty()).map_err(|error| internal(&error.to_string()))?;
        let context = self.gateway.context(&request).map_err(|error| internal(&error.to_string()))?;
        let info = RequestInfo::new(&context).ok_or_else(|| internal("there is no route"))?;
        let exchange =
            Box::new(Exchange { request: Some(RequestPart::take(&mut request)), ..Exchange::default() });
        // Zero is nobody's number.
        let task = Task {
            hook: Hook::RequestHandler,
            request: 0,
            info: info.into(),
            exchange,
            error: None,
            keep: false,
        };
        // What tests share at the top level of their file stays: they run in one runtime as long as it lives.
        let (place, done) = self.deployed.run(self.place.get(), task).await;
        self.place.set(place);
        let done = done?;
        done.result?;
        Ok(match done.exchange.draft.body {
            DraftBody::Whole(bytes) => bytes.to_vec(),
            DraftBody::Written(bytes) => bytes,
            _ => Vec::new(),
        })
    }
}
