//! What is found here is what the engine's own matcher finds.

use super::{Flags, Halt, Pattern};

type Found = Option<Vec<Option<(usize, usize)>>>;

/// A pattern, here and in the engine.
struct Both {
    here: Pattern,
    engine: regress::Regex,
    unicode: bool,
}

impl Both {
    fn new(pattern: &str, flags: Flags) -> Self {
        let unicode = flags.unicode || flags.unicode_sets;
        let chars: Vec<u32> = if unicode {
            pattern.chars().map(u32::from).collect()
        } else {
            pattern.encode_utf16().map(u32::from).collect()
        };
        let options = regress::Flags {
            icase: flags.ignore_case,
            multiline: flags.multiline,
            dot_all: flags.dot_all,
            unicode: flags.unicode,
            unicode_sets: flags.unicode_sets,
            ..regress::Flags::default()
        };
        let engine = regress::Regex::from_unicode(chars.iter().copied(), options).unwrap();
        Self { here: Pattern::new(&chars, flags).unwrap(), engine, unicode }
    }

    /// Nothing when that takes long.
    fn find(&self, text: &str, from: usize) -> Option<[Found; 2]> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut looks = 0;
        let mut look = || {
            looks += 1;
            if looks > 10 { Err(()) } else { Ok(()) }
        };
        let here = self.here.find(&units, from, false, &mut look).ok()?;
        let engine = if self.unicode {
            self.engine.find_from_utf16(&units, from).next()
        } else {
            self.engine.find_from_ucs2(&units, from).next()
        };
        let captures = |found: regress::Match| {
            found.groups().map(|group| group.map(|range| (range.start, range.end))).collect()
        };
        Some([here, engine.map(captures)])
    }
}

fn flags(text: &str) -> Flags {
    Flags {
        ignore_case: text.contains('i'),
        multiline: text.contains('m'),
        dot_all: text.contains('s'),
        unicode: text.contains('u'),
        unicode_sets: text.contains('v'),
    }
}

#[test]
fn it_goes_the_engines_way() {
    let patterns = [
        "a*",
        "a*?b",
        "(a+)+b",
        "(?:a|ab)(?:c|bcd)(?:d*)",
        "(z)((a+)?(b+)?(c))*",
        "(?=(a+))a*b\\1",
        "(?<=a)b",
        "(?<!a)b",
        "(?<=(\\d+)(\\d+))$",
        "(?<=\\1(a))b",
        "(?!b)[ab]",
        "\\bfoo\\b",
        "\\Boo",
        "^a$",
        "^.*$",
        "(?:)",
        "[^]",
        "[]",
        "x{2,3}?y",
        "x{2}",
        "x{2,}",
        "x{,2}",
        "x{",
        "(a)|b",
        "(?<n>a)\\k<n>",
        "\\k<n>",
        "(?:(a)|(b)|c)*\\1",
        "(a*)*",
        "(?:a*?)*?b",
        "[\\d-x]+",
        "[^\\W\\d]+",
        "\\x41\\u0042",
        "\\cA",
        "\\c",
        "\\0",
        "\\101",
        "\\8",
        "\\1(a)",
        "\\2(a)",
        "(?i:A)b",
        "(?s:.)\\n",
        ".",
        "[a-c\\]]+",
        "\\/",
        "(?:a?){3}b",
        "(?:a?)*?$",
        "(?:a|b|)+c",
        "((a)|b)*?c",
        "(?=a)*b",
        "\u{e4}+",
        "[\u{e0}-\u{fc}]+",
        "k",
        "s",
    ];
    let unicode = [
        "\u{1f600}+",
        "[\u{1f600}-\u{1f64f}]",
        "\\u{1f600}",
        "\\ud83d\\ude00",
        "\\p{L}+",
        "\\P{L}+",
        "^.$",
        "[^a]",
        "\\u{61}",
        "(?<\u{f8}>a)\\k<\u{f8}>",
    ];
    let texts = [
        "",
        "a",
        "b",
        "aaab",
        "abcd",
        "zaacbbbcac",
        "baabac",
        "abc foo bar",
        "foo\nbar",
        "xxxy",
        "x{,2}",
        "AB",
        "aBAb",
        "aa",
        "caab",
        "a\u{1f600}b",
        "\u{1f600}",
        "\u{e4}\u{c4}",
        "\u{212a}k\u{17f}s",
        "a1-x_9",
        "a]b",
        "1053",
        "\u{1}\\c",
        "\u{0}A8",
        "a/b",
    ];
    for (patterns, kinds) in [
        (&patterns[..], &["", "i", "m", "s", "ims"][..]),
        (&unicode[..], &["u", "iu", "v", "su"][..]),
        (&patterns[..12], &["u", "iu", "v"][..]),
    ] {
        for pattern in patterns {
            for kind in kinds {
                let both = Both::new(pattern, flags(kind));
                for text in texts {
                    for from in 0..=text.encode_utf16().count().min(3) {
                        let [here, engine] = both.find(text, from).unwrap();
                        assert_eq!(here, engine, "/{pattern}/{kind} in {text:?} from {from}");
                    }
                }
            }
        }
    }
}

