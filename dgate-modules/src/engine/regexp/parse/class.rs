//! Reads classes that have texts in them.

use super::super::Unknown;
use super::super::class::Class;
use super::super::node::{Node, One};
use super::{Parser, texts};

/// How the parts of a class are put together.
#[derive(Clone, Copy)]
enum Kind {
    Union,
    Intersection,
    Difference,
}

impl Parser<'_> {
    /// A class of the flag `v`, from its bracket to the other.
    pub(super) fn class_of_texts(&mut self) -> Result<Class, Unknown> {
        self.at += 1;
        let is_negative = self.eat("^");
        let (mut parts, mut kind) = (Vec::new(), Kind::Union);
        while !self.eat("]") {
            if self.eat("&&") {
                kind = Kind::Intersection;
            } else if self.eat("--") {
                kind = Kind::Difference;
            } else {
                parts.push(self.operand()?);
            }
        }
        let class = match kind {
            Kind::Union => Class::Union(parts),
            Kind::Intersection => Class::Intersection(parts),
            Kind::Difference => Class::Difference(parts),
        };
        Ok(if is_negative { Class::Not(Box::new(class)) } else { class })
    }

    fn operand(&mut self) -> Result<Class, Unknown> {
        let begin = self.at;
        if self.peek() == Some('[') {
            return self.class_of_texts();
        }
        if self.eat("\\q{") {
            return self.listed();
        }
        let of_texts = texts::longest(&self.text[begin..]).is_some();
        if self.eat("\\p{") || self.eat("\\P{") {
            while !self.eat("}") {
                self.step()?;
            }
            return self.leaf(self.text[begin..self.at].to_vec(), of_texts);
        }
        if ["\\d", "\\D", "\\s", "\\S", "\\w", "\\W"].into_iter().any(|escape| self.eat(escape)) {
            return self.leaf(self.text[begin..self.at].to_vec(), false);
        }
        self.class_char()?;
        if self.peek() == Some('-') && self.text.get(self.at + 1) != Some(&u32::from('-')) {
            self.at += 1;
            self.class_char()?;
        }
        let around = |char: char| std::iter::once(u32::from(char));
        let text = around('[').chain(self.text[begin..self.at].iter().copied()).chain(around(']'));
        self.leaf(text.collect(), false)
    }

    fn leaf(&mut self, text: Vec<u32>, of_texts: bool) -> Result<Class, Unknown> {
        Ok(Class::Leaf { set: self.set_number(text)?, of_texts })
    }

    /// What is listed after `\q{`, with the other brace.
    fn listed(&mut self) -> Result<Class, Unknown> {
        let (mut all, mut text) = (Vec::new(), Vec::new());
        loop {
            if self.eat("}") {
                all.push(text);
                return Ok(Class::Listed(all));
            }
            if self.eat("|") {
                all.push(std::mem::take(&mut text));
            } else {
                text.push(self.class_char()?);
            }
        }
    }

    /// One character within a class.
    fn class_char(&mut self) -> Result<One, Unknown> {
        let node = if self.eat("\\b") {
            self.char(8)
        } else if self.peek() == Some('\\') {
            self.escape()?
        } else {
            let char = self.step()?;
            self.char(char)
        };
        if let Node::One(one) = node { Ok(one) } else { Err(Unknown) }
    }

    /// Goes on by one.
    fn step(&mut self) -> Result<u32, Unknown> {
        let char = self.text.get(self.at).copied().ok_or(Unknown)?;
        self.at += 1;
        Ok(char)
    }
}
