//! Names of groups.

/// The name that stands before the next `>`, as code points, and how long it is with that. It may have escapes in it
/// (`\u0061`, `\u{61}`), and halves of characters that are two, as they are or escaped, whatever the flags are.
pub(super) fn read(text: &[u32]) -> (Vec<u32>, usize) {
    let end = text.iter().position(|char| *char == u32::from('>')).unwrap_or(text.len());
    let (mut name, mut rest) = (Vec::new(), &text[..end]);
    while !rest.is_empty() {
        let (char, length) = escaped(rest).unwrap_or((rest[0], 1));
        rest = &rest[length..];
        match name.last_mut() {
            Some(high) if (0xd800..0xdc00).contains(high) && (0xdc00..0xe000).contains(&char) => {
                *high = 0x1_0000_u32 + ((*high - 0xd800) << 10) + (char - 0xdc00);
            }
            _ => name.push(char),
        }
    }
    (name, (end + 1).min(text.len()))
}

/// The character that an escape stands for, and how long that is.
fn escaped(text: &[u32]) -> Option<(u32, usize)> {
    let chars: String = text.iter().map(|char| char::from_u32(*char).unwrap_or(' ')).collect();
    let escape = chars.strip_prefix("\\u")?;
    let (digits, length) = match escape.strip_prefix('{') {
        Some(inside) => inside.split_once('}').map(|(digits, _)| (digits, digits.len() + 4))?,
        None => (escape.get(..4)?, 6),
    };
    Some((u32::from_str_radix(digits, 16).ok()?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_say() {
        let of = |name: &str| {
            let units: Vec<u32> = name.encode_utf16().map(u32::from).collect();
            let (name, length) = read(&units);
            (name.into_iter().filter_map(char::from_u32).collect::<String>(), length)
        };
        assert_eq!(of("ab>c"), ("ab".to_owned(), 3));
        assert_eq!(of("\\u0061\\u{62}\\u{0000063}>"), ("abc".to_owned(), 24));
        assert_eq!(of("a\u{1d4d0}>"), ("a\u{1d4d0}".to_owned(), 4));
        assert_eq!(of("\\ud835\\udcd0>\\u0061"), ("\u{1d4d0}".to_owned(), 13));
        assert_eq!(of("\\u{1d4d0}>"), ("\u{1d4d0}".to_owned(), 10));
    }
}
