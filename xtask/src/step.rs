//! Steps: what a task is made of. Each can be repeated alone.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::project::Project;

/// One thing that is made sure of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What it makes sure of.
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Project) -> Result<()>,
}

/// Which steps of a task are run, and how.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Selection {
    /// Print the steps and do nothing.
    #[arg(long)]
    list: bool,
    /// Run this step alone; may be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Leave this step out; may be given several times.
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// Install tools that are missing (needs root for Debian packages). `CI=true` means it as well.
    #[arg(long)]
    install: bool,
}

impl Selection {
    /// Runs what is selected of a task's steps. All are run, also after one has failed: all that is wrong is told at once.
    pub(crate) fn run(&self, task: &str, steps: &[Step]) -> Result<()> {
        if self.list {
            for step in steps {
                println!("{:<12} {}", step.name, step.about);
            }
            return Ok(());
        }
        let chosen = self.choose(steps)?;
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        let project = Project::load(self.install || in_ci)?;

        let mut summary = Vec::new();
        for step in chosen {
            println!("\n── {}: {}", step.name, step.about);
            let begin = Instant::now();
            let failed = match (step.run)(&project) {
                Ok(()) => false,
                Err(error) => {
                    println!("error: {error:#}\nTo repeat it alone: cargo xtask {task} --only {}", step.name);
                    true
                }
            };
            summary.push((step.name, begin.elapsed(), failed));
        }
        println!("\n{}", table(&summary));
        let failed: Vec<&str> = summary.iter().filter(|line| line.2).map(|line| line.0).collect();
        if !failed.is_empty() {
            bail!("{} of {} steps failed: {}", failed.len(), summary.len(), failed.join(", "));
        }
        Ok(())
    }

    fn choose<'a>(&self, steps: &'a [Step]) -> Result<Vec<&'a Step>> {
        for name in self.only.iter().chain(&self.skip) {
            if !steps.iter().any(|step| step.name == name) {
                let known: Vec<&str> = steps.iter().map(|step| step.name).collect();
                bail!("there is no step `{name}`; there are: {}", known.join(", "));
            }
        }
        let named = |names: &[String], step: &Step| names.iter().any(|name| name == step.name);
        let chosen = steps.iter().filter(|step| self.only.is_empty() || named(&self.only, step));
        Ok(chosen.filter(|step| !named(&self.skip, step)).collect())
    }
}

fn table(summary: &[(&str, Duration, bool)]) -> String {
    let line = |(name, took, failed): &(&str, Duration, bool)| {
        format!("{:<12} {:>8.1} s  {}", name, took.as_secs_f64(), if *failed { "FAILED" } else { "ok" })
    };
    summary.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> [Step; 3] {
        ["one", "two", "three"].map(|name| Step { name, about: "", run: |_| Ok(()) })
    }

    fn chosen(selection: &Selection) -> Vec<&'static str> {
        let steps = steps();
        selection.choose(&steps).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        let only = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(chosen(&Selection::default()), ["one", "two", "three"]);
        assert_eq!(
            chosen(&Selection { only: only(&["three", "one"]), ..Default::default() }),
            ["one", "three"]
        );
        assert_eq!(chosen(&Selection { skip: only(&["two"]), ..Default::default() }), ["one", "three"]);
    }

    #[test]
    fn an_unknown_step_is_an_error_that_lists_the_known_ones() {
        let selection = Selection { only: vec!["tow".to_owned()], ..Default::default() };
        let error = selection.choose(&steps()).unwrap_err().to_string();
        assert_eq!(error, "there is no step `tow`; there are: one, two, three");
    }
}
