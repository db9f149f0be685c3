//! The program as people and scripts use it.

#![allow(clippy::unwrap_used, missing_docs)]

mod about;
mod declarative;
mod fake;
mod program;
mod resources;
