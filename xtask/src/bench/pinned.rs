//! Processes on one CPU, and the time they take.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The CPU of what is measured.
pub(crate) const MEASURED: &str = "1";
/// The CPU of load and upstream.
pub(crate) const OTHERS: &str = "0";

/// Linux counts CPU time in hundredths of a second, whatever the kernel's own clock.
const TICK: Duration = Duration::from_millis(10);

/// A running process that stays on one CPU. It ends with this value.
#[derive(Debug)]
pub(crate) struct Pinned(Child);

/// A command that will run on a CPU.
pub(crate) fn on(cpu: &str, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", cpu, program]).stdin(Stdio::null());
    command
}

impl Pinned {
    /// Starts a command that [`on`] made; what it prints goes to a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        let child = command.stdout(file.try_clone()?).stderr(file).spawn();
        Ok(Self(child.with_context(|| crate::command::line(command))?))
    }

    /// # Errors
    ///
    /// When the process has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("ended at once: {status}"),
        }
    }

    /// CPU time so far, of all threads, in user space and in the kernel.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        cpu_time(&stat).with_context(|| stat)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Fields 14 and 15 of proc(5)'s `stat`. The second field, the name, may contain anything, and ends with the last `)`.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11).map(str::parse::<u32>);
    let (user, system) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some(TICK * (user + system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_any_name() {
        let stat = "77 (a) b) S 1 77 77 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 3 0 99";
        assert_eq!(cpu_time(stat), Some(Duration::from_secs(4)));
        assert_eq!(cpu_time("77 (a) S 1"), None);
    }

    #[test]
    fn a_process_ends_with_its_value() {
        let folder = std::env::temp_dir();
        let log = folder.join(format!("xtask-pinned-{}", std::process::id()));
        let mut process = Pinned::start(Command::new("sleep").arg("100"), &log).unwrap();
        process.check().unwrap();
        let stat = format!("/proc/{}/stat", process.0.id());
        assert!(std::fs::exists(&stat).unwrap());
        drop(process);
        assert!(!std::fs::exists(&stat).unwrap());
        std::fs::remove_file(log).unwrap();
    }
}
