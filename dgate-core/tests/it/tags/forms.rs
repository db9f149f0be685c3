//! Every form of a tag, as it is written and as it is misspelt.

use dgate_core::tags::{Applies, Conditions, ServerTags};

use super::{active, applies, texts, user};

const NOW: &str = "2026-01-01T00:00:00Z";

#[test]
fn conditions_on_certain_tags() {
    for (condition, tags, expected) in [
        ("label", &[][..], true),
        ("name:data", &[], true),
        ("#name:data", &["name:data"], true),
        ("#name:data", &["name:other"], false),
        ("#name:data", &["data"], false),
        ("#edge", &["edge"], true),
        ("#name", &["name:data"], true),
        ("#edge", &["core"], false),
        ("#name:a", &["name:a", "name:b"], true),
        ("#name:a,b", &["name:a", "name:b"], true),
        ("#name:a,b", &["name:a"], false),
        ("!name:data", &["name:data"], false),
        ("!name:data", &["name:other"], true),
        ("!name:a,b", &["name:c"], true),
        ("!name:a,b", &["name:b"], false),
        ("!edge", &["edge"], false),
        ("!edge", &["edge:x"], false),
        ("!edge", &[], true),
        ("?name:data1,data2", &["name:data2"], true),
        ("?name:data1,data2", &["name:data3"], false),
        ("?name:data1,data2", &["name:data1", "name:data2"], true),
        ("?*name:data1,data2", &["name:data2"], true),
        ("?*name:data1,data2", &["name:data2", "name:data1"], false),
        ("?*name:data1,data2", &[], false),
        ("#key:value", &["@(2022-01-01T00:00:00Z)#key:value"], true),
        ("#key:value", &["@(2022-01-01T00:00:00Z..2023-01-01T00:00:00Z)#key:value"], false),
        ("#key:value", &["@(..2023-01-01T00:00:00Z)#key:value"], false),
        ("#key", &["@(2022-01-01T01:00:00+01:00)#key"], true),
        ("#canary:v2", &["canary@50%:v2", "canary:v2"], true),
        ("#canary", &["canary@50%:v2", "canary"], true),
        ("!canary", &["canary@50%:v2", "canary"], false),
        ("#canary:v3", &["canary@50%:v2"], false),
        ("!canary:v3", &["canary@50%:v2"], true),
        ("?*canary:v2,v3,v4", &["canary:v3", "canary:v4", "canary@50%:v2"], false),
    ] {
        let expected = if expected { Applies::Always } else { Applies::Never };
        assert_eq!(applies(condition, &active(tags, NOW)), expected, "{condition} on {tags:?}");
    }
}

/// In these, user-3 draws `canary:v2` at 50 %, and user-2 does not.
#[test]
fn conditions_on_canary_tags() {
    for (condition, tags, user_3, user_2) in [
        ("#canary:v2", &["canary@50%:v2"][..], true, false),
        ("#canary", &["canary@50%:v2"], true, false),
        ("!canary:v2", &["canary@50%:v2"], false, true),
        ("!canary", &["canary@50%:v2"], false, true),
        ("#canary:v2,v3", &["canary@50%:v2", "canary:v3"], true, false),
        ("#canary:v2,v3", &["canary@50%:v2", "canary@100%:v3"], true, false),
        ("?canary:v2,v3", &["canary@50%:v2", "canary@0%:v3"], true, false),
        ("?*canary:v2,v3", &["canary@50%:v2", "canary:v3"], false, true),
        ("?*canary:v2,v3", &["canary@50%:v2", "canary@100%:v3"], false, true),
        ("?*canary:v2,v3", &["canary@50%:v2", "canary@0%:v3"], true, false),
        ("#canary:v2", &["canary@0%:v2", "canary@50%:v2"], true, false),
        ("#canary:v2", &["@(2020-01-01T00:00:00Z)#canary@50%:v2"], true, false),
        ("#canary:canary_mod", &["canary@0.01%:canary_mod"], false, false),
        ("#canary:v2", &["canary@100%:v2"], true, true),
        ("#canary:v2", &["canary@0%:v2"], false, false),
    ] {
        let active = active(tags, NOW);
        let Applies::Sometimes(rule) = applies(condition, &active) else {
            panic!("{condition} on {tags:?} is left to the request");
        };
        let of = |name| user(&active, name).holds(&rule);
        assert_eq!((of("user-3"), of("user-2")), (user_3, user_2), "{condition} on {tags:?}");
    }
}

#[test]
fn all_conditions_of_a_resource_hold() {
    let active = active(&["region:eu", "canary@50%:v2"], NOW);
    let on = |tags: &[&str]| Conditions::parse(&texts(tags)).0.on(&active);
    assert_eq!(on(&["#region:eu", "team:web", "!edge"]), Applies::Always);
    assert_eq!(on(&["#region:eu", "#edge"]), Applies::Never);
    assert_eq!(on(&["#canary:v2", "#edge"]), Applies::Never);
    let Applies::Sometimes(both) = on(&["#canary:v2", "!canary:v2"]) else { panic!() };
    assert!(!both.holds(0) && !both.holds(1));
}

#[test]
fn a_forced_answer_goes_before_the_drawn_one() {
    let active = active(&["canary@100%:on", "canary@0%:off", "region:eu"], NOW);
    let mut tags = user(&active, "x");
    assert!(tags.force("canary:off") && tags.force("!canary:on"));
    assert!(!tags.force("region:eu"), "only canary tags can be forced");
    assert!(!tags.force("!canary:other"));
    assert_eq!(tags.labels().iter().map(|label| &**label).collect::<Vec<_>>(), ["canary:off"]);
}