/// Patterns put together by chance, always the same.
#[test]
fn it_goes_the_engines_way_whatever_is_put_together() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut compared = 0;
    for _ in 0..1_000 {
        let pattern = made_up(&mut random, 2);
        let text: String =
            (0..random.usize(..12)).map(|_| random.choice(['a', 'b', 'c', '\n']).unwrap()).collect();
        let flags = flags(random.choice(["", "i", "m", "s"]).unwrap());
        let Some([here, engine]) = Both::new(&pattern, flags).find(&text, 0) else { continue };
        compared += 1;
        assert_eq!(here, engine, "/{pattern}/ {flags:?} in {text:?}");
    }
    assert!(compared > 950, "{compared}");
}

fn made_up(random: &mut fastrand::Rng, depth: usize) -> String {
    let atom = |random: &mut fastrand::Rng| match random.usize(..if depth == 0 { 5 } else { 9 }) {
        0 => ".".to_owned(),
        1 => "[ab]".to_owned(),
        2 => random.choice(["^", "$", "\\b", "\\B"]).unwrap().to_owned(),
        3 | 4 => random.choice(["a", "b", "c"]).unwrap().to_owned(),
        5 => format!("({})", made_up(random, depth - 1)),
        6 => format!("(?:{}|{})", made_up(random, depth - 1), made_up(random, depth - 1)),
        // Not what looks around, and groups are not repeated: there the engine's own matcher goes round in circles.
        _ => format!("(?:{})", made_up(random, depth - 1)),
    };
    let parts = 1 + random.usize(..3);
    let mut text = String::new();
    for _ in 0..parts {
        let part = atom(random);
        let never = ["^", "$", "\\b", "\\B", "("];
        let may_repeat = !never.iter().any(|begin| part.starts_with(begin));
        text += &part;
        if may_repeat {
            text += random.choice(["", "", "", "*", "+", "?", "{1,2}", "*?", "+?"]).unwrap();
        }
    }
    text
}

#[test]
fn what_takes_long_is_broken_off() {
    for pattern in [
        "(a+)+$",
        "(a|a)*$",
        "(a|aa)+$",
        "(.*)*x",
        "(?:a?){30}a{30}",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(?=(a+)+$)b",
    ] {
        let chars: Vec<u32> = pattern.chars().map(u32::from).collect();
        let pattern = Pattern::new(&chars, Flags::default()).unwrap();
        let text = [b'a'; 40].iter().chain(b"!").copied().collect::<Vec<u8>>();
        assert!(!pattern.is_harmless(text.len()));
        let mut looks = 0;
        let halted = pattern.find(&text, 0, false, &mut || {
            looks += 1;
            if looks > 20 { Err("enough") } else { Ok(()) }
        });
        assert_eq!(halted, Err(Halt::Told("enough")));
    }
}

#[test]
fn what_is_harmless_is_left_alone() {
    let is_harmless = |pattern: &str, length| {
        let chars: Vec<u32> = pattern.chars().map(u32::from).collect();
        Pattern::new(&chars, Flags::default()).unwrap().is_harmless(length)
    };
    for pattern in ["abc", "^[a-z]$", "foo|bar|baz", "\\d\\d:\\d\\d", "(?<y>\\d{4})-(?<m>\\d{2})"] {
        assert!(is_harmless(pattern, 1 << 24), "{pattern}");
    }
    for pattern in ["^Bearer (.+)$", "\\s+", "^/users/([^/]+)$"] {
        assert!(is_harmless(pattern, 100) && !is_harmless(pattern, 1 << 20), "{pattern}");
    }
    for pattern in ["(a+)+b", "(?:a|b)*", "(a)\\1", "(?=a+)b"] {
        assert!(!is_harmless(pattern, 1), "{pattern}");
    }
}

