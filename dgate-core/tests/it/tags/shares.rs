//! Shares: how many get a canary, and who.

use dgate_core::tags::{Applies, CanaryKey, RequestTags};

use super::{active, applies};

const NOW: &str = "2026-01-01T00:00:00Z";
const DRAWS: u32 = 1_000_000;

/// For how many of these keys a condition holds.
fn count(tags: &[&str], conditions: &[&str], keys: impl Iterator<Item = CanaryKey>) -> u32 {
    let active = active(tags, NOW);
    let rules: Vec<_> = conditions.iter().map(|condition| applies(condition, &active)).collect();
    let mut count = 0;
    for key in keys {
        let mut request = RequestTags::new(active.clone(), key, active.instant());
        let holds = |applies: &Applies| matches!(applies, Applies::Sometimes(rule) if request.holds(rule));
        count += u32::from(rules.iter().all(holds));
    }
    count
}

fn users() -> impl Iterator<Item = CanaryKey> {
    (0..DRAWS).map(|user| CanaryKey::of(format!("user-{user}").as_bytes()))
}

/// Within three standard deviations of a binomial distribution.
fn assert_share(count: u32, share: f64) {
    let (draws, count) = (f64::from(DRAWS), f64::from(count));
    let sigma = (draws * share * (1.0 - share)).sqrt();
    assert!((count - draws * share).abs() <= 3.0 * sigma, "{count} of {draws} for {share}");
}

#[test]
fn shares_are_what_they_say_with_sticky_keys_and_dice() {
    fastrand::seed(7);
    for (percent, share) in [("0.01%", 0.000_1), ("1%", 0.01), ("50%", 0.5)] {
        let tag = format!("canary@{percent}:v2");
        assert_share(count(&[&tag], &["#canary:v2"], users()), share);
        let dice = std::iter::repeat_with(CanaryKey::dice).take(DRAWS as usize);
        assert_share(count(&[&tag], &["#canary:v2"], dice), share);
    }
}

#[test]
fn different_canaries_are_independent() {
    let tags = ["canary@10%:a", "canary@20%:b", "other@50%:a"];
    assert_share(count(&tags, &["#canary:a", "#canary:b"], users()), 0.02);
    assert_share(count(&tags, &["#canary:a", "#other:a"], users()), 0.05);
    assert_share(count(&tags, &["?*canary:a,b"], users()), 0.1 * 0.8 + 0.9 * 0.2);
}

#[test]
fn a_larger_share_keeps_everybody_who_was_in() {
    let users: Vec<_> = (0..20_000).map(|user| CanaryKey::of(format!("user-{user}").as_bytes())).collect();
    let mut before: Vec<usize> = Vec::new();
    for percent in ["0.01%", "0.5%", "1%", "1.000001%", "10%", "50%", "99.999999%", "100%"] {
        let active = active(&[&format!("canary@{percent}:v2")], NOW);
        let Applies::Sometimes(rule) = applies("#canary:v2", &active) else { panic!() };
        let is_in = |key| RequestTags::new(active.clone(), key, active.instant()).holds(&rule);
        let now: Vec<usize> = (0..users.len()).filter(|index| is_in(users[*index])).collect();
        assert!(before.iter().all(|user| now.binary_search(user).is_ok()), "{percent}");
        before = now;
    }
    assert_eq!(before.len(), users.len());
}
