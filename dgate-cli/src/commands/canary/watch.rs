//! `canary watch`: both variants, again and again, and an end when the canary is worse.

use std::time::{Duration, Instant};

use clap::Args;
use dgate_core::units::{HumanDuration, Percent};

use super::RouteName;
use super::end::abort;
use super::found::Found;
use super::status::{Variants, show};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Which canary is watched, how often and how long, and what is too bad.
#[derive(Debug, Args)]
pub(super) struct Watch {
    #[command(flatten)]
    route: RouteName,
    /// How often it is looked at.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    interval: HumanDuration,
    /// How long it is watched; until it is promoted or aborted when absent.
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<HumanDuration>,
    #[command(flatten)]
    limits: Limits,
}

/// What is too bad, compared with the stable variant, since the watch began.
#[derive(Debug, Args)]
struct Limits {
    /// Abort the canary when its share of errors (5xx) is larger than that of the stable variant by more than this.
    #[arg(long, value_name = "PERCENT")]
    max_errors: Option<Percent>,
    /// Abort the canary when its answers take longer than those of the stable variant by more than this factor, on
    /// average.
    #[arg(long, value_name = "FACTOR")]
    max_latency: Option<f64>,
    /// Judge nothing before both variants have answered so many requests.
    #[arg(long, value_name = "COUNT", default_value = "100")]
    min_requests: u32,
}

impl Watch {
    /// Ends with status 1 when the canary was aborted.
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let first = Found::read(&self.route, context).await?;
        first.canary()?;
        let begun = Instant::now();
        let before = Variants::read(&first).await?;
        loop {
            tokio::time::sleep(self.interval.get()).await;
            let found = Found::read(&self.route, context).await?;
            if found.beside.is_none() {
                context.output.say(format!("the canary of route {} has ended", found.title()));
                return Ok(Exit::Success);
            }
            let variants = Variants::read(&found).await?.since(&before);
            show(&found, &variants, begun.elapsed(), |output, data| output.next_value(data), context)?;
            if let Some(reason) = self.limits.exceeded(&variants) {
                abort(&found, &format!("canary is aborted, as {reason}"), context).await?;
                return Err(Failure::new(Exit::Failed, format!("the canary was aborted: {reason}")));
            }
            if self.duration.is_some_and(|duration| begun.elapsed() >= duration.get()) {
                return Ok(Exit::Success);
            }
        }
    }
}

impl Limits {
    /// What is too bad, if something is.
    fn exceeded(&self, variants: &Variants) -> Option<String> {
        let Variants { stable, canary } = variants;
        let enough = f64::from(self.min_requests);
        if canary.requests < enough || stable.requests < enough {
            return None;
        }
        if let (Some(most), Some(ours), Some(theirs)) =
            (self.max_errors, canary.error_share(), stable.error_share())
            && ours - theirs > most.ratio()
        {
            let percent = |share: f64| share * 100.0;
            return Some(format!(
                "{:.2}% of its answers are errors, and {:.2}% of the stable variant's",
                percent(ours),
                percent(theirs)
            ));
        }
        let (most, ours, theirs) = (self.max_latency?, canary.mean()?, stable.mean()?);
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        (ours.as_secs_f64() > theirs.as_secs_f64() * most).then(|| {
            format!(
                "its answers take {:.1} ms, and {:.1} ms of the stable variant",
                millis(ours),
                millis(theirs)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::traffic::Traffic;
    use super::*;

    /// So many requests, so many of them errors, and so many seconds for all of them.
    fn traffic(requests: u32, errors: u32, seconds: f64) -> Traffic {
        let fine = requests - errors;
        let metrics = format!(
            "dgate_proxy_requests_total{{namespace=\"n\",route=\"r\",code=\"200\"}} {fine}\n\
             dgate_proxy_requests_total{{namespace=\"n\",route=\"r\",code=\"500\"}} {errors}\n\
             dgate_proxy_request_duration_seconds_sum{{namespace=\"n\",route=\"r\"}} {seconds}\n\
             dgate_proxy_request_duration_seconds_count{{namespace=\"n\",route=\"r\"}} {requests}\n"
        );
        Traffic::of(&metrics, "n", "r")
    }

    #[test]
    fn a_canary_is_judged_against_the_stable_variant_and_not_too_early() {
        let limits =
            Limits { max_errors: Some("1%".parse().unwrap()), max_latency: Some(1.5), min_requests: 100 };
        let reason = |stable: Traffic, canary: Traffic| limits.exceeded(&Variants { stable, canary });
        assert_eq!(reason(traffic(1_000, 0, 10.0), traffic(99, 99, 99.0)), None, "too few");
        assert_eq!(reason(traffic(99, 0, 1.0), traffic(1_000, 999, 99.0)), None, "nothing to compare with");
        assert_eq!(reason(traffic(1_000, 50, 10.0), traffic(100, 6, 1.0)), None, "as bad as the other one");
        assert_eq!(
            reason(traffic(1_000, 0, 10.0), traffic(100, 2, 1.0)).unwrap(),
            "2.00% of its answers are errors, and 0.00% of the stable variant's"
        );
        assert_eq!(reason(traffic(1_000, 0, 10.0), traffic(100, 0, 1.4)), None);
        assert_eq!(
            reason(traffic(1_000, 0, 10.0), traffic(100, 0, 1.6)).unwrap(),
            "its answers take 16.0 ms, and 10.0 ms of the stable variant"
        );
        let nobody = Limits { max_errors: None, max_latency: None, min_requests: 0 };
        let bad = Variants { stable: traffic(10, 0, 1.0), canary: traffic(10, 10, 99.0) };
        assert_eq!(nobody.exceeded(&bad), None, "only what was asked for is judged");
    }
}
