//! The program as people and scripts use it.

#![allow(clippy::unwrap_used, missing_docs)]

mod about;
mod canary;
mod canary_life;
mod declarative;
mod explain;
mod fake;
mod imports;
mod logs;
mod modules;
mod program;
mod real;
mod resources;
mod server;
mod top;
mod transcript;
