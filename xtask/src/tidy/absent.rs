//! Dependencies that must not be there, however indirect. What is absent is easily lost: no test fails, and nobody looks.

use std::collections::BTreeSet;

use anyhow::Result;

use super::findings::Findings;
use crate::command;
use crate::project::Project;

/// In whose dependencies something is looked for.
#[derive(Debug)]
enum Where {
    /// In those of all crates, with those of their tests and build scripts.
    Anywhere,
    /// In those of this crate, without those of its tests.
    In(&'static str),
}

/// What is absent. A name that ends with `*` stands for all that begin like it.
const ABSENT: &[(Where, &[&str], &str)] = &[
    (Where::Anywhere, &["ring", "openssl", "openssl-sys", "native-tls"], "one TLS provider: aws-lc-rs"),
    (Where::Anywhere, &["serde_yaml", "serde_yml"], "not maintained: serde-saphyr reads YAML"),
    (Where::In("dgate-core"), &["hyper", "h2", "axum", "socket2", "mio"], "the vocabulary opens no sockets"),
    (Where::In("dgate-core"), &["rustls", "tokio-rustls", "aws-lc-rs"], "the vocabulary speaks no TLS"),
    (Where::In("dgate-core"), &["boa_engine", "oxc_*"], "modules are known as HookRunner only"),
    (Where::In("dgate-proxy"), &["boa_engine", "oxc_*"], "modules are known as HookRunner only"),
    (Where::In("dgate-proxy"), &["axum", "reqwest"], "the data plane has its own server and client"),
];

pub(crate) fn check(project: &Project) -> Result<()> {
    let mut findings = Findings::default();
    for (place, absent, why) in ABSENT {
        let tree = tree(project, place)?;
        for found in present(&tree, absent) {
            findings.add(match place {
                Where::Anywhere => format!("{found} is among the dependencies ({why}): cargo tree --target all -i {found}"),
                Where::In(name) => {
                    format!("{name} depends on {found} ({why}): cargo tree -p {name} -e no-dev --all-features -i {found}")
                }
            });
        }
    }
    findings.finish()
}

/// The names of all dependencies, on all platforms and with all features.
fn tree(project: &Project, place: &Where) -> Result<BTreeSet<String>> {
    let mut cargo = project.cargo("tree --all-features --target all --prefix none --format {p}");
    match place {
        Where::Anywhere => cargo.arg("--workspace"),
        Where::In(name) => cargo.args(["--package", name, "--edges", "no-dev"]),
    };
    let lines = command::output(&mut cargo)?;
    Ok(lines.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect())
}

fn present<'a>(tree: &'a BTreeSet<String>, absent: &[&str]) -> Vec<&'a str> {
    let is_meant = |name: &str, pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    let names = tree.iter().map(String::as_str);
    names.filter(|name| absent.iter().any(|pattern| is_meant(name, pattern))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_unless_they_end_with_a_star() {
        let tree = ["ring", "ring-compat", "oxc_parser", "oxc"].map(str::to_owned).into();
        assert_eq!(present(&tree, &["ring", "oxc_*"]), ["oxc_parser", "ring"]);
        assert!(present(&tree, &["openssl"]).is_empty());
    }
}
