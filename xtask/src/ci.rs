//! Everything that must hold before a change is merged.

use crate::step::Step;
use crate::{check, test, tidy};

/// The steps of `cargo xtask ci`: what fails fast first, tests last.
pub(crate) fn steps() -> Vec<Step> {
    [tidy::steps(), check::steps(), test::steps()].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn names_tell_steps_apart() {
        let steps = super::steps();
        let names: HashSet<&str> = steps.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), steps.len());
    }
}
