//! All that is wrong, told at once.

use anyhow::{Result, bail};

/// What a check finds.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn add(&mut self, finding: impl Into<String>) {
        self.0.push(finding.into());
    }

    /// # Errors
    ///
    /// When something was found.
    pub(crate) fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        bail!("{} found\n  {}", self.0.len(), self.0.join("\n  "))
    }
}

#[cfg(test)]
impl Findings {
    pub(crate) fn lines(&self) -> &[String] {
        &self.0
    }
}
