//! Jobs: how they are written. When they run is the scheduler's business.

mod cron;

use crate::problems::did_you_mean;
use crate::resource::Job;
use crate::units::HumanDuration;
use crate::{Kind, Problem, Problems};

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
            if spec.intercept {
                problems.push(Problem::error("/intercept", "only a job that runs `on` events can intercept"));
            }
        }
        (None, false) => {}
    }
    for (index, event) in spec.on.iter().enumerate() {
        let at = format!("/on/{index}");
        if let Err(problem) = check_event(&at, event) {
            problems.push(problem);
        } else if spec.on[..index].contains(event) {
            problems.push(Problem::error(at, format!("event `{event}` occurs twice")));
        }
    }
    if jiff::tz::TimeZone::get(&spec.timezone).is_err() {
        let names: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let help = did_you_mean(&spec.timezone, names.iter().map(String::as_str));
        problems.push(
            Problem::error("/timezone", format!("`{}` is no IANA time zone", spec.timezone))
                .with_help_if(help),
        );
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
        "@cron" => cron::check(rest),
        nickname if NICKNAMES.contains(&nickname) && rest.is_empty() => Ok(()),
        _ => Err("this is no schedule".to_owned()),
    }
}

/// An event's name, or the beginning of several: the gateway's own events are known, others are the modules' business.
fn check_event(at: &str, event: &str) -> Result<(), Problem> {
    let words: Vec<_> = event.split('.').collect();
    let is_last = |index| index + 1 == words.len();
    let word = |(index, word): (usize, &&str)| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        !word.is_empty() && word.bytes().all(plain) || (**word == *"*" && is_last(index))
    };
    if !words.iter().enumerate().all(word) {
        return Err(Problem::error(at, format!("`{event}` is no event name"))
            .with_help("write `order.paid`, or `resource.route.*` for all that begin so"));
    }
    let one_of = |found: Option<&&str>, known: &[&str]| match found {
        Some(word) if *word != "*" && !known.contains(word) => {
            let mut help = known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            help = format!("expected one of {help}");
            if let Some(meant) = did_you_mean(word, known.iter().copied()) {
                help = format!("{help}; {meant}");
            }
            Err(Problem::error(at, format!("`{event}` never happens")).with_help(help))
        }
        _ => Ok(()),
    };
    match words[0] {
        "resource" => {
            one_of(words.get(1), &Kind::ALL.map(Kind::as_str))?;
            one_of(words.get(2), &["create", "update", "delete"])
        }
        "upstream" => one_of(words.get(1), &["up", "down"]),
        "config" => one_of(words.get(1), &["applied"]),
        _ => Ok(()),
    }
}
