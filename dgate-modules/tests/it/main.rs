//! Modules in a gateway, over real sockets.

mod chains;
mod fetching;
mod hooks;
mod interface;
mod isolation;
mod json;
mod kit;
mod limits;
mod local;
mod memory;
mod promises;
mod recipes;
mod trial;
mod web;
