//! The share of a canary, on the command line and as a tag.

use clap::Args;
use dgate_core::units::{HumanDuration, Percent};
use jiff::{SignedDuration, Timestamp};

use crate::failure::Failure;

/// The share of a canary.
#[derive(Debug, Args)]
pub(super) struct ShareArgs {
    /// The share of the requests, from `0%` (only who forces it by `X-DGate-Canary`) to `100%`.
    #[arg(value_name = "PERCENT", long, default_value = "1%")]
    pub(super) percent: Percent,
    /// Let the share grow to this one, evenly.
    #[arg(value_name = "PERCENT", long, requires = "over")]
    pub(super) to: Option<Percent>,
    /// How long that takes: `30m`, `2h`.
    #[arg(value_name = "DURATION", long, requires = "to")]
    pub(super) over: Option<HumanDuration>,
}

impl ShareArgs {
    /// The tag that gives a route's canary this share from now on.
    ///
    /// # Errors
    /// When the window would end at no instant.
    pub(super) fn tag(&self, route: &str, now: Timestamp) -> Result<String, Failure> {
        let (Some(to), Some(over)) = (self.to, self.over) else {
            return Ok(format!("canary@{}:{route}", self.percent));
        };
        // Whole seconds read better, and nobody waits for less.
        let begins = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let ends = SignedDuration::try_from(over.get()).ok().and_then(|over| begins.checked_add(over).ok());
        let ends = ends.filter(|ends| *ends > begins);
        let ends = ends.ok_or_else(|| Failure::usage(format!("`--over {over}` is no time to grow in")))?;
        Ok(format!("@({begins}..{ends})#canary@{}..{to}:{route}", self.percent))
    }

    /// The share, for people.
    pub(super) fn describe(&self) -> String {
        match (self.to, self.over) {
            (Some(to), Some(over)) => format!("from {} to {to} over {over}", self.percent),
            _ => format!("at {}", self.percent),
        }
    }
}

#[cfg(test)]
mod tests {
    use dgate_core::tags::ServerTag;

    use super::*;

    #[test]
    fn shares_become_tags() {
        let now = "2026-01-01T00:00:00.5Z".parse().unwrap();
        let share = |percent: &str, grows: Option<(&str, &str)>| ShareArgs {
            percent: percent.parse().unwrap(),
            to: grows.map(|(to, _)| to.parse().unwrap()),
            over: grows.map(|(_, over)| over.parse().unwrap()),
        };
        for (share, expected) in [
            (share("0.01%", None), "canary@0.01%:api"),
            (
                share("1%", Some(("50%", "2h"))),
                "@(2026-01-01T00:00:00Z..2026-01-01T02:00:00Z)#canary@1%..50%:api",
            ),
        ] {
            let tag = share.tag("api", now).unwrap();
            assert_eq!(tag, expected);
            assert!(ServerTag::parse(&tag).is_ok());
        }
        assert!(share("1%", Some(("50%", "0s"))).tag("api", now).is_err());
    }
}
