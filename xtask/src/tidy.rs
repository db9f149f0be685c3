//! What compilers do not check: how files are cut, which words are used, who may depend on whom.

mod absent;
mod crates;
mod findings;
mod layers;
mod length;
mod source;
mod words;

use anyhow::Result;

use crate::command;
use crate::project::Project;
use crate::step::Step;

/// The steps of `cargo xtask tidy`.
pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step { name: "format", about: "rustfmt has nothing to change", run: format },
        Step { name: "files", about: "files are short, and none is called mod.rs", run: length::check },
        Step {
            name: "words",
            about: "nothing unfinished; one file each names arc_swap and matchit",
            run: words::check,
        },
        Step {
            name: "crates",
            about: "siblings never import siblings; manifests are complete",
            run: crates::check,
        },
        Step { name: "absent", about: "dependencies that must not be there are not", run: absent::check },
        Step { name: "layers", about: "ARCHITECTURE.md lists the layers of stack.rs", run: layers::check },
    ]
}

fn format(project: &Project) -> Result<()> {
    command::run(&mut project.cargo("fmt --all --check"))
}
