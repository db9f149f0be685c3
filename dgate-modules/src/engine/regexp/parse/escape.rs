//! What follows a backslash.

use super::super::Unknown;
use super::super::class::Class;
use super::super::node::Node;
use super::{Parser, name, texts};

impl Parser<'_> {
    pub(super) fn escape(&mut self) -> Result<Node, Unknown> {
        let begin = self.at;
        self.at += 1;
        let unicode = self.is_unicode();
        let Some(char) = self.text.get(self.at).copied() else { return Err(Unknown) };
        self.at += 1;
        let node = match char::from_u32(char).unwrap_or('\u{fffd}') {
            'b' | 'B' => {
                let negative = char == u32::from('B');
                return Ok(Node::Boundary { negative, wide: unicode && self.flags.ignore_case });
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => return self.set(self.text[begin..self.at].to_vec()),
            'p' | 'P' if unicode => {
                self.at = begin;
                let is_of_texts = self.flags.unicode_sets && char == u32::from('p');
                let longest = is_of_texts.then(|| texts::longest(&self.text[begin..])).flatten();
                while !self.eat("}") {
                    self.at += 1;
                    if self.at > self.text.len() {
                        return Err(Unknown);
                    }
                }
                let text = self.text[begin..self.at].to_vec();
                let Some(longest) = longest else { return self.set(text) };
                let class = Class::Leaf { set: self.set_number(text)?, of_texts: true };
                return Ok(self.texts(class, longest));
            }
            'k' if unicode || self.names.iter().any(|name| !name.is_empty()) => {
                self.at += 1;
                let (name, length) = name::read(&self.text[self.at..]);
                self.at += length;
                let named = self.names.iter().enumerate().filter(|(_, known)| **known == name);
                return Ok(self.back(named.map(|(number, _)| number).collect()));
            }
            '0'..='9' => return Ok(self.number(begin)),
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            'c' => match self.peek().filter(char::is_ascii_alphabetic) {
                Some(letter) => {
                    self.at += 1;
                    u32::from(letter) % 32
                }
                None => {
                    self.at -= 1;
                    u32::from('\\')
                }
            },
            'x' => self.hex(2).unwrap_or(char),
            'u' => self.unicode_escape().unwrap_or(char),
            _ => char,
        };
        Ok(self.char(node))
    }

    /// `\1`, or a character in octal where there is no such group.
    fn number(&mut self, begin: usize) -> Node {
        let digits = |most: usize, radix: u32, text: &[u32]| -> Vec<u32> {
            let digits = text.iter().map_while(|char| char::from_u32(*char)?.to_digit(radix));
            digits.take(most).collect()
        };
        let value = |digits: &[u32], radix: u32| {
            digits.iter().fold(0_u32, |sum, digit| sum.saturating_mul(radix).saturating_add(*digit))
        };
        let decimal = digits(9, 10, &self.text[begin + 1..]);
        let number = value(&decimal, 10) as usize;
        if decimal[0] != 0 && (number < self.names.len() || self.is_unicode()) {
            self.at = begin + 1 + decimal.len();
            return self.back(vec![number]);
        }
        let first = decimal[0];
        let octal = digits(if first <= 3 { 3 } else { 2 }, 8, &self.text[begin + 1..]);
        if octal.is_empty() || self.is_unicode() {
            self.at = begin + 2;
            return self.char(if first == 0 { 0 } else { u32::from('0') + first });
        }
        self.at = begin + 1 + octal.len();
        self.char(value(&octal, 8))
    }

    fn back(&self, groups: Vec<usize>) -> Node {
        Node::Back { groups, fold: self.flags.ignore_case }
    }

    fn hex(&mut self, count: usize) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + count)?;
        let digits: Option<Vec<u32>> =
            digits.iter().map(|char| char::from_u32(*char)?.to_digit(16)).collect();
        self.at += count;
        match digits {
            Some(digits) => Some(digits.into_iter().fold(0, |sum, digit| sum * 16 + digit)),
            None => {
                self.at -= count;
                None
            }
        }
    }

    fn unicode_escape(&mut self) -> Option<u32> {
        let begin = self.at;
        if self.is_unicode() && self.eat("{") {
            let mut value = 0_u32;
            while let Some(digit) = self.peek().and_then(|char| char.to_digit(16)) {
                value = value.saturating_mul(16).saturating_add(digit);
                self.at += 1;
            }
            self.at += 1;
            return Some(value);
        }
        let high = self.hex(4)?;
        let after_high = self.at;
        if self.is_unicode() && (0xd800..0xdc00).contains(&high) && self.eat("\\u") {
            match self.hex(4) {
                Some(low) if (0xdc00..0xe000).contains(&low) => {
                    return Some(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                }
                _ => self.at = after_high,
            }
        }
        debug_assert!(self.at > begin);
        Some(high)
    }
}
