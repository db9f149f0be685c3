//! Modules in a gateway, over real sockets.

mod hooks;
mod kit;
