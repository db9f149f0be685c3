//! Jobs: how they are written. When they run is the scheduler's business.

use crate::resource::Job;
use crate::units::HumanDuration;
use crate::{Problem, Problems};

const NICKNAMES: [&str; 5] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"];

pub(super) fn check(spec: &Job, problems: &mut Problems) {
    match (&spec.schedule, spec.on.is_empty()) {
        (Some(_), false) => {
            problems.push(Problem::error("", "a job has either `schedule` or `on`, not both"));
        }
        (None, true) => problems.push(Problem::error("", "a job needs `schedule` or `on`")),
        (Some(schedule), true) => {
            if let Err(reason) = check_schedule(schedule) {
                problems.push(
                    Problem::error("/schedule", format!("`{schedule}`: {reason}"))
                        .with_help("write `@every 1m`, `@cron MIN HOUR DOM MON DOW` or one of @hourly, @daily, @weekly, @monthly, @yearly"),
                );
            }
        }
        (None, false) => {}
    }
    for (index, event) in spec.on.iter().enumerate() {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        };
        let stem = event.strip_suffix(".*").unwrap_or(event);
        if event != "*" && !stem.split('.').all(word) {
            problems.push(
                Problem::error(format!("/on/{index}"), format!("`{event}` is no event name"))
                    .with_help("write `order.paid`, or `resource.route.*` for all that begin so"),
            );
        }
    }
    if !spec.timezone.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'))
        || spec.timezone.is_empty()
    {
        problems.push(Problem::error("/timezone", format!("`{}` is no IANA time zone", spec.timezone)));
    }
    if spec.timeout.get().is_zero() {
        problems.push(Problem::error("/timeout", "`timeout` must be longer than zero"));
    }
}

fn check_schedule(schedule: &str) -> Result<(), String> {
    let (word, rest) = schedule.split_once(' ').unwrap_or((schedule, ""));
    match word {
        "@every" => {
            let every: HumanDuration = rest.trim().parse().map_err(|error| format!("{error}"))?;
            if every.get().as_secs() == 0 { Err("the shortest interval is 1s".to_owned()) } else { Ok(()) }
        }
        "@cron" => {
            let fields = rest.split_whitespace().count();
            let allowed =
                |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '/' | ',' | '-' | '?' | '#' | ' ');
            match rest.chars().find(|c| !allowed(*c)) {
                Some(c) => Err(format!("`{c}` is not allowed")),
                None if fields == 5 || fields == 6 => Ok(()),
                None => Err(format!("5 fields are expected (6 with seconds first), there are {fields}")),
            }
        }
        nickname if NICKNAMES.contains(&nickname) && rest.is_empty() => Ok(()),
        _ => Err("this is no schedule".to_owned()),
    }
}
