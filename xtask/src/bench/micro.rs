//! The micro-benchmarks of all crates.

use anyhow::{Result, bail};
use cargo_metadata::TargetKind;

use crate::command;
use crate::project::Project;

pub(crate) fn run(project: &Project, filter: Option<&str>) -> Result<()> {
    let mut found = false;
    for package in project.members() {
        let benches = package.targets.iter().filter(|target| target.kind.contains(&TargetKind::Bench));
        for bench in benches {
            found = true;
            let mut cargo = project.cargo("bench --all-features");
            cargo.args(["--package", &package.name, "--bench", &bench.name]);
            command::run(cargo.arg("--").args(filter))?;
        }
    }
    if !found {
        bail!("no crate has benchmarks");
    }
    Ok(())
}
