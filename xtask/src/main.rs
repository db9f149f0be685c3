//! Project automation: `cargo xtask tidy`, `test`, `ci`, `bench`.

#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

mod bench;
mod check;
mod ci;
mod command;
mod project;
mod step;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::Bench;
use crate::step::Selection;

/// Project automation of DGate.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check what compilers do not: format, file lengths, forbidden words, who may depend on whom.
    Tidy(Selection),
    /// Run all tests. Says what is missing for them, or installs it.
    Test(Selection),
    /// Run everything that must hold before a change is merged.
    Ci(Selection),
    /// Measure: all micro-benchmarks, or (`e2e`) the gateway beside others.
    Bench(Bench),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Tidy(selection) => selection.run("tidy", &tidy::steps()),
        Task::Test(selection) => selection.run("test", &test::steps()),
        Task::Ci(selection) => selection.run("ci", &ci::steps()),
        Task::Bench(bench) => bench.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