/// What a pattern with the flag `v` finds first in a text, and captures in its first group.
fn finds(pattern: &str, kind: &str, text: &str) -> Option<(String, Option<String>)> {
    let chars: Vec<u32> = pattern.chars().map(u32::from).collect();
    let pattern = Pattern::new(&chars, flags(kind)).unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let found = pattern.find(&units, 0, false, &mut || Ok::<(), ()>(())).unwrap()?;
    let of = |(begin, end): (usize, usize)| String::from_utf16_lossy(&units[begin..end]);
    Some((of(found[0]?), found.get(1).copied().flatten().map(of)))
}

#[test]
fn texts_of_classes_are_taken_the_longest_first() {
    let whole = |pattern: &str, kind: &str, text: &str| finds(pattern, kind, text).map(|found| found.0);
    for (pattern, text, found) in [
        ("[\\q{a|ab|abc}]", "abcd", Some("abc")),
        ("[a-c\\q{bc}]+?", "bca", Some("bc")),
        ("[\\q{}]", "x", Some("")),
        ("^[\\q{ab||c}]$", "", Some("")),
        ("^[\\q{\\b\\x61|b}]$", "\u{8}a", Some("\u{8}a")),
        ("^[[a-z\\q{ab}]--[aeiou]]$", "b", Some("b")),
        ("^[[a-z\\q{ab}]--[aeiou]]$", "a", None),
        ("^[[a-z\\q{ab}]--[aeiou]]$", "ab", Some("ab")),
        ("^[\\q{a|ab|abc}]bc$", "abc", Some("abc")),
        ("^(?:[\\q{ab|a}])+b$", "aabb", Some("aabb")),
        ("[\\q{abc|d|}]", "xd", Some("")),
        ("^[\\q{abc|d}]$", "ab", None),
        ("^[\\q{abc|d}&&\\q{abc|e}]$", "abc", Some("abc")),
        ("^[\\q{abc|d}&&\\q{abc|e}]$", "d", None),
        ("^[\\q{abc|de}--\\q{abc}]$", "abc", None),
        ("^[\\q{abc|de}--\\q{abc}]$", "de", Some("de")),
        ("^[[\\q{ab}]\\d]+$", "1ab2", Some("1ab2")),
        ("^[^\\q{a|b}]$", "c", Some("c")),
        ("^[^\\q{a|b}]$", "a", None),
        ("[\\q{\\u{1f600}x|\\}]}]", "-\u{1f600}x", Some("\u{1f600}x")),
        ("(?<=[\\q{ab|b}])c", "abc", Some("c")),
        ("(?<![\\q{ab|b}])c", "abc", None),
    ] {
        assert_eq!(whole(pattern, "v", text).as_deref(), found, "/{pattern}/v in {text:?}");
    }
    assert_eq!(whole("^[\\q{KM|x}]$", "iv", "k\u{4d}").as_deref(), Some("kM"));
    assert_eq!(whole("^[\\q{KM|x}]$", "v", "km"), None);
    let captured = finds("(?<=([\\q{b|ab}]))c", "v", "abc").and_then(|found| found.1);
    assert_eq!(captured.as_deref(), Some("ab"), "the longest first also where it looks behind");
}

