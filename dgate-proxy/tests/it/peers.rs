//! Real programs through the gateway. They have to be installed: a missing one is a failure that says how.

mod curl;
mod events;
mod faults;
mod grpc;
mod large_bodies;
mod load;
mod nginx;
mod nginx_keep_alive;
mod support;
mod websocket;
