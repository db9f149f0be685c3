//! All tests. Everything is built once, with the profile `ci`.

use anyhow::Result;

use crate::command;
use crate::project::Project;
use crate::step::Step;
use crate::tools;

/// The steps of `cargo xtask test`. The largest is the last, so that its count is what one sees at the end.
pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step { name: "tools", about: "what tests need is there", run: tools },
        Step { name: "doctests", about: "examples in the documentation work", run: doctests },
        Step { name: "tests", about: "unit and integration tests of all crates", run: tests },
    ]
}

fn tools(project: &Project) -> Result<()> {
    tools::ensure(project, tools::FOR_TESTS)
}

fn doctests(project: &Project) -> Result<()> {
    command::run(&mut project.cargo("test --doc --workspace --all-features --profile ci --quiet"))
}

fn tests(project: &Project) -> Result<()> {
    command::run(&mut project.cargo("nextest run --workspace --all-features --cargo-profile ci --profile ci"))
}
