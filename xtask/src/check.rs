//! What compilers and their companions check.

use std::process::Command;

use anyhow::Result;
use cargo_metadata::Package;

use crate::command;
use crate::project::Project;
use crate::step::Step;
use crate::tools;

/// The steps between `tidy` and `test`.
pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step {
            name: "licences",
            about: "licences, versions and sources of dependencies (deny.toml)",
            run: licences,
        },
        Step {
            name: "types",
            about: "TypeScript accepts dgate.d.ts and the examples of modules",
            run: types,
        },
        Step { name: "clippy", about: "no warnings, in all targets with all features", run: clippy },
        Step { name: "docs", about: "documentation builds without warnings", run: docs },
        Step { name: "features", about: "each crate builds alone, with each of its features", run: features },
    ]
}

fn licences(project: &Project) -> Result<()> {
    tools::ensure(project, tools::FOR_LICENCES)?;
    // Not `advisories`: whether one was published today says nothing about a change.
    command::run(&mut project.cargo("deny --offline check bans licenses sources"))
}

/// As strict as a new module's `tsconfig.json`.
fn types(project: &Project) -> Result<()> {
    tools::ensure(project, tools::FOR_TYPES)?;
    let mut files = vec![project.root().join("dgate-modules/types/dgate.d.ts")];
    for entry in std::fs::read_dir(project.root().join("examples/modules"))? {
        files.push(entry?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ts"));
    files.sort();
    let mut compiler = Command::new("tsc");
    compiler.args(["--noEmit", "--strict", "--isolatedModules"]);
    compiler.args(["--target", "ES2022", "--lib", "ES2022", "--moduleResolution", "node"]);
    command::run(compiler.args(files))
}

fn clippy(project: &Project) -> Result<()> {
    command::run(
        &mut project.cargo(
            "clippy --keep-going --workspace --all-targets --all-features --profile ci -- -D warnings",
        ),
    )
}

fn docs(project: &Project) -> Result<()> {
    let mut cargo = project.cargo("doc --workspace --all-features --no-deps --keep-going --profile ci");
    command::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}

/// In a workspace, one crate's features hide what another forgot to ask for. Alone, each has what it asks for.
fn features(project: &Project) -> Result<()> {
    for package in project.members() {
        for features in feature_sets(package) {
            let mut cargo = project.cargo("check --profile ci --package");
            command::run(cargo.arg(package.name.as_str()).args(features))?;
        }
    }
    Ok(())
}

/// None, the default ones, each alone.
fn feature_sets(package: &Package) -> Vec<Vec<String>> {
    let with = |arguments: &[&str]| arguments.iter().map(|&argument| argument.to_owned()).collect();
    let mut sets = vec![with(&["--no-default-features"])];
    for feature in package.features.keys() {
        sets.push(match feature.as_str() {
            "default" => Vec::new(),
            feature => with(&["--no-default-features", "--features", feature]),
        });
    }
    sets
}
