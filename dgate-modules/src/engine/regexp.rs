//! Regular expressions that may take long, matched with a look at the clock now and then.
//!
//! The engine's own matcher goes back and forth, and nothing can interrupt it. It is left what is done in no time whatever the
//! text is; everything else is matched here, in the same order and to the same effect, as the standard has it.

mod class;
mod node;
mod parse;
mod program;
mod run;
mod set;
mod text;

#[cfg(test)]
mod tests;

use self::program::Program;
pub(super) use self::run::Captures;

/// How many steps the engine may take at most.
const SMALL: f64 = 500_000.0;
/// A pattern with so few ways at each place takes time in proportion to the text.
const FEW_WAYS: f64 = 16.0;
/// The longest text there is, as a power of two.
const LONGEST: u32 = 24;

/// The flags that matter to the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multiline: bool,
    pub(super) dot_all: bool,
    pub(super) unicode: bool,
    pub(super) unicode_sets: bool,
}

/// A pattern, ready to be matched.
#[derive(Debug)]
pub(super) struct Pattern {
    program: Program,
    /// The engine may match texts up to this length.
    harmless: Option<usize>,
    /// The names of groups, by number; empty for those without.
    names: Vec<String>,
}

/// The pattern has something that cannot be matched here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unknown;

/// Why matching was broken off.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Halt<E> {
    /// There is more to go back to than fits.
    TooDeep,
    /// Whoever looks at the clock says so.
    Told(E),
}

impl Pattern {
    /// A pattern that the engine accepts, as code points if it is for Unicode and as UTF-16 otherwise.
    pub(super) fn new(text: &[u32], flags: Flags) -> Result<Self, Unknown> {
        let parsed = parse::parse(text, flags)?;
        let node = &parsed.node;
        let (size, is_anchored) = (node.size(), node.is_anchored());
        let is_harmless = |length: f64| {
            let begins = if is_anchored { 1.0 } else { length + 1.0 };
            begins * node.ways(length) * size <= SMALL
        };
        let harmless = if node.is_nested() {
            None
        } else if node.ways(f64::from(1 << LONGEST)) <= FEW_WAYS {
            Some(usize::MAX)
        } else {
            (0..LONGEST).map(|power| 1_usize << power).take_while(|length| is_harmless(*length as f64)).last()
        };
        let names =
            parsed.names.iter().map(|name| name.iter().filter_map(|char| char::from_u32(*char)).collect());
        Ok(Self { names: names.collect(), program: Program::new(parsed), harmless })
    }

    /// Whether the engine may match a text of a length.
    pub(super) fn is_harmless(&self, length: usize) -> bool {
        self.harmless.is_some_and(|most| length <= most)
    }

    /// The names of groups, by number; empty for those without.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Looks for a match from a place on, or only there, and tells what each group captured, the whole first. `look` is asked
    /// every so often.
    ///
    /// # Errors
    /// What `look` says, or when it goes too deep.
    pub(super) fn find<T: Copy + Into<u32>, E>(
        &self,
        text: &[T],
        from: usize,
        only_there: bool,
        look: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Option<Captures>, Halt<E>> {
        run::find(&self.program, text, from, only_there, look)
    }
}
