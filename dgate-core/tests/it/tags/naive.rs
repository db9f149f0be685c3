//! The evaluator against one that does the obvious, slowly.

use std::collections::BTreeSet;
use std::hash::Hasher;
use std::sync::Arc;

use dgate_core::tags::{Applies, CanaryKey, Conditions, RequestTags, ServerTags};
use jiff::Timestamp;
use proptest::prelude::*;
use siphasher::sip::SipHasher24;

const NAMES: [&str; 2] = ["a", "b"];
const VALUES: [&str; 3] = ["x", "y", "z"];
const EPOCH: i64 = 1_800_000_000;
const WHOLE: u128 = 100_000_000;

/// A tag of a server, before it is written down.
#[derive(Debug, Clone)]
struct Tag {
    name: &'static str,
    value: Option<&'static str>,
    /// From and until, in seconds after the epoch.
    window: (Option<i64>, Option<i64>),
    /// In millionths of a percent: from, and to if it is a ramp.
    share: Option<(u32, Option<u32>)>,
}

fn written(second: i64) -> String {
    Timestamp::from_second(EPOCH + second).unwrap().to_string()
}

fn percent(millionths: u32) -> String {
    format!("{}.{:06}%", millionths / 1_000_000, millionths % 1_000_000)
}

impl Tag {
    fn text(&self) -> String {
        let share = self.share.map_or_else(String::new, |(from, to)| {
            format!("@{}{}", percent(from), to.map_or_else(String::new, |to| format!("..{}", percent(to))))
        });
        let value = self.value.map_or_else(String::new, |value| format!(":{value}"));
        let carried = format!("{}{share}{value}", self.name);
        match self.window {
            (None, None) => carried,
            (Some(from), None) => format!("@({})#{carried}", written(from)),
            (None, Some(until)) => format!("@(..{})#{carried}", written(until)),
            (Some(from), Some(until)) => format!("@({}..{})#{carried}", written(from), written(until)),
        }
    }

    fn is_carried(&self, second: i64, key: &str) -> bool {
        let (from, until) = self.window;
        let has_begun = from.is_none_or(|from| from <= second);
        let is_over = until.is_some_and(|until| until <= second);
        let millionths = match self.share {
            None => return has_begun && !is_over,
            Some((share, None)) => f64::from(share) * f64::from(u8::from(!is_over)),
            Some((_, Some(to))) if is_over => f64::from(to),
            Some((share, Some(to))) => {
                let (from, until) = (from.unwrap(), until.unwrap());
                let gone = (second - from) as f64 / (until - from) as f64;
                f64::from(share) + (f64::from(to) - f64::from(share)) * gone
            }
        };
        let draw = draw(&format!("{}:{}", self.name, self.value.unwrap()), key);
        has_begun && (draw as f64 * WHOLE as f64) < millionths * 2_f64.powi(64)
    }
}

/// As the documentation says it.
fn draw(label: &str, key: &str) -> u64 {
    let hash = |k0: u64, bytes: &[u8]| {
        let mut hasher = SipHasher24::new_with_keys(k0, 0);
        hasher.write(bytes);
        hasher.finish()
    };
    hash(hash(0, label.as_bytes()), &hash(0, key.as_bytes()).to_le_bytes())
}

/// A condition, before it is written down.
#[derive(Debug, Clone)]
struct Wanted {
    prefix: &'static str,
    name: &'static str,
    values: Vec<&'static str>,
}

impl Wanted {
    fn text(&self) -> String {
        let list = if self.values.is_empty() { String::new() } else { format!(":{}", self.values.join(",")) };
        format!("{}{}{list}", self.prefix, self.name)
    }

    fn holds(&self, carried: &BTreeSet<(&str, Option<&str>)>) -> bool {
        let has = |value: &&str| carried.contains(&(self.name, Some(*value)));
        let has_name = carried.iter().any(|(name, _)| *name == self.name);
        let had = self.values.iter().filter(|value| has(value)).count();
        match self.prefix {
            "#" if self.values.is_empty() => has_name,
            "!" if self.values.is_empty() => !has_name,
            "#" => had == self.values.len(),
            "!" => had == 0,
            "?" => had > 0,
            _ => had == 1,
        }
    }
}

