//! Reads patterns. The engine has accepted them already, so nothing is refused here but what cannot be followed.

mod class;
mod escape;
mod name;
mod texts;

use std::collections::HashMap;

use super::class::Class;
use super::node::{Node, One, Parsed};
use super::set::Set;
use super::{Flags, Unknown};

/// Reads a pattern.
pub(super) fn parse(text: &[u32], flags: Flags) -> Result<Parsed, Unknown> {
    let names = names(text, flags);
    let (sets, classes, known) = Default::default();
    let mut parser = Parser { text, at: 0, flags, groups: 1, names, sets, classes, known };
    let node = parser.choice()?;
    if parser.at < text.len() {
        return Err(Unknown);
    }
    let unicode = parser.is_unicode();
    let Parser { groups, names, sets, classes, .. } = parser;
    Ok(Parsed { node, groups, sets, classes, unicode, names })
}

/// The groups that capture, by number, with their names.
fn names(text: &[u32], flags: Flags) -> Vec<Vec<u32>> {
    let mut names = vec![Vec::new()];
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() {
        let is = |offset: usize, char: char| text.get(at + offset) == Some(&u32::from(char));
        if is(0, '\\') {
            at += 1;
        } else if is(0, '[') && (depth == 0 || flags.unicode_sets) {
            depth += 1;
        } else if is(0, ']') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && is(0, '(') {
            if !is(1, '?') {
                names.push(Vec::new());
            } else if is(2, '<') && !is(3, '=') && !is(3, '!') {
                names.push(name::read(&text[at + 3..]).0);
            }
        }
        at += 1;
    }
    names
}

struct Parser<'t> {
    text: &'t [u32],
    at: usize,
    flags: Flags,
    groups: usize,
    names: Vec<Vec<u32>>,
    sets: Vec<Set>,
    classes: Vec<Class>,
    known: HashMap<(Vec<u32>, Flags), usize>,
}

