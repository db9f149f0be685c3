//! Who may depend on whom of ours, and what every manifest says.

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Package, TargetKind};

use super::findings::Findings;
use crate::project::Project;

/// Each of our crates, with those of ours it may depend on. Siblings never import siblings: they meet at traits in
/// `dgate-core` and are joined in `dgate-server`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("dgate-core", &[]),
    ("dgate-proxy", &["dgate-core"]),
    ("dgate-l4", &["dgate-core"]),
    ("dgate-modules", &["dgate-core"]),
    ("dgate-admin", &["dgate-core"]),
    ("dgate-cli", &["dgate-core", "dgate-modules"]),
    ("dgate-server", &["dgate-core", "dgate-proxy", "dgate-l4", "dgate-modules", "dgate-admin"]),
    // Stand where an embedder stands.
    (
        "dgate-examples",
        &["dgate-core", "dgate-proxy", "dgate-l4", "dgate-modules", "dgate-admin", "dgate-server"],
    ),
    ("xtask", &[]),
];

/// Siblings that the tests of a crate may use besides: hooks are tested in a whole gateway.
const TESTS_MAY_USE: &[(&str, &[&str])] = &[("dgate-modules", &["dgate-proxy"])];

/// Crates that end in a program. Only these choose allocators and report errors without types.
const PROGRAMS: &[&str] = &["dgate-server", "dgate-cli", "dgate-examples", "xtask"];
const FOR_PROGRAMS: &[&str] = &["anyhow", "miette", "mimalloc"];

/// The one program of integration tests that each crate has, and others that need a process of their own.
const TEST_PROGRAMS: &[&str] = &[
    "it",
    // Counts with an allocator of its own, which a program has one of.
    "allocations",
];

pub(crate) fn check(project: &Project) -> Result<()> {
    let mut findings = Findings::default();
    for package in project.members() {
        let uses: Vec<&str> =
            package.dependencies.iter().map(|dependency| dependency.name.as_str()).collect();
        let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        let ours: Vec<(&str, bool)> = ours
            .map(|dependency| (dependency.name.as_str(), dependency.kind == DependencyKind::Development))
            .collect();
        look_at_edges(&package.name, &ours, &mut findings)?;
        look_at_tools(&package.name, &uses, &mut findings);
        look_at_manifest(project, package, &mut findings)?;
    }
    findings.finish()
}

/// `ours` are the crates of ours that a crate uses, with whether only its tests do.
fn look_at_edges(name: &str, ours: &[(&str, bool)], findings: &mut Findings) -> Result<()> {
    let of = |table: &[(&str, &'static [&'static str])]| {
        table.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed)
    };
    let Some(allowed) = of(MAY_USE) else {
        bail!("{name} is new: say in xtask/src/tidy/crates.rs what it may depend on");
    };
    let for_tests = of(TESTS_MAY_USE).unwrap_or_default();
    for (used, only_tests) in ours {
        // A crate may name itself to switch on its own features for its tests.
        if *used != name && !allowed.contains(used) && !(*only_tests && for_tests.contains(used)) {
            findings.add(format!("{name} depends on {used}, and may depend on {allowed:?} of ours"));
        }
    }
    Ok(())
}

fn look_at_tools(name: &str, uses: &[&str], findings: &mut Findings) {
    for used in uses.iter().filter(|used| FOR_PROGRAMS.contains(used) && !PROGRAMS.contains(&name)) {
        findings.add(format!("{name} is a library and depends on {used}, which is for programs"));
    }
}

fn look_at_manifest(project: &Project, package: &Package, findings: &mut Findings) -> Result<()> {
    let name = &package.name;
    let text = std::fs::read_to_string(&package.manifest_path)?;
    for (there, what) in [
        (package.license.is_some(), "license"),
        (package.description.is_some(), "description"),
        (package.repository.is_some(), "repository"),
        (text.replace(' ', "").contains("[lints]\nworkspace=true"), "lints of the workspace"),
    ] {
        if !there {
            let manifest =
                package.manifest_path.strip_prefix(project.root()).unwrap_or(&package.manifest_path);
            findings.add(format!("{manifest}: no {what}"));
        }
    }
    let tests = package.targets.iter().filter(|target| target.kind.contains(&TargetKind::Test));
    for test in tests.filter(|test| !TEST_PROGRAMS.contains(&test.name.as_str())) {
        findings.add(format!(
            "{name}: integration tests live in one program, tests/it/main.rs, not in `{}`",
            test.name
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_do_not_import_siblings() {
        let mut findings = Findings::default();
        let own = [("dgate-core", false), ("dgate-proxy", true)];
        look_at_edges("dgate-proxy", &own, &mut findings).unwrap();
        look_at_edges("dgate-modules", &[("dgate-proxy", true)], &mut findings).unwrap();
        assert!(findings.lines().is_empty());
        look_at_edges("dgate-proxy", &[("dgate-modules", true)], &mut findings).unwrap();
        look_at_edges("dgate-modules", &[("dgate-proxy", false)], &mut findings).unwrap();
        assert_eq!(findings.lines().len(), 2);
    }

    #[test]
    fn a_new_crate_needs_its_line() {
        assert!(look_at_edges("dgate-new", &[], &mut Findings::default()).is_err());
    }

    #[test]
    fn libraries_do_without_what_is_for_programs() {
        let mut findings = Findings::default();
        look_at_tools("dgate-server", &["mimalloc"], &mut findings);
        assert!(findings.lines().is_empty());
        look_at_tools("dgate-core", &["anyhow", "serde"], &mut findings);
        assert_eq!(findings.lines().len(), 1);
    }
}