#[test]
fn properties_of_texts_are_known() {
    let is = |property: &str, text: &str| finds(&format!("^\\p{{{property}}}$"), "v", text).is_some();
    let (family, flag, keycap) =
        ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f466}", "\u{1f1e9}\u{1f1ea}", "1\u{fe0f}\u{20e3}");
    let scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
    for text in [family, flag, keycap, scotland, "\u{1f44d}\u{1f3fd}", "\u{1f600}", "\u{2764}\u{fe0f}"] {
        assert!(is("RGI_Emoji", text), "{text}");
    }
    for text in ["1", "\u{1f1e9}", "a", "\u{1f468}\u{200d}", "\u{1f600}\u{1f600}", ""] {
        assert!(!is("RGI_Emoji", text), "{text}");
    }
    assert!(is("Emoji_Keycap_Sequence", keycap) && !is("Emoji_Keycap_Sequence", "1"));
    assert!(is("RGI_Emoji_Flag_Sequence", flag) && !is("RGI_Emoji_Flag_Sequence", family));
    assert!(is("RGI_Emoji_ZWJ_Sequence", family) && !is("RGI_Emoji_ZWJ_Sequence", "\u{1f600}"));
    assert!(is("RGI_Emoji_Tag_Sequence", scotland) && !is("RGI_Emoji_Tag_Sequence", flag));
    assert!(is("RGI_Emoji_Modifier_Sequence", "\u{1f44d}\u{1f3fd}"));
    assert!(is("Basic_Emoji", "\u{1f600}") && is("Basic_Emoji", "\u{2764}\u{fe0f}"));
    let text = format!("a{family}{flag}b{keycap}");
    let all = finds("^a(\\p{RGI_Emoji}+)b", "v", &text).and_then(|found| found.1);
    assert_eq!(all, Some(format!("{family}{flag}")));
    let without = |text: &str| finds("^[\\p{RGI_Emoji}--\\q{\u{1f600}}]$", "v", text).is_some();
    assert!(without(family) && !without("\u{1f600}"));
}

#[test]
fn names_of_groups_may_have_escapes() {
    for (pattern, kind, name) in [
        ("(?<\\u0061b>x)\\k<ab>", "", "ab"),
        ("(?<a>x)\\k<\\u{61}>", "", "a"),
        ("(?<\\u{61}>x)\\k<\\u0061>", "u", "a"),
        ("(?<\\ud835\\udc9c>x)\\k<\\u{1d49c}>", "", "\u{1d49c}"),
        ("(?<\\u{1d49c}>x)\\k<\\ud835\\udc9c>", "v", "\u{1d49c}"),
        ("(?<\u{1d49c}>x)\\k<\u{1d49c}>", "u", "\u{1d49c}"),
    ] {
        let both = Both::new(pattern, flags(kind));
        assert_eq!(both.here.names(), ["", name], "/{pattern}/{kind}");
        let [here, engine] = both.find("-xx", 0).unwrap();
        assert_eq!(here, Some(vec![Some((1, 3)), Some((1, 2))]), "/{pattern}/{kind}");
        assert_eq!(here, engine, "/{pattern}/{kind}");
    }
}

/// Of the second group's alternatives, `.` comes first and leads to a match.
#[test]
fn what_comes_first_is_taken() {
    let chars: Vec<u32> = "((.|ac)(?:(?=$)?|(?:.{1,2}|.){1,2})*)+a".chars().map(u32::from).collect();
    let pattern = Pattern::new(&chars, Flags::default()).unwrap();
    let found = pattern.find(b"aca", 0, false, &mut || Ok::<(), ()>(())).unwrap();
    assert_eq!(found, Some(vec![Some((0, 3)), Some((0, 2)), Some((0, 1))]));
}

#[test]
fn what_looks_around_may_be_repeated() {
    let chars: Vec<u32> = "((?:a?|a+){1,2}(?<=[ab]))+c".chars().map(u32::from).collect();
    let pattern = Pattern::new(&chars, Flags::default()).unwrap();
    let find =
        |text: &[u8]| pattern.find(text, 0, false, &mut || Ok::<(), ()>(())).unwrap().map(|found| found[0]);
    assert_eq!(find(b"\nb\n\n\na"), None);
    assert_eq!(find(b"\nbaac"), Some(Some((2, 5))));
}

#[test]
fn sticky_matches_are_where_they_have_to_be() {
    let chars: Vec<u32> = "(?:a|b)+".chars().map(u32::from).collect();
    let pattern = Pattern::new(&chars, Flags::default()).unwrap();
    let find = |from, only_there| {
        pattern.find(b"xabx", from, only_there, &mut || Ok::<(), ()>(())).unwrap().map(|found| found[0])
    };
    assert_eq!(find(0, false), Some(Some((1, 3))));
    assert_eq!(find(0, true), None);
    assert_eq!(find(1, true), Some(Some((1, 3))));
}
