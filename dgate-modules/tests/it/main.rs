//! Modules in a gateway, over real sockets.

mod arguments;
mod built_ins;
mod chains;
mod endless;
mod errors;
mod fetching;
mod hooks;
mod interface;
mod isolation;
mod json;
mod kit;
mod limits;
mod local;
mod memory;
mod nesting;
mod promises;
mod recipes;
mod recursion;
mod trial;
mod typed_arrays;
mod web;