fn tag() -> impl Strategy<Value = Tag> {
    let window = (proptest::option::of(0_i64..6), proptest::option::of(1_i64..6))
        .prop_map(|(from, length)| (from, length.map(|length| from.unwrap_or(0) + length)));
    let share = proptest::option::of((0..=100_000_000_u32, proptest::option::of(0..=100_000_000_u32)));
    let name = proptest::sample::select(&NAMES[..]);
    let value = proptest::option::of(proptest::sample::select(&VALUES[..]));
    (name, value, window, share).prop_map(|(name, value, window, share)| {
        let is_closed = window.0.is_some() && window.1.is_some();
        let share = value.and(share).map(|(from, to)| (from, to.filter(|_| is_closed)));
        Tag { name, value, window, share }
    })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let prefix = proptest::sample::select(&["#", "!", "?", "?*"][..]);
    let name = proptest::sample::select(&NAMES[..]);
    let values = proptest::sample::subsequence(VALUES.to_vec(), 0..=3);
    (prefix, name, values).prop_map(|(prefix, name, mut values)| {
        if values.is_empty() && prefix.starts_with('?') {
            values.push("x");
        }
        Wanted { prefix, name, values }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_agrees_with_the_obvious(
        tags in proptest::collection::vec(tag(), 0..7),
        conditions in proptest::collection::vec(wanted(), 1..4),
        second in -1_i64..12,
        user in 0..1_000_u32,
    ) {
        let key = format!("user-{user}");
        let carried: BTreeSet<_> = tags
            .iter()
            .filter(|tag| tag.is_carried(second, &key))
            .map(|tag| (tag.name, tag.value))
            .collect();
        let expected = conditions.iter().all(|condition| condition.holds(&carried));

        let texts: Vec<String> = tags.iter().map(Tag::text).collect();
        let (server, problems) = ServerTags::parse(&texts);
        prop_assert!(problems.is_empty(), "{}", problems);
        let instant = Timestamp::from_second(EPOCH + second).unwrap();
        let active = Arc::new(server.at(instant));
        let texts: Vec<String> = conditions.iter().map(Wanted::text).collect();
        let (conditions, problems) = Conditions::parse(&texts);
        prop_assert!(problems.is_empty(), "{}", problems);
        let applies = match conditions.on(&active) {
            Applies::Always => true,
            Applies::Never => false,
            Applies::Sometimes(rule) => {
                RequestTags::new(active, CanaryKey::of(key.as_bytes()), instant).holds(&rule)
            }
        };
        prop_assert_eq!(applies, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Whatever is written, it is read or refused, and a refusal names a place in it.
    #[test]
    fn nonsense_is_refused_with_a_place(tag in "[@#!?*(){}.:,%0-9TZa-zé -]{0,40}") {
        for (problems, what) in [
            (ServerTags::parse(std::slice::from_ref(&tag)).1, "a server's"),
            (Conditions::parse(std::slice::from_ref(&tag)).1, "a resource's"),
        ] {
            let Some(problem) = problems.iter().next() else { continue };
            let place = problem.message.rsplit_once("(character ").map(|(_, place)| place.trim_end_matches(')'));
            let place: usize = place.and_then(|place| place.parse().ok()).unwrap_or(0);
            prop_assert!((1..=tag.chars().count() + 1).contains(&place), "{what}: {problem}");
        }
    }

    /// What a server says of its tags is what it was told.
    #[test]
    fn tags_are_told_as_they_were_written(tags in proptest::collection::vec(tag(), 0..7)) {
        let texts: Vec<String> = tags.iter().map(Tag::text).collect();
        let (server, _) = ServerTags::parse(&texts);
        let told: Vec<&str> = server.iter().map(dgate_core::tags::ServerTag::text).collect();
        prop_assert_eq!(told, texts);
    }
}
