//! The gateway beside others, under the same load: CPU time per request. Times differ between machines, ratios do not.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::contender::{Certificate, Contender, Running};
use super::load::{self, Window};
use super::report::{self, Measured};
use super::scenario::{self, Scenario};
use super::upstream::Upstream;
use crate::project::Project;
use crate::{command, tools};

/// How the gateway is compared.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only these scenarios, by name.
    #[arg(long, value_delimiter = ',')]
    scenarios: Vec<String>,
    /// Print the scenarios and do nothing.
    #[arg(long)]
    list: bool,
    /// How often each is measured, in turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each measurement takes, in seconds.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Measure this program instead of building one with the profile `dist`.
    #[arg(long, value_name = "PROGRAM")]
    binary: Option<PathBuf>,
}

pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let scenarios = choose(&options.scenarios)?;
    if options.list {
        for scenario in scenarios {
            println!("{:<8} {}", scenario.name, scenario.about);
        }
        return Ok(());
    }
    tools::ensure(project, tools::FOR_BENCHMARKS)?;
    if std::thread::available_parallelism()?.get() < 2 {
        bail!("this needs two CPUs: one for the gateway, one for load and upstream");
    }
    let folder = project.target().join("end-to-end");
    // What is left of an earlier run tells nothing about this one.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let certificate = Certificate::make(&folder)?;
    let upstream = Upstream::start(&folder)?;

    let dgate = match &options.binary {
        Some(program) => program.canonicalize().with_context(|| program.display().to_string())?,
        None => build(project)?,
    };
    let contenders = [Contender::dgate(dgate), Contender::nginx(), Contender::haproxy()];
    let contenders: Vec<Contender> = contenders.into_iter().filter(Contender::is_installed).collect();

    let mut measured: Vec<Measured<'_>> = Vec::new();
    for scenario in scenarios {
        println!("{}: {}", scenario.name, scenario.about);
        let start = |contender: &Contender| contender.start(scenario, &folder, upstream.port, &certificate);
        let taking_part = contenders.iter().filter(|contender| contender.takes_part(scenario));
        let running = taking_part.map(start).collect::<Result<Vec<_>>>()?;
        let windows =
            rounds(&running, options, |running, seconds| load::run(running, scenario, &folder, seconds))?;
        measured.push((scenario, windows));
    }
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name).collect();
    println!("\n{}", report::table(&names, &measured));
    Ok(())
}

/// Measures in turns, so that a change of the machine's mood meets all of them alike. A second of load comes first.
fn rounds(
    running: &[Running],
    options: &Options,
    load: impl Fn(&Running, u32) -> Result<Window>,
) -> Result<Vec<(&'static str, Vec<Window>)>> {
    let mut all: Vec<(&'static str, Vec<Window>)> =
        running.iter().map(|running| (running.name, Vec::new())).collect();
    for running in running {
        load(running, 1).with_context(|| running.name)?;
    }
    for _ in 0..options.rounds {
        for (running, (_, windows)) in running.iter().zip(&mut all) {
            windows.push(load(running, options.seconds).with_context(|| running.name)?);
        }
    }
    Ok(all)
}

fn choose(names: &[String]) -> Result<Vec<&'static Scenario>> {
    if let Some(unknown) =
        names.iter().find(|name| scenario::ALL.iter().all(|scenario| scenario.name != **name))
    {
        let known: Vec<&str> = scenario::ALL.iter().map(|scenario| scenario.name).collect();
        bail!("there is no scenario `{unknown}`; there are: {}", known.join(", "));
    }
    let chosen = |scenario: &&Scenario| names.is_empty() || names.iter().any(|name| name == scenario.name);
    Ok(scenario::ALL.iter().filter(chosen).collect())
}

fn build(project: &Project) -> Result<PathBuf> {
    command::run(&mut project.cargo("build --profile dist --package dgate-server"))?;
    Ok(project.target().join("dist/dgate-server"))
}
