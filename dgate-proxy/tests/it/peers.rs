//! Real programs through the gateway. They have to be installed: a missing one is a failure that says how.

mod events;
mod grpc;
mod nginx;
mod nginx_keep_alive;
mod support;
mod websocket;
