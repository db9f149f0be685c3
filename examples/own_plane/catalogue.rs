//! The plane, and what it makes of a configuration.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use dgate_core::apply::{Next, Prepare, Prepared};
use dgate_core::resource::Resource;
use dgate_core::{BoxFuture, Problem, Problems};

/// Makes a [`Catalogue`] of each configuration.
#[derive(Debug)]
pub(crate) struct CataloguePlane;

/// Which paths there are, and how long they may take. The plane's plan: it goes live with everything else.
#[derive(Debug, Default)]
pub(crate) struct Catalogue(Vec<String>);

impl Prepare for CataloguePlane {
    fn prepare<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Box<dyn Prepared>, Problems>> {
        // Whatever can fail has to fail here: after this there is only the swap. This plane needs no time for it.
        let prepared = catalogue(next).map(|plan| Box::new(Ready(Arc::new(plan))) as Box<dyn Prepared>);
        Box::pin(std::future::ready(prepared))
    }
}

/// A catalogue that waits for its publication. Dropped before, it leaves nothing behind.
struct Ready(Arc<Catalogue>);

impl Prepared for Ready {
    fn plan(&self) -> Arc<dyn Any + Send + Sync> {
        self.0.clone()
    }
}

fn catalogue(next: Next<'_>) -> Result<Catalogue, Problems> {
    let mut catalogue = Catalogue::default();
    let mut problems = Problems::new();
    for route in next.snapshot.namespaces().iter().flat_map(|namespace| namespace.routes().iter()) {
        let spec = &route.spec.spec;
        match spec.timeout {
            Some(timeout) => {
                catalogue.0.extend(spec.paths.iter().map(|path| format!("{path} within {timeout}")));
            }
            None => {
                let problem = Problem::error("/timeout", "a route needs a timeout here");
                problems.push(problem.with_help("such as `timeout: 10s`").about(&spec.key()));
            }
        }
    }
    catalogue.0.sort();
    problems.or(catalogue).map(|(catalogue, _warnings)| catalogue)
}

impl fmt::Display for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
