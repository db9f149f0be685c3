//! Programs that tests and checks need beside Rust.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::command;
use crate::project::Project;

/// A program that is needed.
#[derive(Debug)]
pub(crate) struct Tool {
    /// How it is called.
    program: &'static str,
    /// Asks it whether it is there: arguments, and what its answer must contain.
    asks: (&'static [&'static str], &'static str),
    from: From,
    why: &'static str,
}

/// Where a program comes from.
#[derive(Debug)]
enum From {
    Debian(&'static str),
    CratesIo(&'static str),
}

const NGINX: Tool = Tool {
    program: "nginx",
    asks: (&["-v"], "nginx"),
    from: From::Debian("nginx"),
    why: "a server and a proxy that we did not write",
};

const CURL: Tool = Tool {
    program: "curl",
    asks: (&["--version"], "HTTP2"),
    from: From::Debian("curl"),
    why: "a client that we did not write, with HTTP/1.0, 1.1 and 2",
};

/// What tests need.
pub(crate) const FOR_TESTS: &[Tool] = &[
    Tool {
        program: "cargo-nextest",
        asks: (&["nextest", "--version"], "nextest"),
        from: From::CratesIo("cargo-nextest"),
        why: "runs the tests, each in a process of its own",
    },
    NGINX,
    CURL,
    Tool {
        program: "script",
        asks: (&["--version"], "util-linux"),
        from: From::Debian("bsdutils"),
        why: "a terminal, for questions that are asked at one",
    },
];

/// What the check of licences and sources needs.
pub(crate) const FOR_LICENCES: &[Tool] = &[Tool {
    program: "cargo-deny",
    asks: (&["--version"], "cargo-deny"),
    from: From::CratesIo("cargo-deny"),
    why: "reads deny.toml",
}];

/// What the comparison with others needs. HAProxy takes part when it is installed.
pub(crate) const FOR_BENCHMARKS: &[Tool] = &[
    NGINX,
    CURL,
    Tool {
        program: "ls",
        asks: (&["/usr/lib/nginx/modules"], "ngx_http_js_module.so"),
        from: From::Debian("libnginx-mod-http-js"),
        why: "scripts in nginx",
    },
    Tool {
        program: "ls",
        asks: (&["/usr/lib/nginx/modules"], "ngx_http_echo_module.so"),
        from: From::Debian("libnginx-mod-http-echo"),
        why: "an upstream that takes its time",
    },
    Tool {
        program: "wrk",
        asks: (&["--version"], "wrk"),
        from: From::Debian("wrk"),
        why: "load over HTTP/1.1",
    },
    Tool {
        program: "h2load",
        asks: (&["--version"], "h2load"),
        from: From::Debian("nghttp2-client"),
        why: "load over HTTP/2",
    },
    Tool {
        program: "openssl",
        asks: (&["version"], "OpenSSL"),
        from: From::Debian("openssl"),
        why: "makes a certificate",
    },
    Tool {
        program: "taskset",
        asks: (&["--version"], "taskset"),
        from: From::Debian("util-linux"),
        why: "keeps processes on their CPUs",
    },
];

impl Tool {
    fn is_there(&self) -> bool {
        let (arguments, expected) = self.asks;
        // Some answer on standard error (nginx), some call being asked a failure (wrk): what they say counts.
        let output = Command::new(self.program).args(arguments).stdin(Stdio::null()).output();
        output.is_ok_and(|output| {
            let answer = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&answer).contains(expected)
        })
    }

    fn how_to_install(&self) -> String {
        match self.from {
            From::Debian(package) => format!("apt-get install {package}"),
            From::CratesIo(name) => command::line(&cargo_install(name)),
        }
    }
}

/// Makes sure that tools are there: installs what is missing when the project may, or says how to.
pub(crate) fn ensure(project: &Project, tools: &[Tool]) -> Result<()> {
    let missing = || tools.iter().filter(|tool| !tool.is_there()).collect::<Vec<_>>();
    if project.install {
        install(&missing())?;
    }
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let line = |tool: &&Tool| format!("  {:<14} {:<40} {}", tool.program, tool.how_to_install(), tool.why);
    let lines: Vec<String> = missing.iter().map(line).collect();
    bail!("missing, and installed by `--install`:\n{}", lines.join("\n"))
}

/// Without optimisation: built in half the time, and fast enough for what they do.
fn cargo_install(name: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["install", name, "--locked", "--debug"]);
    cargo
}

fn install(missing: &[&Tool]) -> Result<()> {
    let mut debian = Vec::new();
    for tool in missing {
        match tool.from {
            From::Debian(package) => debian.push(package),
            From::CratesIo(name) => {
                command::run(&mut cargo_install(name))?;
            }
        }
    }
    if debian.is_empty() {
        return Ok(());
    }
    let mut apt = Command::new("apt-get");
    command::run(apt.env("DEBIAN_FRONTEND", "noninteractive").args(["update", "--quiet"]))?;
    let mut apt = Command::new("apt-get");
    let apt = apt.env("DEBIAN_FRONTEND", "noninteractive");
    command::run(apt.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(debian))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_missing_or_too_old_is_not_there() {
        let asking = |program, expected| {
            let asks = (["--version"].as_slice(), expected);
            Tool { program, asks, from: From::Debian("x"), why: "" }.is_there()
        };
        assert!(asking("cargo", "cargo"));
        assert!(!asking("cargo", "cargo 0.1 with something it has not"));
        assert!(!asking("no-such-program-here", ""));
    }
}