#[test]
fn a_forced_answer_waits_for_the_namespace_that_has_the_tag() {
    let server = active(&["canary@0%:mine"], NOW);
    let namespace = active(&["canary@0%:mine", "canary@0%:theirs", "canary@100%:too"], NOW);
    let mut tags = user(&server, "x");
    assert!(tags.force("canary:mine"));
    assert!(!tags.force("canary:theirs") && !tags.force("!canary:too") && !tags.force("canary:nobodys"));
    assert_eq!(tags.labels().len(), 1);
    tags.enter(&namespace);
    let labels = tags.labels();
    assert_eq!(labels.iter().map(|label| &**label).collect::<Vec<_>>(), ["canary:mine", "canary:theirs"]);
}

#[test]
fn what_a_resource_cannot_have_is_refused_with_a_place() {
    for (tag, reason) in [
        ("", "tag ``: a name or value is missing (character 1)"),
        ("a b", "tag `a b`: ` ` is not allowed (character 2)"),
        ("#name:", "tag `#name:`: a name or value is missing (character 7)"),
        ("#name:a,,b", "a name or value is missing (character 9)"),
        ("#name:a,b,a", "`a` occurs twice (character 11)"),
        (":value", "a name or value is missing (character 1)"),
        ("#é:a", "`é` is not allowed (character 2)"),
        ("é:a", "unknown prefix `é`: conditions begin with `#`, `!`, `?` or `?*` (character 1)"),
        ("?name", "`?` needs a list of values, as in `?name:a,b` (character 6)"),
        ("?*name", "`?*` needs a list of values, as in `?*name:a,b` (character 7)"),
        ("name:va/lue", "`/` is not allowed (character 8)"),
        ("name:a,b", "`,` is not allowed (character 7)"),
        ("canary@1%:a", "`@` is not allowed (character 7)"),
        ("%x", "unknown prefix `%`"),
        ("@(2022-01-01T00:00:00Z)#x", "unknown prefix `@`"),
    ] {
        let (_, problems) = Conditions::parse(&texts(&["fine", tag]));
        assert_eq!(problems.len(), 1, "{tag}: {problems}");
        assert!(problems.to_string().starts_with("/tags/1: "), "{problems}");
        assert!(problems.to_string().contains(reason), "{tag}: {problems}");
    }
}

#[test]
fn what_a_server_cannot_have_is_refused_with_a_place() {
    for (tag, reason) in [
        ("", "a name or value is missing (character 1)"),
        ("a b", "` ` is not allowed (character 2)"),
        ("key:", "a name or value is missing (character 5)"),
        ("a:b:c", "`:` is not allowed (character 4)"),
        ("#key:value", "a server's tag has no prefix `#`: conditions stand on resources (character 1)"),
        (
            "canary@101%:a",
            "`101%` is no share: write `0%` to `100%`, with at most six decimals (character 8)",
        ),
        ("canary@1:a", "`1` is no share"),
        ("canary@ 1%:a", "` 1%` is no share"),
        ("canary@0.0000001%:a", "`0.0000001%` is no share"),
        ("canary@-1%:a", "`-1%` is no share"),
        ("canary@1%", "a canary tag needs a value, as in `canary@1%:v2` (character 10)"),
        ("canary@1%:", "a name or value is missing (character 11)"),
        ("canary@1%:a,b", "`,` is not allowed (character 12)"),
        ("@1%:a", "`@` stands before an instant, as in `@(2030-01-31T08:00:00Z)#a` (character 2)"),
        ("@(2022-01-01T00:00:00Z#a", "`(` without `)` (character 2)"),
        ("@(2022-01-01T00:00:00Z)a", "`#` and a tag are missing after `)` (character 24)"),
        ("@(2022-01-01)#a", "`2022-01-01` is no instant: write it like `2030-01-31T08:00:00Z` (character 3)"),
        ("@(2022-13-01T00:00:00Z)#a", "is no instant"),
        ("@(2022-01-01T00:00:00)#a", "is no instant"),
        ("@()#a", "`` is no instant"),
        ("@(..)#a", "the window has neither beginning nor end (character 3)"),
        (
            "@(2023-01-01T00:00:00Z..2022-01-01T00:00:00Z)#a",
            "the window ends before it begins (character 25)",
        ),
        ("@(2022-01-01T00:00:00Z..2022-01-01T00:00:00Z)#a", "the window ends before it begins"),
        ("canary@1%..50%:a", "a ramp needs a window with beginning and end"),
        ("@(2022-01-01T00:00:00Z)#canary@1%..50%:a", "a ramp needs a window with beginning and end"),
        ("@(2022-01-01T00:00:00Z)#!a", "a server's tag has no prefix `!`"),
    ] {
        let (_, problems) = ServerTags::parse(&texts(&["fine", tag]));
        assert_eq!(problems.len(), 1, "{tag}: {problems}");
        assert!(problems.to_string().starts_with(&format!("/1: tag `{tag}`: ")), "{problems}");
        assert!(problems.to_string().contains(reason), "{tag}: {problems}");
    }
    let many: Vec<String> = (0..65).map(|index| format!("canary@1%:v{index}")).collect();
    let (tags, problems) = ServerTags::parse(&many);
    assert_eq!(problems.to_string(), "65 canary tags are too many: 64 is the most");
    assert!(!tags.at(super::instant(NOW)).has_canaries());
}
