//! Modules in a gateway, over real sockets.

mod hooks;
mod interface;
mod kit;
mod limits;
mod local;
mod recipes;
