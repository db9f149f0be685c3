//! What stands for texts, and not for characters, with the flag `v`.

/// Properties of texts begin like this; all others are of characters.
const OF_TEXTS: [&str; 3] = ["Basic_Emoji", "Emoji_Keycap_Sequence", "RGI_"];
/// No emoji is a sequence of more characters.
const LONGEST_EMOJI: usize = 16;

/// How many characters the texts have, at most, that an escape stands for: `\q{ab|c}`, `\p{RGI_Emoji}`. Nothing for one that
/// stands for characters.
pub(super) fn longest(text: &[u32]) -> Option<usize> {
    let chars: Vec<char> = text.iter().map(|char| char::from_u32(*char).unwrap_or('\u{fffd}')).collect();
    match chars.get(1..3)? {
        ['q', '{'] => Some(longest_among(&chars[3..])),
        ['p', '{'] => {
            let name: String = chars[3..].iter().take_while(|char| **char != '}').collect();
            OF_TEXTS.iter().any(|begin| name.starts_with(begin)).then_some(LONGEST_EMOJI)
        }
        _ => None,
    }
}

/// The same of what stands between the braces. The digits of an escape count each: there are no more than that.
fn longest_among(mut rest: &[char]) -> usize {
    let (mut longest, mut length) = (0, 0);
    loop {
        let (skipped, counted) = match rest {
            ['}', ..] | [] => return longest,
            ['|', ..] => {
                length = 0;
                (1, 0)
            }
            ['\\', 'u', '{', inside @ ..] => {
                let digits = inside.iter().take_while(|char| **char != '}').count();
                ((digits + 4).min(rest.len()), 1)
            }
            ['\\', _, ..] => (2, 1),
            _ => (1, 1),
        };
        rest = &rest[skipped..];
        length += counted;
        longest = longest.max(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_text_is_found() {
        let of = |text: &str| longest(&text.chars().map(u32::from).collect::<Vec<u32>>());
        assert_eq!(of("\\q{a|abc|ab}xxxx]"), Some(3));
        assert_eq!(of("\\q{}]"), Some(0));
        assert_eq!(of("\\q{\\u{1f600}\\}\\|a|b}"), Some(4));
        assert_eq!(of("\\p{RGI_Emoji}"), Some(LONGEST_EMOJI));
        assert_eq!((of("\\p{L}"), of("\\d"), of("\\")), (None, None, None));
    }
}