impl Parser<'_> {
    fn is_unicode(&self) -> bool {
        self.flags.unicode || self.flags.unicode_sets
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).and_then(|char| char::from_u32(*char))
    }

    fn eat(&mut self, expected: &str) -> bool {
        let found = expected
            .chars()
            .enumerate()
            .all(|(offset, char)| self.text.get(self.at + offset) == Some(&u32::from(char)));
        self.at += if found { expected.chars().count() } else { 0 };
        found
    }

    fn choice(&mut self) -> Result<Node, Unknown> {
        let mut parts = vec![self.sequence()?];
        while self.eat("|") {
            parts.push(self.sequence()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Choice(parts) })
    }

    fn sequence(&mut self) -> Result<Node, Unknown> {
        let mut parts = Vec::new();
        while !matches!(self.peek(), Some('|' | ')')) && self.at < self.text.len() {
            let before = self.groups;
            let part = self.term()?;
            parts.push(self.repeated(part, before));
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Sequence(parts) })
    }

    fn repeated(&mut self, body: Node, before: usize) -> Node {
        let Some((least, most)) = self.quantifier() else { return body };
        let greedy = !self.eat("?");
        Node::Repeat { least, most, greedy, body: Box::new(body), groups: before..self.groups }
    }

    fn quantifier(&mut self) -> Option<(u32, u32)> {
        let range = match self.peek()? {
            '*' => (0, u32::MAX),
            '+' => (1, u32::MAX),
            '?' => (0, 1),
            '{' => {
                let (range, end) = self.braces()?;
                self.at = end;
                return Some(range);
            }
            _ => return None,
        };
        self.at += 1;
        Some(range)
    }

    /// The numbers of `{1,2}` and the place after it, if that is what stands here.
    fn braces(&self) -> Option<((u32, u32), usize)> {
        let length = self.text[self.at..].iter().position(|char| *char == u32::from('}'))?;
        let inside = &self.text[self.at + 1..self.at + length];
        let inside: String = inside.iter().map(|char| char::from_u32(*char).unwrap_or('x')).collect();
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().unwrap_or(u32::MAX))
        };
        let range = match inside.split_once(',') {
            None => number(&inside).map(|count| (count, count)),
            Some((least, "")) => number(least).map(|least| (least, u32::MAX)),
            Some((least, most)) => Some((number(least)?, number(most)?)),
        };
        Some((range?, self.at + length + 1))
    }

    fn term(&mut self) -> Result<Node, Unknown> {
        let char = self.text[self.at];
        let Some(known) = char::from_u32(char) else {
            self.at += 1;
            return Ok(self.char(char));
        };
        match known {
            '(' => self.group(),
            '[' => self.class(),
            '\\' => self.escape(),
            '^' => {
                self.at += 1;
                Ok(Node::Start { multiline: self.flags.multiline })
            }
            '$' => {
                self.at += 1;
                Ok(Node::End { multiline: self.flags.multiline })
            }
            '.' => {
                self.at += 1;
                Ok(Node::One(if self.flags.dot_all { One::All } else { One::AllInLine }))
            }
            _ => {
                self.at += 1;
                Ok(self.char(char))
            }
        }
    }

    fn group(&mut self) -> Result<Node, Unknown> {
        let flags = self.flags;
        let look = [("(?=", false, false), ("(?!", false, true), ("(?<=", true, false), ("(?<!", true, true)];
        let node = if let Some((_, behind, negative)) = look.into_iter().find(|(begin, ..)| self.eat(begin)) {
            Node::Look { behind, negative, body: Box::new(self.choice()?) }
        } else if self.eat("(?<") {
            self.at += name::read(&self.text[self.at..]).1;
            self.captured()?
        } else if self.eat("(?") {
            self.modifiers()?;
            self.choice()?
        } else {
            self.at += 1;
            self.captured()?
        };
        self.flags = flags;
        if self.eat(")") { Ok(node) } else { Err(Unknown) }
    }

    fn captured(&mut self) -> Result<Node, Unknown> {
        let number = self.groups;
        self.groups += 1;
        Ok(Node::Group(number, Box::new(self.choice()?)))
    }

    /// `i-m:` and the like, after `(?`.
    fn modifiers(&mut self) -> Result<(), Unknown> {
        let mut on = true;
        loop {
            let char = self.peek().ok_or(Unknown)?;
            self.at += 1;
            match char {
                ':' => return Ok(()),
                '-' => on = false,
                'i' => self.flags.ignore_case = on,
                'm' => self.flags.multiline = on,
                's' => self.flags.dot_all = on,
                _ => return Err(Unknown),
            }
        }
    }

    fn class(&mut self) -> Result<Node, Unknown> {
        let begin = self.at;
        let (mut depth, mut longest) = (0_usize, None);
        loop {
            match self.peek() {
                Some('\\') => {
                    if self.flags.unicode_sets {
                        longest = longest.max(texts::longest(&self.text[self.at..]));
                    }
                    self.at += 1;
                }
                Some('[') if depth == 0 || self.flags.unicode_sets => depth += 1,
                Some(']') => depth -= 1,
                None if self.at >= self.text.len() => return Err(Unknown),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                let Some(longest) = longest else {
                    let text = self.text[begin..self.at.min(self.text.len())].to_vec();
                    return self.set(text);
                };
                self.at = begin;
                let class = self.class_of_texts()?;
                return Ok(self.texts(class, longest.max(1)));
            }
        }
    }

    /// A character, with those that are the same without regard to case.
    fn char(&mut self, char: u32) -> Node {
        let has_case = char >= 128 || char::from_u32(char).is_some_and(|char| char.is_ascii_alphabetic());
        if !self.flags.ignore_case || !has_case {
            return Node::One(One::Char(char));
        }
        let text = if self.is_unicode() { format!("\\u{{{char:x}}}") } else { format!("\\u{char:04x}") };
        let text = text.chars().map(u32::from).collect();
        self.set(text).unwrap_or(Node::One(One::Char(char)))
    }

    fn texts(&mut self, class: Class, longest: usize) -> Node {
        self.classes.push(class);
        Node::Texts { class: self.classes.len() - 1, longest }
    }

    /// The characters that a part of a pattern stands for.
    fn set(&mut self, text: Vec<u32>) -> Result<Node, Unknown> {
        Ok(Node::One(One::Set(self.set_number(text)?)))
    }

    fn set_number(&mut self, text: Vec<u32>) -> Result<usize, Unknown> {
        let key = (text, self.flags);
        if let Some(number) = self.known.get(&key) {
            return Ok(*number);
        }
        self.sets.push(Set::new(&key.0, self.flags).ok_or(Unknown)?);
        self.known.insert(key, self.sets.len() - 1);
        Ok(self.sets.len() - 1)
    }
}
