//! The program as people and scripts use it.

#![allow(clippy::unwrap_used, missing_docs)]

mod about;
mod canary;
mod canary_life;
mod declarative;
mod exits;
mod explain;
mod fake;
mod gateway;
mod imports;
mod json;
mod logs;
mod modules;
mod program;
mod real;
mod resources;
mod server;
mod terminal;
mod top;
mod transcript;
mod watching;
