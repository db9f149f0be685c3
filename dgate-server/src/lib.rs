//! The DGate server: configuration file, listeners, runtimes and signals around the gateway.

pub mod config;
